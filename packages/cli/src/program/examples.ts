import type { Command } from "commander";

/** Examples below a command's help, and what else there is to say. */
export function addExamples(command: Command, examples: readonly string[], note?: string): Command {
  const lines = [
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
    ...(note === undefined ? [] : ["", note]),
  ];
  return command.addHelpText("after", lines.join("\n"));
}

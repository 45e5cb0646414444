import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { CommandContext } from "../command-context.ts";
import { CliError, messageOf, UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";

/** Writes a first workflow file, and never over an existing one. */
export async function init({ io }: CommandContext, file: string): Promise<number> {
  const path = resolve(io.cwd, file);
  try {
    await mkdir(dirname(path), { recursive: true });
    // `wx` is the check: another program may write the file between a look and a write.
    await writeFile(path, firstWorkflow, { flag: "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new UsageError(
        `\`${file}\` is there already; nothing was written`,
        `Name another file: braid init my-workflow.yaml`,
        error,
      );
    }
    throw new CliError(`cannot write \`${file}\`: ${messageOf(error)}`, { cause: error });
  }
  io.stdout.write(
    [
      `Wrote ${file}. Next:`,
      `  braid run ${file}`,
      `  braid run ${file} --input name=Ada`,
      `  braid plan ${file}`,
      "",
      "Runs are kept in .braid/, which tells git to ignore it; you need no line in your .gitignore.",
      "",
    ].join("\n"),
  );
  return exitCode.ok;
}

const firstWorkflow = `# A first workflow. Run it: braid run workflow.yaml
name: hello

# Values that a run is started with: braid run workflow.yaml --input name=Ada
inputs:
  name:
    type: string
    default: world

steps:
  # \`run\` is a shell script. A value reaches it as a variable, never as code.
  - id: prepare
    run: |
      echo "preparing for \${{ inputs.name }}"
      # key=value lines written to this file become outputs of the step.
      echo "greeting=Hello" >> "$BRAID_OUTPUT"

  # Both depend on \`prepare\` alone, so they run at the same time.
  - id: lint
    dependsOn: [prepare]
    run: sleep 1; echo "lint is clean"

  - id: test
    dependsOn: [prepare]
    run: sleep 1; echo "tests pass"
    # A failed attempt is repeated, up to three attempts in all.
    retry: { maxAttempts: 3, delay: 1s }

  # Waits for both.
  - id: greet
    dependsOn: [lint, test]
    run: echo "\${{ steps.prepare.output.greeting }}, \${{ inputs.name }}!"

# Runs at the end, whatever happened.
finally:
  - id: clean-up
    run: echo "done, status \${{ run.status }}"

# What the run gives back; \`braid run\` prints it.
output:
  greeting: \${{ steps.greet.output.stdout }}
`;

import type { CommandContext } from "../../command-context.ts";
import { exitCode } from "../../exit-code.ts";
import { loadPlan } from "../../load/load-plan.ts";
import type { ValidWorkflow } from "../../load/load-plan.ts";
import { withEngine } from "../../store/open-engine.ts";
import { chooseStore } from "../../store/store-url.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import { oneLine } from "../../terminal/sanitize.ts";

export interface ApplyOptions {
  readonly store?: string;
  readonly json?: boolean;
}

/** Stores workflows: all of them, or none if one is not valid. */
export async function apply(context: CommandContext, files: readonly string[], options: ApplyOptions): Promise<number> {
  const loaded: ValidWorkflow[] = [];
  for (const file of files) {
    const workflow = await loadPlan(context, file, options);
    if (workflow !== null) loaded.push(workflow);
  }
  if (loaded.length < files.length) return exitCode.usage;
  const { stdout } = context.io;
  await withEngine(chooseStore(context.io, options), {}, async (engine) => {
    for (const { code, definition } of loaded) {
      const { name, version } = await engine.register(code ?? definition);
      if (options.json === true) writeJsonLine(stdout, { type: "workflow", workflow: name, version });
      else stdout.write(`${oneLine(name)} version ${version}\n`);
    }
  });
  return exitCode.ok;
}

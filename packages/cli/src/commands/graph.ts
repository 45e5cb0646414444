import { toAscii, toDot, toJsonGraph, toMermaid } from "@braid/core";
import type { Plan } from "@braid/core";
import { stdoutStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCode } from "../exit-code.ts";
import { loadPlan } from "../load/load-plan.ts";

export type GraphFormat = "ascii" | "mermaid" | "dot" | "json";

/** Draws a workflow on stdout. */
export async function graph(
  context: CommandContext,
  file: string,
  options: { readonly format: GraphFormat },
): Promise<number> {
  const workflow = await loadPlan(context, file, {});
  if (workflow === null) return exitCode.usage;
  const drawing = draw(workflow.plan, options.format, stdoutStyle(context).unicode);
  context.io.stdout.write(drawing.endsWith("\n") ? drawing : `${drawing}\n`);
  return exitCode.ok;
}

function draw(plan: Plan, format: GraphFormat, unicode: boolean): string {
  switch (format) {
    case "ascii":
      return toAscii(plan, { unicode });
    case "mermaid":
      return toMermaid(plan);
    case "dot":
      return toDot(plan);
    case "json":
      return JSON.stringify(toJsonGraph(plan), null, 2);
    default:
      return format satisfies never;
  }
}

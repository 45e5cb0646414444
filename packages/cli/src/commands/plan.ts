import { criticalPath, edgesOf, layers, parseDuration, speedUp } from "@braid/core";
import type { EdgeView, JsonValue, Plan } from "@braid/core";
import { stdoutStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCode } from "../exit-code.ts";
import { readObjectFile } from "../input/read-data-file.ts";
import { runOverrides } from "../input/run-overrides.ts";
import { loadPlan } from "../load/load-plan.ts";
import { readScenarios } from "../simulate/scenario.ts";
import { withStore } from "../store/open-engine.ts";
import { countOf, formatDuration } from "../terminal/format.ts";
import { writeJsonLine } from "../terminal/json-line.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { renderTextTable } from "../view/text-table.ts";

export interface PlanCommandOptions {
  readonly durations?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** Where the times of the steps come from. Without any, every step counts 1. */
export type DurationSource = "file" | "past runs" | "none";

export interface PlanReport {
  readonly workflow: string;
  readonly steps: number;
  /** Most tasks at a time in a run of this file here. */
  readonly maxConcurrent: number;
  readonly edges: readonly EdgeView[];
  /** Steps that could run together, level by level. */
  readonly levels: readonly (readonly string[])[];
  readonly durations: DurationSource;
  readonly criticalPath: readonly string[];
  /** Milliseconds, or numbers of steps where no durations are known. */
  readonly criticalPathMs: number;
  readonly sequentialMs: number;
  readonly makespanMs: number;
  readonly speedUp: number;
  readonly formula: string;
}

const formula = "speed-up = sum of step times / makespan; makespan = max(critical path, sum of step times / cap)";

/** Shows what runs after what, why, and what it gains. */
export async function plan(context: CommandContext, file: string, options: PlanCommandOptions): Promise<number> {
  const workflow = await loadPlan(context, file, options);
  if (workflow === null) return exitCode.usage;
  const { durations, source } = await findDurations(context, workflow.plan, options);
  const { maxConcurrent = Number.POSITIVE_INFINITY } = runOverrides(
    context.io.env,
    {},
    workflow.plan.scopes[0]?.maxConcurrent ?? undefined,
  );
  const report = reportPlan(workflow.plan, { durations, source, maxConcurrent });
  if (options.json === true) writeJsonLine(context.io.stdout, { type: "plan", ...report });
  else context.io.stdout.write(`${renderPlan(report, stdoutStyle(context))}\n`);
  return exitCode.ok;
}

interface Known {
  readonly durations: ReadonlyMap<string, number> | undefined;
  readonly source: DurationSource;
}

async function findDurations(
  context: CommandContext,
  { workflow, steps }: Plan,
  options: PlanCommandOptions,
): Promise<Known> {
  if (options.durations !== undefined) {
    const file = await readObjectFile(context.io, "--durations", options.durations);
    const scenarios = readScenarios(file, new Set(steps.map((step) => step.id)), durationOf);
    const given = [...scenarios].flatMap(([id, { durationMs }]) =>
      durationMs === undefined ? [] : [[id, durationMs] as const],
    );
    return { durations: new Map(given), source: "file" };
  }
  const past = await withStore(context, options, async (engine) =>
    engine === null ? {} : await engine.store.durations(workflow),
  );
  const known = Object.entries(past).flatMap(([id, ms]) => (typeof ms === "number" ? [[id, ms] as const] : []));
  return known.length === 0
    ? { durations: undefined, source: "none" }
    : { durations: new Map(known), source: "past runs" };
}

/** A duration as a file may write it. */
export function durationOf(value: JsonValue): number | undefined {
  return typeof value === "string" || typeof value === "number" ? parseDuration(value) : undefined;
}

export function reportPlan(
  compiled: Plan,
  { durations, source, maxConcurrent }: Known & { readonly maxConcurrent: number },
): PlanReport {
  const critical = criticalPath(compiled, durations);
  const expected = speedUp(compiled, durations, maxConcurrent);
  return {
    workflow: compiled.workflow,
    steps: compiled.steps.filter((step) => !step.hidden).length,
    maxConcurrent,
    edges: edgesOf(compiled),
    levels: layers(compiled),
    durations: source,
    criticalPath: critical.path,
    criticalPathMs: critical.ms,
    ...expected,
    formula,
  };
}

/** The report for a person. */
export function renderPlan(report: PlanReport, style: Style): string {
  const time = (value: number): string =>
    report.durations === "none" ? countOf(Number(value.toFixed(1)), "step") : formatDuration(value);
  const arrow = style.unicode ? "→" : "->";
  const title = (text: string): string => paint(style, "bold", text);
  const edges = report.edges.map((edge) => [
    oneLine(edge.from),
    arrow,
    oneLine(edge.to),
    edge.port === null ? edge.on : `${edge.on} (port ${oneLine(edge.port)})`,
    edge.origin,
  ]);
  const levels = report.levels.map((level, index) => `  ${String(index + 1).padStart(3)}  ${namesOf(level)}`);
  return [
    `${title(oneLine(report.workflow))}: ${countOf(report.steps, "step")}, ${countOf(edges.length, "edge")}, at most ${report.maxConcurrent} at a time`,
    "",
    ...(edges.length === 0
      ? []
      : [
          ...renderTextTable(
            [{ title: "FROM" }, { title: "" }, { title: "TO" }, { title: "ON" }, { title: "ORIGIN" }],
            edges,
          ).map((line) => `  ${line}`),
          "",
        ]),
    title("Levels"),
    ...levels,
    "",
    `${title("Critical path")} ${time(report.criticalPathMs)}: ${report.criticalPath.map((id) => oneLine(id)).join(` ${arrow} `)}`,
    `${title("Expected")} makespan ${time(report.makespanMs)}, one at a time ${time(report.sequentialMs)}, speed-up ${report.speedUp.toFixed(1)}x`,
    `  ${report.formula}`,
    `  ${sourceWords[report.durations]}`,
  ].join("\n");
}

const sourceWords: Readonly<Record<DurationSource, string>> = {
  file: "Step times are those of the durations file; a step without one counts nothing.",
  "past runs": "Step times are means of past runs in the store; a step that never ran counts nothing.",
  none: "No step times are known, so every step counts 1. Run the workflow, or give --durations.",
};

const maxNames = 12;

function namesOf(level: readonly string[]): string {
  const shown = level.slice(0, maxNames).map((id) => oneLine(id));
  return level.length > maxNames ? `${shown.join(", ")} and ${level.length - maxNames} more` : shown.join(", ");
}

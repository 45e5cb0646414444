import { describeTrace } from "@braid/core";
import type { Plan } from "@braid/core";
import { stdoutStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { readObjectFile } from "../input/read-data-file.ts";
import { runOverrides } from "../input/run-overrides.ts";
import { loadPlan } from "../load/load-plan.ts";
import { readScenarios } from "../simulate/scenario.ts";
import { simulate, simulatedRunId } from "../simulate/simulator.ts";
import type { Simulation } from "../simulate/simulator.ts";
import { renderTimeline } from "../simulate/timeline.ts";
import { writeJsonLine } from "../terminal/json-line.ts";
import { applyTrace } from "../view/apply-trace.ts";
import { createRunView } from "../view/run-view.ts";
import { durationOf } from "./plan.ts";

export interface SimulateCommandOptions {
  readonly seed: number;
  readonly durations?: string;
  readonly maxConcurrent?: number;
  readonly json?: boolean;
}

/** Shows what would happen, and when, by running the kernel with virtual time. */
export async function simulateFile(
  context: CommandContext,
  file: string,
  options: SimulateCommandOptions,
): Promise<number> {
  const workflow = await loadPlan(context, file, options);
  if (workflow === null) return exitCode.usage;
  const { plan } = workflow;
  const given =
    options.durations === undefined ? {} : await readObjectFile(context.io, "--durations", options.durations);
  const steps = readScenarios(given, new Set(plan.steps.map((step) => step.id)), durationOf);
  const overrides = runOverrides(context.io.env, options, plan.scopes[0]?.maxConcurrent ?? undefined);
  const simulation = simulate(plan, { seed: options.seed, steps }, overrides);
  if (!simulation.isOver)
    throw new CliError("the simulated run never ends: every step that is left waits for something that cannot come");
  if (options.json === true) writeTrace(context, plan, { simulation, seed: options.seed });
  else context.io.stdout.write(renderSimulation(context, plan, { simulation, seed: options.seed }));
  return exitCode.ok;
}

interface Simulated {
  readonly simulation: Simulation;
  readonly seed: number;
}

function writeTrace({ io }: CommandContext, plan: Plan, { simulation, seed }: Simulated): void {
  for (const event of simulation.trace) writeJsonLine(io.stdout, describeTrace(plan, simulatedRunId, event));
  const { state, peak, workMs } = simulation;
  const makespanMs = state.run.finishedAt ?? 0;
  writeJsonLine(io.stdout, {
    type: "simulation.summary",
    status: state.run.status,
    seed,
    makespanMs,
    workMs,
    peak,
    speedUp: speedUpOf(workMs, makespanMs),
  });
}

function renderSimulation(context: CommandContext, plan: Plan, { simulation, seed }: Simulated): string {
  const view = createRunView(plan);
  for (const event of simulation.trace) applyTrace(view, describeTrace(plan, simulatedRunId, event));
  const { peak, workMs } = simulation;
  const makespanMs = simulation.state.run.finishedAt ?? 0;
  const columns = context.io.stdout.isTerminal ? context.io.stdout.columns : 100;
  return renderTimeline(view, {
    style: stdoutStyle(context),
    columns,
    seed,
    peak,
    workMs,
    speedUp: speedUpOf(workMs, makespanMs),
  });
}

function speedUpOf(workMs: number, makespanMs: number): number {
  return makespanMs === 0 ? 1 : workMs / makespanMs;
}

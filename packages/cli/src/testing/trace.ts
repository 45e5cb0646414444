import { compile, describeTrace, parseYaml } from "@braid/core";
import type { Plan } from "@braid/core";
import type { PublicTraceEvent } from "@braid/engine";
import { simulate } from "../simulate/simulator.ts";
import type { StepScenario } from "../simulate/scenario.ts";
import { applyTrace } from "../view/apply-trace.ts";
import { readTraceLine } from "../view/trace-line.ts";
import { createRunView } from "../view/run-view.ts";
import type { RunView } from "../view/run-view.ts";

/** The plan of a workflow that is known to be right. */
export function planOf(yaml: string): Plan {
  const { definition, diagnostics, locate } = parseYaml(yaml);
  const compiled = definition === null ? { plan: null, diagnostics } : compile(definition, { locate });
  if (compiled.plan === null) throw new Error(compiled.diagnostics.map((diagnostic) => diagnostic.message).join("\n"));
  return compiled.plan;
}

/** The public trace of a run of the plan with virtual time: a step takes 1 s unless `steps` says otherwise. */
export function traceOf(plan: Plan, steps: Readonly<Record<string, StepScenario>> = {}): readonly PublicTraceEvent[] {
  const scenarios = new Map(plan.steps.map((step) => [step.id, { durationMs: 1000, ...steps[step.id] }]));
  const { trace } = simulate(plan, { seed: 1, steps: scenarios });
  return trace.map((event) => describeTrace(plan, "run-1", event));
}

/** The view after the events up to a moment, in milliseconds since the start. */
export function viewAt(plan: Plan, trace: readonly PublicTraceEvent[], untilMs = Number.POSITIVE_INFINITY): RunView {
  const view = createRunView(plan);
  for (const event of trace) if (readTraceLine(event).at <= untilMs) applyTrace(view, event);
  return view;
}

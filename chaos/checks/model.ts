import { allSteps } from "../workflows/spec.ts";
import type { Need, StepSpec, WorkflowSpec } from "../workflows/spec.ts";

/**
 * The semantics once more, for the workflows that the generator makes: how a run ends follows from how its steps do, whatever
 * finishes first. Nothing of the engine is used, so that it cannot share a mistake.
 */

/** What happened that no definition says. */
export interface Facts {
  /** Steps, and items as `step[item]`, that failed because their workers were lost too often. */
  readonly lost: ReadonlySet<string>;
  /** How the child runs of steps ended. */
  readonly children: ReadonlyMap<string, string>;
}

export interface Prediction {
  readonly run: "completed" | "failed";
  /** What the status of each step may be. */
  readonly steps: ReadonlyMap<string, ReadonlySet<string>>;
}

type Ending = "completed" | "failed" | "tolerated" | "chosen" | "lost";

const statusOf: Readonly<Record<Ending, string>> = {
  completed: "completed",
  failed: "failed",
  tolerated: "failed",
  chosen: "skipped",
  lost: "skipped",
};

type EdgeState = "satisfied" | "neutral" | "dead";

export function predict(spec: WorkflowSpec, facts: Facts): Prediction {
  const natural = new Map<string, Ending>();
  for (const step of spec.steps) natural.set(step.id, endingOf(step, { natural, facts }));
  const isFailed = spec.timeoutMs !== undefined || spec.steps.some((step) => counts(spec, step, natural));
  for (const step of spec.finally ?? []) natural.set(step.id, outcomeOf(step, facts));
  const isLastBroken = (spec.finally ?? []).some(({ id }) => natural.get(id) !== "completed");
  const isStopped = spec.timeoutMs !== undefined || (isFailed && spec.mode !== "continue");
  const isCutShort = (step: StepSpec): boolean => isStopped && spec.mode === "complete_running" && failsAtFirst(step);
  const steps = new Map(
    allSteps(spec).map((step) => {
      const status = statusOf[natural.get(step.id)!];
      const isLast = spec.finally?.includes(step) === true;
      const may = allowed(status, !isLast && (isStopped || step.isRacer === true));
      // An attempt that may finish and fails is not followed by another, and then the failure is handled.
      const isHandler = spec.steps.some(
        (source) => isCutShort(source) && step.needs.some((need) => need.step === source.id && need.on === "failure"),
      );
      if (isHandler) return [step.id, new Set(["completed", "failed", "canceled", "skipped"])];
      return [step.id, new Set(isCutShort(step) && status === "completed" ? [...may, "failed"] : may)];
    }),
  );
  return { run: isFailed || isLastBroken ? "failed" : "completed", steps };
}

const failsAtFirst = ({ action }: StepSpec): boolean =>
  action.kind === "task" && (action.failures > 0 || action.items?.some(({ fails }) => fails) === true);

/** What a step may be in a run that somebody canceled, and in any other that was stopped. */
export function allowed(status: string, isStopped: boolean): readonly string[] {
  return isStopped && status !== "skipped" ? [status, "canceled", "skipped"] : [status];
}

interface Known {
  readonly natural: ReadonlyMap<string, Ending>;
  readonly facts: Facts;
}

function endingOf(step: StepSpec, { natural, facts }: Known): Ending {
  const edges = step.needs.map((need) => edgeState(need, step, natural));
  const hasSatisfied = edges.length === 0 || edges.includes("satisfied");
  const isRace = step.join !== undefined;
  if (!hasSatisfied || (!isRace && edges.includes("dead"))) return edges.includes("dead") ? "lost" : "chosen";
  if (step.when === false) return "chosen";
  return outcomeOf(step, facts);
}

function edgeState({ step, on }: Need, target: StepSpec, natural: ReadonlyMap<string, Ending>): EdgeState {
  const source = natural.get(step)!;
  if (on === "settled") return "satisfied";
  if (on === "failure") return source === "failed" || source === "tolerated" ? "satisfied" : "neutral";
  switch (source) {
    case "completed":
      return "satisfied";
    case "tolerated":
      return target.join === undefined ? "satisfied" : "neutral";
    case "chosen":
      return "neutral";
    default:
      return "dead";
  }
}

/** How a step ends that has started and is not stopped. */
function outcomeOf(step: StepSpec, facts: Facts): Ending {
  const failed = step.isTolerated === true ? "tolerated" : "failed";
  const { action, id } = step;
  if (facts.lost.has(id)) return failed;
  if (action.kind === "child") return facts.children.get(id) === "completed" ? "completed" : failed;
  if (action.kind !== "task") return "completed";
  if (action.timeoutMs !== undefined) return failed;
  if (action.items === undefined) return action.failures < 0 ? failed : "completed";
  const failures = action.items.filter(({ fails }, item) => fails || facts.lost.has(`${id}[${item}]`)).length;
  return failures > (action.tolerates ?? 0) ? failed : "completed";
}

/** Whether the failure of a step counts: nobody tolerates it, no handler starts, and its branch comes to an end. */
function counts(spec: WorkflowSpec, step: StepSpec, natural: ReadonlyMap<string, Ending>): boolean {
  if (natural.get(step.id) !== "failed") return false;
  const isHandled = spec.steps.some(({ id, needs }) => {
    const isStarted = natural.get(id) !== "chosen" && natural.get(id) !== "lost";
    return isStarted && needs.some((need) => need.on === "failure" && need.step === step.id);
  });
  return !isHandled && reachesEnd(spec, step, natural);
}

function reachesEnd(spec: WorkflowSpec, step: StepSpec, natural: ReadonlyMap<string, Ending>): boolean {
  const targets = spec.steps.filter(({ needs }) =>
    needs.some((need) => need.step === step.id && need.on === "success"),
  );
  if (targets.length === 0) return true;
  return targets.some((target) => {
    if (target.join !== undefined) return natural.get(target.id) === "lost" && reachesEnd(spec, target, natural);
    // The second dead edge finds the step skipped already, and that is an end.
    const dead = target.needs.filter((need) => edgeState(need, target, natural) === "dead").length;
    return dead > 1 || reachesEnd(spec, target, natural);
  });
}

import { isVisibleLeaf, ownerOf, phaseOf, timelineOf } from "./course.ts";
import type { Plan } from "./plan.ts";
import { buildTimeline, longestPaths } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/** Milliseconds by step id. */
export type Durations = ReadonlyMap<string, number>;

/** The longest way through a run in which nothing fails: what would have to be faster for the run to be faster. */
export interface CriticalPath {
  /** Milliseconds; without durations, the number of steps. */
  readonly ms: number;
  /** Ids of the steps on it, first to last. */
  readonly path: readonly string[];
}

/** What running steps at the same time gains. */
export interface SpeedUp {
  /** Sum of all durations: the time that one step after the other takes. */
  readonly sequentialMs: number;
  /** Lower bound of the time that the run takes: the critical path, or the work shared by `cap` slots. */
  readonly makespanMs: number;
  /** `sequentialMs / makespanMs`; 1 for a workflow without steps. */
  readonly speedUp: number;
}

/**
 * The critical path by the durations of past attempts: a step without one did not run and takes no time. Without
 * `durations` every step that runs when nothing fails counts 1. `onSuccess` and `finally` follow the main list.
 */
export function criticalPath(plan: Plan, durations?: Durations): CriticalPath {
  const weights = weightsOf(plan, durations);
  const timeline = expectedTimeline(plan, durations === undefined ? null : weights);
  const lengths = longestPaths(timeline, (step) => weights[step]!);
  let ms = 0;
  const path: string[] = [];
  for (const phase of [-1, plan.phases.onSuccess, plan.phases.onFailure, plan.phases.finally]) {
    if (phase === null) continue;
    const starts = phase < 0 ? rootsOf(plan) : [phase];
    const start = longest(starts, lengths);
    if (start === undefined) continue;
    ms += lengths[start]!;
    path.push(...follow({ plan, timeline, lengths, weights }, start));
  }
  return { ms, path };
}

/**
 * How much faster the run is than its steps one after the other: their sum, divided by the larger of the critical path and
 * `sum / cap`. No schedule is faster than that, and list scheduling comes close. A map counts as its duration says.
 */
export function speedUp(plan: Plan, durations?: Durations, cap = Infinity): SpeedUp {
  const weights = weightsOf(plan, durations);
  const sequentialMs = weights.reduce((sum, weight) => sum + weight, 0);
  const makespanMs = Math.max(criticalPath(plan, durations).ms, sequentialMs / cap);
  return { sequentialMs, makespanMs, speedUp: makespanMs === 0 ? 1 : sequentialMs / makespanMs };
}

/** Time of each step, by index; containers take none of their own. */
function weightsOf(plan: Plan, durations: Durations | undefined): Float64Array {
  const isExpected = durations === undefined ? expectedSteps(plan) : null;
  return Float64Array.from(plan.steps, ({ id, index }) => {
    if (!isVisibleLeaf(plan, index)) return 0;
    return durations === undefined ? isExpected![index]! : (durations.get(id) ?? 0);
  });
}

/** 1 for the steps that run when nothing fails and no condition says no. */
function expectedSteps(plan: Plan): Uint8Array {
  const { size, order } = timelineOf(plan);
  const isExpected = new Uint8Array(size);
  for (const node of order) {
    if (node >= size) continue;
    const { index, kind, incoming, join } = plan.steps[node]!;
    if (kind === "pool" || index === plan.phases.onFailure) continue;
    const owner = ownerOf(plan, index);
    if (owner >= 0 && isExpected[owner] === 0) continue;
    const satisfied = incoming.filter((edge) => {
      const { from, on } = plan.edges[edge]!;
      return (
        on === "settled" || on === "order" || join.kind === "settled" || (on === "success" && isExpected[from] === 1)
      );
    });
    const needed = incoming.length === 0 ? 0 : join.kind === "quorum" ? join.quorum : 1;
    if (satisfied.length >= needed) isExpected[index] = 1;
  }
  return isExpected;
}

/** Nothing waits for a failure that does not happen: `failure` edges count only where the handler is known to have run. */
function expectedTimeline(plan: Plan, measured: Float64Array | null): Timeline {
  const edges = plan.edges.filter(({ on, to }) => on !== "failure" || (measured !== null && measured[to]! > 0));
  if (edges.length === plan.edges.length) return timelineOf(plan);
  return buildTimeline({
    size: plan.steps.length,
    ownerOf: (step) => ownerOf(plan, step),
    isContainer: (step) => timelineOf(plan).ends[step] !== step,
    edges,
  });
}

function rootsOf(plan: Plan): readonly number[] {
  return plan.steps.filter(({ index }) => phaseOf(plan, index) < 0).map(({ index }) => index);
}

/** The first of the steps with the longest path. */
function longest(steps: readonly number[], lengths: Float64Array): number | undefined {
  let best: number | undefined;
  for (const step of steps) if (best === undefined || lengths[step]! > lengths[best]!) best = step;
  return best;
}

interface Walk {
  readonly plan: Plan;
  readonly timeline: Timeline;
  readonly lengths: Float64Array;
  readonly weights: Float64Array;
}

/** Ids of the steps that take time on the longest path from a step. */
function follow({ plan, timeline, lengths, weights }: Walk, start: number): readonly string[] {
  const { offsets, targets, size } = timeline;
  const path: string[] = [];
  let node: number | undefined = start;
  while (node !== undefined) {
    if (node < size && weights[node]! > 0) path.push(plan.steps[node]!.id);
    node = longest(Array.from(targets.subarray(offsets[node], offsets[node + 1])), lengths);
  }
  return path;
}

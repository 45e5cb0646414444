import { Heap } from "../state/heap.ts";
import { isContainer, isVisibleLeaf, membersOf, ownerOf, phaseOf, timelineOf } from "./course.ts";
import type { EdgeOn, EdgeOrigin, Plan } from "./plan.ts";
import { stepOf } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Questions about a plan. Steps are named by id; where an answer is about steps as people see them, the hidden group of
 * marked steps is replaced by its members.
 */

const indexes = new WeakMap<Plan, ReadonlyMap<string, number>>();

/** Index of the step with that id, or undefined. */
export function findStep(plan: Plan, id: string): number | undefined {
  let index = indexes.get(plan);
  if (index === undefined) {
    index = new Map(plan.steps.map((step) => [step.id, step.index]));
    indexes.set(plan, index);
  }
  return index.get(id);
}

/** Ids of the steps that a step waits for directly, in definition order; empty for an unknown id. */
export function dependenciesOf(plan: Plan, id: string): readonly string[] {
  return neighboursOf(plan, id, { edges: "incoming", end: "from" });
}

/** Ids of the steps that wait for a step directly, in definition order; empty for an unknown id. */
export function dependentsOf(plan: Plan, id: string): readonly string[] {
  return neighboursOf(plan, id, { edges: "outgoing", end: "to" });
}

function neighboursOf(
  plan: Plan,
  id: string,
  { edges, end }: { readonly edges: "incoming" | "outgoing"; readonly end: "from" | "to" },
): readonly string[] {
  const found = new Set<number>();
  for (const step of withGroup(plan, findStep(plan, id))) {
    for (const edge of plan.steps[step]![edges]) {
      for (const visible of unfoldGroup(plan, plan.edges[edge]![end])) found.add(visible);
    }
  }
  return toIds(plan, found);
}

/** A step and the hidden group around it, whose edges are its own too. */
function withGroup(plan: Plan, step: number | undefined): readonly number[] {
  if (step === undefined) return [];
  const owner = ownerOf(plan, step);
  return owner >= 0 && isGroup(plan, owner) ? [step, owner] : [step];
}

function unfoldGroup(plan: Plan, step: number): readonly number[] {
  return isGroup(plan, step) ? membersOf(plan, step) : [step];
}

function isGroup(plan: Plan, step: number): boolean {
  const { kind, hidden } = plan.steps[step]!;
  return hidden && kind === "block";
}

function toIds(plan: Plan, steps: Iterable<number>): readonly string[] {
  return [...steps].toSorted((a, b) => a - b).map((step) => plan.steps[step]!.id);
}

/**
 * Ids of all steps that come before a step on some way, blocks included, in definition order. Steps of `finally` come
 * after everything else, those of `onSuccess` and `onFailure` after the main list.
 */
export function ancestorsOf(plan: Plan, id: string): readonly string[] {
  const step = findStep(plan, id);
  if (step === undefined) return [];
  const { size, ends, offsets, targets, order } = timelineOf(plan);
  const isBefore = new Uint8Array(2 * size);
  isBefore[step] = 1;
  for (let place = order.length - 1; place >= 0; place -= 1) {
    const node = order[place]!;
    for (let arc = offsets[node]!; arc < offsets[node + 1]!; arc += 1)
      if (isBefore[targets[arc]!] === 1) isBefore[node] = 1;
  }
  const phase = phaseOf(plan, step);
  const found = plan.steps.filter(({ index, hidden }) => {
    if (hidden || index === step) return false;
    return isBefore[ends[index]!] === 1 || isEarlierPhase(plan, phaseOf(plan, index), phase);
  });
  return found.map((before) => before.id);
}

function isEarlierPhase(plan: Plan, before: number, phase: number): boolean {
  if (before === phase || phase < 0) return false;
  return before < 0 || phase === plan.phases.finally;
}

/**
 * Step indexes in topological order, ties in definition order: of the steps whose predecessors have all been listed, the
 * first one comes next. Shards of the shared context are merged in this order. A block stands where it starts.
 */
export function topologicalOrder(plan: Plan): readonly number[] {
  const timeline = timelineOf(plan);
  const { size, targets } = timeline;
  const indegrees = new Int32Array(2 * size);
  for (const target of targets) indegrees[target]! += 1;
  const starts = new Heap<number>((a, b) => a < b);
  for (let step = 0; step < size; step += 1) if (indegrees[step] === 0) starts.push(step);
  const sorted: number[] = [];
  for (let start = starts.pop(); start !== undefined; start = starts.pop()) {
    sorted.push(start);
    // The end of a block is no step of its own: what it releases is released at once.
    const open = [start];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (const target of releasedBy(timeline, node, indegrees)) (target < size ? starts : open).push(target);
    }
  }
  return sorted;
}

/** Nodes that nothing but this one was still before. */
function releasedBy({ offsets, targets }: Timeline, node: number, indegrees: Int32Array): Int32Array {
  return targets.subarray(offsets[node], offsets[node + 1]).filter((target) => {
    indegrees[target]! -= 1;
    return indegrees[target] === 0;
  });
}

/**
 * Ids of steps in layers: a step stands in the first layer in which everything before it has been. Blocks are not listed,
 * their members are; phases come after the main list.
 */
export function layers(plan: Plan): readonly (readonly string[])[] {
  const found: string[][] = [];
  const phases = [-1, plan.phases.onSuccess, plan.phases.onFailure, plan.phases.finally];
  const levels = startLevels(plan);
  let first = 0;
  for (const phase of phases) {
    if (phase === null) continue;
    for (const { id, index } of plan.steps) {
      if (!isVisibleLeaf(plan, index) || phaseOf(plan, index) !== phase) continue;
      (found[first + levels[index]!] ??= []).push(id);
    }
    first = found.length;
  }
  return found;
}

/** Number of steps on the longest way to the start of each step, by step index. */
export function startLevels(plan: Plan): Int32Array {
  const timeline = timelineOf(plan);
  const { size, order, offsets, targets } = timeline;
  const levels = new Int32Array(2 * size);
  for (const node of order) {
    const isWork = isVisibleLeaf(plan, stepOf(timeline, node));
    const level = levels[node]! + (isWork ? 1 : 0);
    for (let arc = offsets[node]!; arc < offsets[node + 1]!; arc += 1) {
      levels[targets[arc]!] = Math.max(levels[targets[arc]!]!, level);
    }
  }
  return levels.slice(0, size);
}

/** One edge as `braid plan` prints it. */
export interface EdgeView {
  /** Unique in the plan. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly on: EdgeOn;
  readonly origin: EdgeOrigin;
  readonly port: string | null;
}

/** All edges with the ids of their ends, hidden groups included, by target and then source in definition order. */
export function edgesOf(plan: Plan): readonly EdgeView[] {
  return plan.edges.map(({ from, to, on, origin, port }) => {
    const source = plan.steps[from]!.id;
    const target = plan.steps[to]!.id;
    const id = port === null ? `${source}->${target}` : `${source}:${port}->${target}`;
    return { id, from: source, to: target, on, origin, port };
  });
}

/**
 * Ids of the steps that could start when exactly the steps in `completed` have completed and nothing else has happened. A
 * block has completed when all its members have. Steps of `onFailure` never start this way.
 */
export function readySteps(plan: Plan, completed: ReadonlySet<string>): readonly string[] {
  const done = completedSteps(plan, completed);
  const ready: string[] = [];
  for (const { id, index } of plan.steps) {
    if (!isVisibleLeaf(plan, index) || done[index] === 1) continue;
    if (canStart(plan, index, done)) ready.push(id);
  }
  return ready;
}

/** Members stand behind their owners, so a walk from the end has seen all members of a block before the block. */
function completedSteps(plan: Plan, completed: ReadonlySet<string>): Uint8Array {
  const done = new Uint8Array(plan.steps.length);
  for (let step = plan.steps.length - 1; step >= 0; step -= 1) {
    const isDone =
      completed.has(plan.steps[step]!.id) ||
      (isContainer(plan, step) && membersOf(plan, step).every((member) => done[member] === 1));
    if (isDone) done[step] = 1;
  }
  return done;
}

function canStart(plan: Plan, step: number, done: Uint8Array): boolean {
  for (let around = step; around >= 0; around = ownerOf(plan, around)) {
    if (plan.steps[around]!.kind === "phase") return isPhaseOpen(plan, around, done);
    if (!isJoinMet(plan, around, done)) return false;
  }
  return true;
}

function isJoinMet(plan: Plan, step: number, done: Uint8Array): boolean {
  const { incoming, join } = plan.steps[step]!;
  if (incoming.length === 0) return true;
  const resolved = incoming.map((edge) => plan.edges[edge]!).filter(({ from }) => done[from] === 1);
  const satisfied = resolved.filter(({ on }) => on !== "failure").length;
  switch (join.kind) {
    case "all":
      return resolved.length === incoming.length && satisfied > 0;
    case "settled":
      return resolved.length === incoming.length;
    case "any":
    case "first":
      return satisfied > 0;
    case "quorum":
      return satisfied >= join.quorum;
    default:
      return join.kind satisfies never;
  }
}

function isPhaseOpen(plan: Plan, phase: number, done: Uint8Array): boolean {
  if (phase === plan.phases.onFailure) return false;
  const { onSuccess } = plan.phases;
  const isMainDone = plan.scopes[0]!.members.every((member) => done[member] === 1);
  return isMainDone && (phase === onSuccess || onSuccess === null || done[onSuccess] === 1);
}

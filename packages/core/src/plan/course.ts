import type { Plan } from "./plan.ts";
import { buildTimeline } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

const cache = new WeakMap<Plan, Timeline>();

/** The timeline of a plan. Made once for each plan and never stored. */
export function timelineOf(plan: Plan): Timeline {
  let timeline = cache.get(plan);
  if (timeline === undefined) {
    timeline = buildTimeline({
      size: plan.steps.length,
      ownerOf: (step) => ownerOf(plan, step),
      isContainer: (step) => isContainer(plan, step),
      edges: plan.edges,
    });
    cache.set(plan, timeline);
  }
  return timeline;
}

/** The block, group or phase that a step is a member of, or -1. */
export function ownerOf(plan: Plan, step: number): number {
  const { kind, scope } = plan.steps[step]!;
  return kind === "pool" || kind === "phase" ? -1 : plan.scopes[scope]!.owner;
}

/** Whether a step is a list of other steps: a block, a hidden group or a phase. */
export function isContainer(plan: Plan, step: number): boolean {
  const { kind } = plan.steps[step]!;
  return kind === "block" || kind === "phase";
}

/** Whether a step does something itself and is shown: everything but blocks and hidden steps. */
export function isVisibleLeaf(plan: Plan, step: number): boolean {
  return !plan.steps[step]!.hidden && !isContainer(plan, step);
}

/** Members of the list that a block, group or phase owns. */
export function membersOf(plan: Plan, step: number): readonly number[] {
  const { body } = plan.steps[step]!;
  return body === null ? [] : plan.scopes[body]!.members;
}

/** The list a step belongs to in the end: a phase's owner, or -1 for the main list. */
export function phaseOf(plan: Plan, step: number): number {
  let owner = step;
  while (owner >= 0 && plan.steps[owner]!.kind !== "phase") owner = ownerOf(plan, owner);
  return owner;
}

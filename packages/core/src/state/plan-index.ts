import type { Plan, PlanStep } from "../plan/plan.ts";

/** What the kernel looks up again and again and a plan does not say directly. Made once per plan, never stored. */
export interface PlanIndex {
  /** Members without incoming edges, by scope. */
  readonly roots: readonly (readonly number[])[];
  /** Number of scopes around a scope. */
  readonly depth: readonly number[];
  /** Whether a step has an incoming edge read as `failure` or `settled`: such members may start in a stopped scope. */
  readonly isRescuer: readonly boolean[];
  /** Targets of success and order edges, without joins that read them as `settled`: what needs this step. */
  readonly needers: readonly (readonly number[])[];
  /** Targets of failure edges: the handlers of a step. */
  readonly handlers: readonly (readonly number[])[];
  /** Sources of failure edges: what a step handles. */
  readonly handles: readonly (readonly number[])[];
  readonly stepByName: ReadonlyMap<string, number>;
}

const cache = new WeakMap<Plan, PlanIndex>();

export function indexOf(plan: Plan): PlanIndex {
  let index = cache.get(plan);
  if (index === undefined) {
    index = buildIndex(plan);
    cache.set(plan, index);
  }
  return index;
}

function buildIndex(plan: Plan): PlanIndex {
  const roots = plan.scopes.map((scope) => scope.members.filter((member) => plan.steps[member]!.incoming.length === 0));
  const depth: number[] = [];
  for (const scope of plan.scopes) depth.push(scope.parent < 0 ? 0 : depth[scope.parent]! + 1);
  return {
    roots,
    depth,
    isRescuer: plan.steps.map((step) => isRescuer(plan, step)),
    needers: plan.steps.map((step) => targets(plan, step, (on, to) => needs(on) && to.join.kind !== "settled")),
    handlers: plan.steps.map((step) => targets(plan, step, (on) => on === "failure")),
    handles: plan.steps.map((step) =>
      step.incoming
        .map((edge) => plan.edges[edge]!)
        .filter((edge) => edge.on === "failure")
        .map((edge) => edge.from),
    ),
    stepByName: new Map(plan.steps.map((step) => [step.id, step.index])),
  };
}

const needs = (on: string): boolean => on === "success" || on === "order";

function isRescuer(plan: Plan, step: PlanStep): boolean {
  if (step.incoming.length === 0) return false;
  if (step.join.kind === "settled") return true;
  return step.incoming.some((edge) => !needs(plan.edges[edge]!.on));
}

function targets(plan: Plan, step: PlanStep, wanted: (on: string, to: PlanStep) => boolean): readonly number[] {
  const found: number[] = [];
  for (const index of step.outgoing) {
    const edge = plan.edges[index]!;
    if (wanted(edge.on, plan.steps[edge.to]!)) found.push(edge.to);
  }
  return found;
}

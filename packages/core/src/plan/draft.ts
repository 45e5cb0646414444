import { quote } from "../definition/describe.ts";
import type { StepDefinition } from "../definition/model.ts";
import type { PlanEdge, RateLimit } from "./plan.ts";

/** The lists of a workflow, in the order in which a run works on them. */
export type Phase = "steps" | "onSuccess" | "onFailure" | "finally";

/** One list of steps while it is compiled. A group of marked steps is a list of its own inside a hidden block. */
export interface DraftList {
  readonly kind: "run" | "phase" | "block" | "group";
  readonly phase: Phase;
  /** The step that owns the list; null for the run's own. */
  readonly owner: DraftStep | null;
  /** Number of lists around it. */
  readonly depth: number;
  readonly members: DraftStep[];
}

/** One step of the plan to be. Its index is already final. */
export interface DraftStep {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly at: string;
  /** Null for hidden steps. */
  readonly definition: StepDefinition | null;
  readonly hidden: "group" | "phase" | "pool" | null;
  /** The list it stands in. Phases and pools stand in one without being members. */
  readonly list: DraftList;
  /** Place in the order of its list, or -1 where the list does not order it. */
  readonly position: number;
  /** Innermost pool around it, or around a pool. */
  readonly pool: DraftStep | null;
  /** What a pool limits: null for every other step. */
  readonly limits: { readonly maxConcurrent?: number; readonly rateLimit?: RateLimit } | null;
  /** The list it owns: a block's, a group's or a phase's. */
  body: DraftList | null;
}

/** An edge before it has an index. */
export type DraftEdge = Omit<PlanEdge, "index">;

/** The two members of the common list that hold two steps, or null where they stand in different phases. */
export interface Lifted {
  readonly list: DraftList;
  readonly a: DraftStep;
  readonly b: DraftStep;
}

/** Climbs from both steps to the list they have in common. One of them may hold the other: then `a === b`. */
export function liftToCommonList(from: DraftStep, to: DraftStep): Lifted | null {
  let a = from;
  let b = to;
  while (a.list !== b.list) {
    const climbA = a.list.depth >= b.list.depth;
    const owner = climbA ? a.list.owner : b.list.owner;
    if (owner === null || owner.hidden === "phase") return null;
    if (climbA) a = owner;
    else b = owner;
  }
  return { list: a.list, a, b };
}

/** How messages call a step: authors do not know the ids of hidden ones. */
export function describeStep(step: DraftStep): string {
  return step.hidden === null ? quote(step.id) : step.name;
}

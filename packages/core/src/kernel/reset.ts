import type { StepRow } from "../state/rows.ts";
import type { PlanEdge } from "../plan/plan.ts";
import { isByChoice, resolveEdge } from "./edge.ts";
import type { RunRetry } from "./event.ts";
import type { Work } from "./work.ts";

/** Steps that a retry runs again. Both in definition order; `reopened` blocks and maps keep what they have done. */
export interface Reset {
  readonly fresh: readonly number[];
  readonly reopened: readonly number[];
}

/**
 * Which steps a retry runs again.
 * - Of itself: failures that counted, canceled steps (not lost races), steps lost because of them, every step whose join
 *   counted an edge from one of these; of a failed block its members by the same rule.
 * - `from`: the step and all its descendants. `only`: the step.
 * - Hooks and `finally` always.
 * A block around a step that runs again is reopened, and so what depends on the block runs again too.
 */
export function chooseReset(work: Work, event: RunRetry): Reset {
  const chosen = new Selection(work);
  if (event.only !== undefined) {
    chosen.addAlone(event.only);
  } else if (event.from !== undefined) {
    chosen.add(event.from, reopensMap(work, event.from) ? "reopened" : "fresh");
    chosen.close(() => true);
  } else {
    eachFailed(work, [0], (member) => {
      const goesOn = work.step(member).body !== null && hasBegun(work, member);
      chosen.add(member, goesOn ? "reopened" : "fresh");
    });
    chosen.close((edge) => isCounted(work, edge));
  }
  const { onSuccess, onFailure, finally: last } = work.plan.phases;
  for (const phase of [onSuccess, onFailure, last]) if (phase !== null) chosen.addWhole(phase);
  return chosen.result();
}

/**
 * Steps lost or stopped because of a failure that counted, which this retry leaves as they are: in the run's own list, in
 * the blocks that it reopens, and in blocks in these that failed.
 */
export function lostBeside(work: Work, reset: Reset): readonly number[] {
  const blocks = reset.reopened.filter((step) => !work.step(step).isMap);
  const seeds: number[] = [];
  eachFailed(work, [0, ...blocks.map((step) => work.step(step).body!)], (member) => seeds.push(member));
  const lost = new Set(seeds);
  for (let step = seeds.pop(); step !== undefined; step = seeds.pop()) {
    for (const index of work.step(step).outgoing) {
      const edge = work.plan.edges[index]!;
      if (lost.has(edge.to) || !isLostBy(work, edge)) continue;
      lost.add(edge.to);
      seeds.push(edge.to);
    }
  }
  const again = new Set([...reset.fresh, ...reset.reopened]);
  return [...lost].filter((step) => !again.has(step) && isLostOrCanceled(work.state.steps[step]));
}

/** Calls back with what failed or was stopped by itself, in these scopes and in the blocks in them that did. */
function eachFailed(work: Work, scopes: number[], found: (member: number) => void): void {
  for (let scope = scopes.pop(); scope !== undefined; scope = scopes.pop()) {
    for (const member of work.plan.scopes[scope]!.members) {
      const row = work.state.steps[member];
      if (row === undefined || !isFailedByItself(row)) continue;
      found(member);
      const { body, isMap } = work.step(member);
      if (body !== null && !isMap && hasBegun(work, member)) scopes.push(body);
    }
  }
}

/** Whether a block or map was entered: one that failed or was skipped before that runs afresh, with its condition. */
function hasBegun(work: Work, owner: number): boolean {
  const row = work.state.steps[owner];
  if (row === undefined || row.status === "skipped" || row.readyAt === null) return false;
  return !work.step(owner).isMap || row.items !== null;
}

function isFailedByItself(row: StepRow): boolean {
  if (row.failure === "counted" || row.failure === "lost") return true;
  if (row.status === "canceled") return row.stopCause !== "join_lost";
  return row.status === "skipped" && (row.skipReason === "scope_failed" || row.skipReason === "run_canceled");
}

function isLostOrCanceled(row: StepRow | undefined): boolean {
  if (row === undefined) return false;
  return row.status === "canceled" || (row.status === "skipped" && !isByChoice(row.skipReason!));
}

/** A failed or stopped map repeats only its failed and unstarted items. */
function reopensMap(work: Work, step: number): boolean {
  const row = work.state.steps[step];
  const hasItems = work.step(step).isMap && row !== undefined && row.items !== null;
  return hasItems && (row.status === "failed" || row.status === "canceled");
}

/** Whether the edge took its target down: dead, and in time. */
function isLostBy(work: Work, edge: PlanEdge): boolean {
  const source = work.state.steps[edge.from];
  const target = work.state.steps[edge.to];
  if (source === undefined || target?.skipReason !== "upstream_failed" || !isCounted(work, edge)) return false;
  return resolveEdge(work.plan, edge, source) === "dead";
}

/** Whether the join of the edge's target was decided with the edge already resolved. */
function isCounted(work: Work, edge: PlanEdge): boolean {
  const from = work.state.steps[edge.from];
  const to = work.state.steps[edge.to];
  if (from === undefined || to === undefined) return true;
  const decidedAt = to.firedSeq > 0 ? to.firedSeq : to.settledSeq;
  return from.settledSeq <= decidedAt;
}

const inOrder = (steps: ReadonlySet<number>): readonly number[] => [...steps].toSorted((a, b) => a - b);

class Selection {
  readonly #work: Work;
  readonly #fresh = new Set<number>();
  readonly #reopened = new Set<number>();
  readonly #open: number[] = [];

  constructor(work: Work) {
    this.#work = work;
  }

  /** Adds a step, and reopens the blocks around it. */
  add(step: number, how: "fresh" | "reopened"): void {
    if (how === "fresh") this.addWhole(step);
    else if (!this.#fresh.has(step) && !this.#reopened.has(step)) {
      this.#reopened.add(step);
      this.#open.push(step);
    }
    const { owner } = this.#work.plan.scopes[this.#work.step(step).scope]!;
    if (owner >= 0 && this.#work.step(owner).kind !== "phase") {
      this.add(owner, hasBegun(this.#work, owner) ? "reopened" : "fresh");
    }
  }

  /** Adds a step with everything in it. */
  addWhole(step: number): void {
    const stack = [step];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (this.#fresh.has(next)) continue;
      this.#fresh.add(next);
      this.#reopened.delete(next);
      this.#open.push(next);
      const { body, isMap } = this.#work.step(next);
      if (body !== null && !isMap) stack.push(...this.#work.plan.scopes[body]!.members);
    }
  }

  addAlone(step: number): void {
    this.add(step, reopensMap(this.#work, step) ? "reopened" : "fresh");
    this.#open.length = 0;
  }

  /** Adds the targets of all edges that it follows, until there are no more. */
  close(isFollowed: (edge: PlanEdge) => boolean): void {
    for (let step = this.#open.pop(); step !== undefined; step = this.#open.pop()) {
      for (const index of this.#work.step(step).outgoing) {
        const edge = this.#work.plan.edges[index]!;
        if (!this.#fresh.has(edge.to) && isFollowed(edge)) this.add(edge.to, "fresh");
      }
    }
  }

  result(): Reset {
    return { fresh: inOrder(this.#fresh), reopened: inOrder(this.#reopened) };
  }
}

import type { StepRow } from "../state/rows.ts";
import { isByChoice, resolveEdge } from "./edge.ts";
import { isTerminal } from "./status.ts";
import type { StepError } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * Whether a failure counts. A failed step that is not tolerated is
 * - `pending` while one of its handlers (targets of its failure edges) may still start,
 * - `handled` once one has started,
 * - `open` when there is none or the last was skipped: then the failure counts as soon as a branch it took down has
 *   reached an end, and is made up for otherwise.
 *
 * A branch is the failed step and the steps lost after it. It has reached an end at a failed or lost step that nothing
 * needs (no success or order edge going out), and at a dead edge into a step that had been skipped before without its join having
 * fired. It goes no further at a dead edge into a join that has fired or still can; a join that a stop or a lost race takes
 * down later can no longer, and the branch goes on through it. `reachedEnd` marks the rows on such a branch, walking back
 * from its end, each row once; so all failures together cost O(edges).
 */

/** Decides where the failure of a row stands that has just failed and is not tolerated. */
export function openFailure(work: Work, row: StepRow): void {
  judge(work, row);
  if (work.state.index.needers[row.step]!.length === 0) markEnd(work, row);
}

/** Sets where the failure stands by what its handlers have done. */
export function judge(work: Work, row: StepRow): void {
  row.failure = "open";
  for (const handler of work.state.index.handlers[row.step]!) {
    const state = handlerState(work, handler);
    if (state === "started") row.failure = "handled";
    else if (state === "possible" && row.failure === "open") row.failure = "pending";
  }
}

function handlerState(work: Work, handler: number): "started" | "possible" | "never" {
  const row = work.state.steps[handler];
  if (row === undefined) return "possible";
  if (row.startedAt !== null) return "started";
  return isTerminal(row.status) ? "never" : "possible";
}

/** A step has started: the failures it is there to handle are handled. */
export function handlerStarted(work: Work, handler: number): void {
  for (const source of work.state.index.handles[handler]!) {
    const row = work.state.steps[source];
    if (row?.failure === "pending") {
      work.touch(row).failure = "handled";
      work.scopes.push(work.step(source).scope);
    }
  }
}

/** A step has settled without having started: failures it might have handled are open if it was their last chance. */
export function handlerGone(work: Work, handler: number): void {
  for (const source of work.state.index.handles[handler]!) {
    const row = work.state.steps[source];
    if (row?.failure !== "pending") continue;
    if (work.state.index.handlers[source]!.some((other) => handlerState(work, other) === "possible")) continue;
    work.touch(row).failure = "open";
    if (row.reachedEnd) count(work, row);
    work.scopes.push(work.step(source).scope);
  }
}

/** The branch through this failed or lost row has reached an end; so have all branches that led to it. */
export function markEnd(work: Work, start: StepRow): void {
  const stack = [start];
  for (;;) {
    const row = stack.pop();
    if (row === undefined) return;
    if (row.reachedEnd || !isOnBranch(row)) continue;
    work.touch(row).reachedEnd = true;
    if (row.status === "failed") {
      if (row.failure === "open") count(work, row);
      continue;
    }
    for (const index of work.step(row.step).incoming) {
      const edge = work.plan.edges[index]!;
      const source = work.state.steps[edge.from];
      if (source === undefined || !isTerminal(source.status)) continue;
      if (resolveEdge(work.plan, edge, source) === "dead" && source.settledSeq < row.settledSeq) stack.push(source);
    }
  }
}

const isOnBranch = (row: StepRow): boolean =>
  row.status === "failed" || (row.status === "skipped" && row.firedSeq === 0 && !isByChoice(row.skipReason!));

/** The failure counts: it fails its scope, whose mode decides about the other members. */
function count(work: Work, row: StepRow): void {
  work.touch(row).failure = "counted";
  const { scope } = work.step(row.step);
  const owner = scope === 0 ? work.touchRun() : work.touchStep(work.plan.scopes[scope]!.owner);
  owner.countedFailures += 1;
  work.stops.push(scope);
}

/** The error of a failing step; for one that was handling a failure, with that as its cause. */
export function withCause(work: Work, step: number, error: StepError): StepError {
  if (error.cause !== undefined) return error;
  for (const source of work.state.index.handles[step]!.toSorted((a, b) => a - b)) {
    const row = work.state.steps[source];
    if (row?.status !== "failed" || row.error === null) continue;
    const { code, message } = row.error;
    return { ...error, cause: { step: work.step(source).id, code, message } };
  }
  return error;
}

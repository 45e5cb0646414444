import { stopMember } from "./stop.ts";
import { isTerminal } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * Losers of a race: when a join cancels the rest, an unsettled step loses if something needs it (a success or order edge goes out) and
 * none of these edges leads to a step that is still pending; then the same is asked of its own sources. Failure and
 * settled edges, `output` and `finally` keep nothing alive. A loser is never a failure.
 */
export function cancelLosers(work: Work, winner: number): void {
  const losers = new Set<number>();
  const candidates = sourcesOf(work, winner);
  for (let next = candidates.shift(); next !== undefined; next = candidates.shift()) {
    if (losers.has(next) || !isLoser(work, next, losers)) continue;
    losers.add(next);
    candidates.push(...sourcesOf(work, next));
  }
  // All are found before any is stopped, and they stop in definition order, as the victims of a scope do.
  for (const loser of [...losers].toSorted((a, b) => a - b)) {
    stopMember(work, loser, { cause: "join_lost", isSoft: false });
  }
}

function sourcesOf(work: Work, step: number): number[] {
  return work.step(step).incoming.map((edge) => work.plan.edges[edge]!.from);
}

/** One that is being stopped for another reason is a loser too: what it needed may be stopped as well. */
function isLoser(work: Work, step: number, losers: ReadonlySet<number>): boolean {
  const row = work.state.steps[step];
  if (row !== undefined && isTerminal(row.status)) return false;
  const needers = work.state.index.needers[step]!;
  return needers.length > 0 && needers.every((needer) => losers.has(needer) || !isPending(work, needer));
}

function isPending(work: Work, step: number): boolean {
  const row = work.state.steps[step];
  return row === undefined || (row.status === "pending" && row.firedSeq === 0);
}

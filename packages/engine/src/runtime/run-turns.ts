import type { Report } from "./outbox.ts";
import type { RunWork } from "./run-work.ts";

interface Turn {
  /** Batches that hold the run. */
  batches: number;
  /** The work that another may be put on top of. */
  top: RunWork | null;
}

/** So many contended runs are remembered: those that others have ended are not heard of again. */
const MOST_CONTENDED = 1_000;

/**
 * Which runs are in batches, and whether the next batch may take them.
 *
 * A run is *free*, or *held* by a batch that is being computed, or *sent*: its commit is under way, and the next batch may compute
 * what comes next on top of it. Runs that others write as well, and such whose last commit was rejected, have nothing put on top.
 */
export class RunTurns {
  /** Runs whose last commit was rejected: their reports go one by one until the culprit is found. */
  readonly suspects = new Set<string>();
  /** Runs that others write as well: they are locked before they are computed, until nobody else has written them. */
  readonly contended = new Set<string>();
  readonly #turns = new Map<string, Turn>();

  /** Others have written the run. */
  contend(runId: string): void {
    const { contended } = this;
    contended.add(runId);
    if (contended.size <= MOST_CONTENDED) return;
    for (const oldest of contended) {
      contended.delete(oldest);
      return;
    }
  }

  /** Whether a batch may take these reports of the run now. */
  mayTake(runId: string, reports: readonly Report[]): boolean {
    const turn = this.#turns.get(runId);
    return turn === undefined || (turn.top?.mayCarry(reports) ?? false);
  }

  /** A batch takes these reports of the run. Answers the work that they have to be applied on top of, if there is one. */
  begin(runId: string, reports: readonly Report[]): RunWork | null {
    const turn = this.#turns.get(runId);
    if (turn === undefined) {
      this.#turns.set(runId, { batches: 1, top: null });
      return null;
    }
    const { top } = turn;
    turn.batches += 1;
    turn.top = null;
    if (top !== null) top.next = reports;
    return top;
  }

  /** The commit of the work is on its way. */
  sent(work: RunWork): void {
    const { id } = work.run;
    if (!this.suspects.has(id) && !this.contended.has(id)) this.#turns.get(id)!.top = work;
  }

  /** A batch is done with the run. */
  end(runId: string): void {
    const turn = this.#turns.get(runId)!;
    turn.batches -= 1;
    if (turn.batches === 0) this.#turns.delete(runId);
  }
}

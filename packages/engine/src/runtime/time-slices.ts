/**
 * How long a run may keep a place while others wait in the queue. Long enough that steps of a few milliseconds do not pay a claim
 * each, and so short that nobody notices who waits meanwhile.
 */
const SLICE_MS = 100;

/**
 * A kept place stands empty during a commit, another during a claim. It is kept while that is no longer than so many claims, or
 * than a busy store on the same machine takes.
 */
const MOST_CLAIMS = 2;
const SHORT_COMMIT_MS = 10;

/** Share of the latest in what a commit or claim takes. */
const WEIGHT = 1 / 8;

/**
 * Which places of a worker stay with the run that had them.
 *
 * A place that becomes free goes to whoever has waited longest in the queue, by a claim: one more statement and one more version of
 * a row, which is half of the cost of a step that does nothing. So a run has a place for a slice of time, as a process
 * has a processor. An attempt that ends within it leaves its place *kept*, and a task that its result makes ready takes it at once;
 * what nobody has taken when the result is applied is free, so that no place is empty until that is committed. Steps that last
 * longer than a slice never keep a place, and nobody does where commits are slow.
 */
export class TimeSlices {
  /** By token of the attempt: when the slice of its place is over. */
  readonly #ends = new Map<string, number>();
  /** By run: the ends of the slices of places that are kept for it. */
  readonly #kept = new Map<string, number[]>();
  /** What commits and claims take of late, milliseconds; null: not known. */
  #commitMs: number | null = null;
  #claimMs: number | null = null;
  /** One offer at a time whose commit is timed. */
  #timed: { readonly token: string; readonly at: number } | null = null;

  /** A claimed attempt has a place. */
  start(token: string, now: number): void {
    this.#ends.set(token, now + SLICE_MS);
  }

  /** A task is offered a place, and has it once that is committed: one that was kept, whose slice ends then, or a free one. */
  offer(token: string, now: number, keptUntil: number | null): void {
    this.#ends.set(token, keptUntil ?? now + SLICE_MS);
    this.#timed ??= { token, at: now };
  }

  /** What the task was offered with is committed. */
  begin(token: string, now: number): void {
    if (this.#timed?.token !== token) return;
    this.#commitMs = smoothed(this.#commitMs, now - this.#timed.at);
    this.#timed = null;
  }

  /** A claim took so long. */
  noteClaim(ms: number): void {
    this.#claimMs = smoothed(this.#claimMs, ms);
  }

  /** The attempt does not take place, or is over. */
  end(token: string): void {
    this.#ends.delete(token);
    if (this.#timed?.token === token) this.#timed = null;
  }

  /** The attempt is over. Answers whether its place is kept for the run; then `release` says when it is not any more. */
  keep(runId: string, token: string, now: number): boolean {
    const end = this.#ends.get(token);
    if (end === undefined || end <= now || this.#areCommitsSlow) return false;
    const kept = this.#kept.get(runId);
    if (kept === undefined) this.#kept.set(runId, [end]);
    else kept.push(end);
    return true;
  }

  get #areCommitsSlow(): boolean {
    if (this.#commitMs === null || this.#claimMs === null) return false;
    return this.#commitMs > Math.max(SHORT_COMMIT_MS, this.#claimMs * MOST_CLAIMS);
  }

  /** Takes a place that is kept for the run; the end of its slice, or null where none is kept. */
  take(runId: string): number | null {
    const kept = this.#kept.get(runId);
    if (kept === undefined) return null;
    const end = kept.shift()!;
    if (kept.length === 0) this.#kept.delete(runId);
    return end;
  }

  /** A result whose attempt kept its place is applied. Answers whether a place becomes free. */
  release(runId: string): boolean {
    return this.take(runId) !== null;
  }
}

const smoothed = (known: number | null, latest: number): number =>
  known === null ? latest : known + (latest - known) * WEIGHT;

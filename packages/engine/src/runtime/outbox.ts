import type { RunEvent } from "@braid/core";
import type { Fence, PayloadWrite } from "../store/run-commit.ts";

/** What became of a report. */
export type Outcome =
  /** Its event changed the run, and that is durable. */
  | { readonly kind: "accepted" }
  /** The kernel had no use for it: stale, a duplicate, or not possible in this status; `reason` says why. */
  | { readonly kind: "ignored"; readonly reason: string }
  /** The lease it was made under is gone: another attempt has taken its place. */
  | { readonly kind: "fenced" }
  /** The run does not exist, or cannot be carried on by this engine. */
  | { readonly kind: "failed"; readonly error: Error };

export type ReportKind = "event" | "timers" | "signals" | "due" | "acknowledge";

/** Something that has happened to a run and is not yet part of it. */
export interface Report {
  readonly runId: string;
  /** See `Outbox`. */
  readonly kind: ReportKind;
  /** Of kind `event`. */
  readonly event: RunEvent | null;
  /** The lease under which it was made. */
  readonly fence: Fence | null;
  readonly payload: PayloadWrite | null;
  /** Bytes of the payload, for the bound of a batch. */
  readonly bytes: number;
  /** Version of the run that the report presupposes: an older copy is brought up to date first. */
  readonly version: number;
  readonly settle: ((outcome: Outcome) => void) | null;
  /** Told when a batch has applied it and offered what became ready; each time, should that come to nothing. */
  readonly onApplied: (() => void) | null;
  /**
   * Whether the copy in memory is right for it: set once the run was read again because the kernel had no use for it.
   */
  readonly isChecked: boolean;
}

/**
 * Reports wait here for the next batch, grouped by run in order of arrival.
 *
 * - `event`: apply the event
 * - `timers`: apply what `dueTimers` gives by then; `signals`: deliver what the store keeps for the run
 * - `due`: the store says that there is something to do: all of that, and ask the state what it waits for
 * - `acknowledge`: tell the store that what the run was due for is done
 *
 * A report may be patient: it does not start a batch before its time, but goes with any that does.
 */
export class Outbox {
  readonly #runs = new Map<string, Report[]>();
  #count = 0;
  readonly #onUrgent: () => void;
  readonly #onPatient: (until: number) => void;

  constructor(callbacks: { onUrgent: () => void; onPatient: (until: number) => void }) {
    this.#onUrgent = callbacks.onUrgent;
    this.#onPatient = callbacks.onPatient;
  }

  get isEmpty(): boolean {
    return this.#runs.size === 0;
  }

  /** How many reports wait. */
  get count(): number {
    return this.#count;
  }

  /** Whether reports of one of these runs wait. */
  hasAny(runIds: Iterable<string>): boolean {
    for (const runId of runIds) if (this.#runs.has(runId)) return true;
    return false;
  }

  /** Adds a report. `until`: instant of the local clock up to which it may wait for company. */
  add(report: Report, until: number | null = null): void {
    const reports = this.#runs.get(report.runId);
    if (reports === undefined) this.#runs.set(report.runId, [report]);
    else reports.push(report);
    this.#count += 1;
    if (until === null) this.#onUrgent();
    else this.#onPatient(until);
  }

  /** Puts reports back that are older than all others of their run. */
  putBack(runId: string, reports: readonly Report[]): void {
    if (reports.length === 0) return;
    this.#runs.set(runId, [...reports, ...(this.#runs.get(runId) ?? [])]);
    this.#count += reports.length;
    this.#onUrgent();
  }

  /**
   * Takes reports of up to `runs` runs and up to `reports` in all, those of runs first that have waited longest. Runs that
   * `mayTake` refuses wait on.
   */
  take(
    { runs, reports: most }: { readonly runs: number; readonly reports: number },
    mayTake: (runId: string, reports: readonly Report[]) => boolean,
  ): Map<string, Report[]> {
    const taken = new Map<string, Report[]>();
    let room = most;
    for (const [runId, reports] of this.#runs) {
      if (taken.size >= runs || room <= 0) break;
      if (!mayTake(runId, reports)) continue;
      const part = reports.length > room ? reports.splice(0, room) : reports;
      if (part === reports) this.#runs.delete(runId);
      taken.set(runId, part);
      room -= part.length;
      this.#count -= part.length;
    }
    return taken;
  }

  /** Takes everything, to answer it with a fault. */
  drain(): Report[] {
    const reports = [...this.#runs.values()].flat();
    this.#runs.clear();
    this.#count = 0;
    return reports;
  }
}

/** A report of an event; unless `more` says otherwise no lease stands behind it. */
export function eventReport(runId: string, event: RunEvent, more: Partial<Report> = NOTHING): Report {
  const {
    fence = null,
    payload = null,
    bytes = 0,
    version = 0,
    settle = null,
    onApplied = null,
    isChecked = false,
  } = more;
  return { runId, kind: "event", event, fence, payload, bytes, version, settle, onApplied, isChecked };
}

const NOTHING: Partial<Report> = {};

/** A report that asks to look at the run. */
export function lookReport(runId: string, kind: Exclude<ReportKind, "event">): Report {
  return {
    runId,
    kind,
    event: null,
    fence: null,
    payload: null,
    bytes: 0,
    version: 0,
    settle: null,
    onApplied: null,
    isChecked: false,
  };
}

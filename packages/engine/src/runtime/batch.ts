import type { CommitAnswers, RunCommit } from "../store/run-commit.ts";
import type { BatchAnswers } from "./batch-answers.ts";
import { EngineError, messageOf } from "./errors.ts";
import type { LockedBatch, LoopContext } from "./loop-context.ts";
import type { Outbox, Report } from "./outbox.ts";
import type { CachedRun } from "./run-cache.ts";
import type { RunTurns } from "./run-turns.ts";
import type { RunWork } from "./run-work.ts";
import type { BatchRoom, Needs } from "./work-context.ts";

/** At most this much in one batch; a bound never splits a transition. */
const MOST_ROWS = 1_000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Reports of one run, and the work whose commit is still under way that they are to be computed on top of. */
export interface Taken {
  readonly reports: readonly Report[];
  readonly below: RunWork | null;
}

export interface BatchParts {
  readonly context: LoopContext;
  readonly turns: RunTurns;
  readonly outbox: Outbox;
  readonly answers: BatchAnswers;
  /** The commit is on its way: the next batch may be computed. */
  onSent(): void;
}

type Commit = (commits: readonly RunCommit[]) => Promise<CommitAnswers>;

/**
 * One batch: computes what reports make of their runs, and commits it.
 *
 * What has to be read first is waited for, but not by works on top of others: these come last and are computed in one go, or put
 * back. So when the commit below is answered, a work on top of it is either under way itself or has not begun.
 */
export class Batch {
  readonly #parts: BatchParts;
  readonly #room: BatchRoom = { rows: MOST_ROWS, bytes: MOST_BYTES };

  constructor(parts: BatchParts) {
    this.#parts = parts;
  }

  async run(taken: ReadonlyMap<string, Taken>): Promise<void> {
    const { context, turns } = this.#parts;
    const [first] = taken.keys();
    const locked = turns.contended.has(first!) ? await this.#lock(taken) : null;
    if (locked === null) {
      await this.#compute(taken, (commits) => context.commit(commits));
      return;
    }
    let isEnded = false;
    try {
      await this.#compute(taken, (commits) => {
        isEnded = true;
        // Without an answer the commit is repeated, which is harmless.
        return locked.commit(commits).catch(() => context.commit(commits));
      });
    } finally {
      if (!isEnded) await locked.release();
    }
  }

  /** Locks the runs. What cannot be locked is committed like any other. */
  async #lock(taken: ReadonlyMap<string, Taken>): Promise<LockedBatch | null> {
    const { context, turns } = this.#parts;
    const runs: CachedRun[] = [];
    for (const runId of taken.keys()) {
      const run = context.cachedRun(runId);
      if (run === undefined) turns.contended.delete(runId);
      else runs.push(run);
    }
    if (runs.length < taken.size) return null;
    // What was read before the lock must not come after what is read under it.
    await Promise.allSettled(runs.map(async ({ refreshing }) => refreshing));
    for (const run of runs) run.works += 1;
    const locked = await context.lock(runs);
    for (const [index, run] of runs.entries()) {
      run.works -= 1;
      if (locked?.isNewer[index] !== true) turns.contended.delete(run.id);
    }
    return locked;
  }

  async #compute(taken: ReadonlyMap<string, Taken>, commit: Commit): Promise<void> {
    const works: RunWork[] = [];
    for (const [runId, { reports, below }] of taken) {
      if (below !== null) continue;
      const work = this.#openCurrent(runId, reports) ?? (await this.#load(runId, reports));
      if (work !== null) works.push(work);
    }
    const broken = await this.#advance(works);
    const computed = broken.size === 0 ? works : works.filter((work) => !broken.has(work));
    for (const { reports, below } of taken.values()) {
      const work = below === null ? null : this.#stack(below, reports);
      if (work !== null) computed.push(work);
    }
    const toCommit: RunWork[] = [];
    for (const work of computed) {
      this.#parts.outbox.putBack(work.run.id, work.left);
      for (const { report } of work.applied) report.onApplied?.();
      if (work.draft.isEmpty) this.#parts.answers.settleIdle(work);
      else toCommit.push(work);
    }
    if (toCommit.length > 0) await this.#commit(toCommit, commit);
  }

  /** Opens a run that is in memory in the version that its reports presuppose. */
  #openCurrent(runId: string, reports: readonly Report[]): RunWork | null {
    const run = this.#parts.context.peekRun(runId, versionOf(reports));
    return run === null ? null : this.#open(run, reports);
  }

  async #load(runId: string, reports: readonly Report[]): Promise<RunWork | null> {
    try {
      const run = await this.#parts.context.loadRun(runId, versionOf(reports));
      if (run !== null) return this.#open(run, reports);
      const error = new EngineError("unknown_run", `There is no run \`${runId}\`.`);
      for (const report of reports) report.settle?.({ kind: "failed", error });
    } catch (error) {
      if (error instanceof EngineError && error.code === "engine_fault") throw error;
      for (const report of reports) report.settle?.({ kind: "failed", error: error as Error });
    }
    return null;
  }

  #open(run: CachedRun, reports: readonly Report[]): RunWork {
    run.works += 1;
    return this.#parts.context.newWork(run, this.#portion(run.id, reports), { room: this.#room, below: null });
  }

  /** All reports, or the first alone where one of them cannot be stored. */
  #portion(runId: string, reports: readonly Report[]): readonly Report[] {
    if (!this.#parts.turns.suspects.has(runId) || reports.length <= 1) return reports;
    this.#parts.outbox.putBack(runId, reports.slice(1));
    return reports.slice(0, 1);
  }

  /** Computes what comes on top of a work; null: it cannot be computed without waiting, and has to come later. */
  #stack(below: RunWork, reports: readonly Report[]): RunWork | null {
    const { context, outbox } = this.#parts;
    const { run } = below;
    // Refused meanwhile: these reports were put back with those below, behind them.
    if (below.isUndone) return null;
    // Nobody has it open once the one below is answered: then it may be brought up to date.
    if (run.isBehind || run.refreshing !== null) {
      below.next = [];
      outbox.putBack(run.id, reports);
      return null;
    }
    const work = context.newWork(run, reports, { room: this.#room, below: below.isAnswered ? null : below });
    run.works += 1;
    const broken = new Set<RunWork>();
    const needs = this.#advanceOne(work, broken);
    if (needs !== null) {
      work.undo();
      run.works -= 1;
      outbox.putBack(run.id, reports);
    }
    return needs === null && broken.size === 0 ? work : null;
  }

  /**
   * Lets all works go on until they can do no more. Answers those that failed: one broken run must not hold up the
   * others.
   */
  async #advance(works: readonly RunWork[]): Promise<ReadonlySet<RunWork>> {
    const broken = new Set<RunWork>();
    let open = works;
    while (open.length > 0) {
      const needs: (readonly [RunWork, Needs])[] = [];
      for (const work of open) {
        const needed = this.#advanceOne(work, broken);
        if (needed !== null) needs.push([work, needed]);
      }
      if (needs.length > 0) await this.#parts.context.provide(needs);
      open = needs.map(([work]) => work);
    }
    return broken;
  }

  #advanceOne(work: RunWork, broken: Set<RunWork>): Needs | null {
    try {
      return work.advance();
    } catch (error) {
      broken.add(work);
      this.#abandon(work, error);
      return null;
    }
  }

  #abandon(work: RunWork, cause: unknown): void {
    work.release();
    work.run.isBroken = true;
    const message = `Run \`${work.run.id}\` cannot be carried on: ${messageOf(cause)}`;
    const error = new EngineError("engine_fault", message, { cause });
    for (const report of [...work.taken, ...work.left]) report.settle?.({ kind: "failed", error });
    this.#parts.context.onBroken(work.run, error);
  }

  async #commit(works: readonly RunWork[], commit: Commit): Promise<void> {
    const { context, turns, answers: taker } = this.#parts;
    const sent = commit(works.map((work) => work.toCommit(context.newCommitId())));
    if (context.mostBatches > 1) for (const work of works) turns.sent(work);
    this.#parts.onSent();
    const { answers } = await sent;
    for (const [index, work] of works.entries()) {
      // Only after a lost connection an answer comes before that to the commit below.
      if (work.below !== null) await work.below.answered();
      taker.take(work, answers[index]!);
    }
  }
}

/** The version of a run that its reports presuppose. */
function versionOf(reports: readonly Report[]): number {
  let version = 0;
  for (const report of reports) version = Math.max(version, report.version);
  return version;
}

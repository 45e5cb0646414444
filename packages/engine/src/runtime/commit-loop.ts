import type { CommitAnswer, CommitAnswers, RunCommit } from "../store/port.ts";
import { EngineError, messageOf } from "./errors.ts";
import type { LockedBatch, LoopContext } from "./loop-context.ts";
import { Outbox } from "./outbox.ts";
import type { Outcome, Report } from "./outbox.ts";
import type { CachedRun } from "./run-cache.ts";
import type { RunWork } from "./run-work.ts";
import type { BatchRoom, Needs } from "./work-context.ts";

/** At most this much in one batch; a bound never splits a transition. */
const MOST_RUNS = 128;
const MOST_ROWS = 1_000;
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * The one place where runs change.
 *
 * The loop is *asleep* while the outbox is empty or holds only patient reports, *called* when it will take the next
 * batch as soon as what is going on has run, and at work while batches are computed and committed. Reports that
 * come meanwhile form the next batch, so throughput rises with load, and one report alone waits for nobody. While a server
 * carries out one batch the next is computed: as many may be under way as the store has use for, and a run is in one of them
 * at most. Its state in memory is what the last accepted commit made it, plus what that batch does.
 *
 * A refused commit is undone and its reports are applied again to the newer state, in the same order; reports of leases
 * that are gone are dropped. After a *fault* nothing is committed any more, and everybody who waits is told.
 */
export class CommitLoop {
  readonly outbox: Outbox;
  readonly #context: LoopContext;
  #isCalled = false;
  /** Reports of each batch that is under way. */
  readonly #underWay = new Set<readonly Report[]>();
  /** Runs in these batches. */
  readonly #busy = new Set<string>();
  #patientUntil = Number.POSITIVE_INFINITY;
  #cancelPatience: (() => void) | null = null;
  #fault: EngineError | null = null;
  readonly #idle: (() => void)[] = [];
  /** Runs whose last commit was rejected: their reports go one by one until the culprit is found. */
  readonly #suspects = new Set<string>();
  /** Runs that others write as well: they are locked before they are computed, until nobody else has written them. */
  readonly #contended = new Set<string>();

  constructor(context: LoopContext) {
    this.#context = context;
    this.outbox = new Outbox({ onUrgent: () => this.#call(), onPatient: (until) => this.#callAt(until) });
  }

  get fault(): EngineError | null {
    return this.#fault;
  }

  /** Resolves when everything that was reported is durable, or there has been a fault. */
  async settled(): Promise<void> {
    if (!this.outbox.isEmpty) this.#call();
    if (this.#isAsleep) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends the loop: whoever waits is told. */
  stop(fault: EngineError): void {
    if (this.#fault !== null) return;
    this.#fault = fault;
    this.#cancelPatience?.();
    this.#refuse();
    for (const report of [...this.#underWay].flat()) report.settle?.({ kind: "failed", error: fault });
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  get #isAsleep(): boolean {
    return !this.#isCalled && this.#underWay.size === 0;
  }

  #callAt(until: number): void {
    if (!this.#isAsleep || this.#fault !== null || until >= this.#patientUntil) {
      if (this.#fault !== null) this.#refuse();
      return;
    }
    this.#patientUntil = until;
    this.#cancelPatience?.();
    this.#cancelPatience = this.#context.clock.after(until - this.#context.clock.now(), () => this.#call());
  }

  #call(): void {
    if (this.#fault !== null) {
      this.#refuse();
      return;
    }
    if (this.#isCalled || this.#underWay.size >= this.#context.mostBatches) return;
    this.#isCalled = true;
    this.#cancelPatience?.();
    this.#cancelPatience = null;
    this.#patientUntil = Number.POSITIVE_INFINITY;
    // What is going on in this turn reports as well: it belongs into one batch.
    this.#context.clock.soon(() => {
      this.#isCalled = false;
      this.#work();
    });
  }

  #refuse(): void {
    for (const report of this.outbox.drain()) report.settle?.({ kind: "failed", error: this.#fault! });
  }

  #work(): void {
    const taken = this.#fault === null ? this.outbox.take(MOST_RUNS, this.#busy) : new Map<string, Report[]>();
    // What is left belongs to runs of another batch, which goes on with it.
    if (taken.size > 0) for (const runs of this.#split(taken)) void this.#batchOf(runs);
    else this.#settleIfAsleep();
  }

  #settleIfAsleep(): void {
    if (this.#isAsleep) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Runs to be locked apart from the others, which are computed meanwhile. */
  #split(taken: ReadonlyMap<string, readonly Report[]>): readonly ReadonlyMap<string, readonly Report[]>[] {
    const contended = new Map([...taken].filter(([runId]) => this.#contended.has(runId)));
    if (contended.size === 0 || contended.size === taken.size) return [taken];
    return [contended, new Map([...taken].filter(([runId]) => !contended.has(runId)))];
  }

  async #batchOf(taken: ReadonlyMap<string, readonly Report[]>): Promise<void> {
    const reports = [...taken.values()].flat();
    this.#underWay.add(reports);
    for (const runId of taken.keys()) this.#busy.add(runId);
    // Others may be taken while this batch is under way.
    if (!this.outbox.isEmpty) this.#call();
    try {
      await this.#batch(taken);
    } catch (error) {
      const fault =
        error instanceof EngineError && error.code === "engine_fault"
          ? error
          : new EngineError("engine_fault", `The engine failed: ${messageOf(error)}`, { cause: error });
      this.stop(fault);
      this.#context.onFault(fault);
    }
    this.#underWay.delete(reports);
    for (const runId of taken.keys()) this.#busy.delete(runId);
    if (this.#fault === null && !this.outbox.isEmpty) this.#call();
    this.#settleIfAsleep();
  }

  async #batch(taken: ReadonlyMap<string, readonly Report[]>): Promise<void> {
    const [first] = taken.keys();
    const locked = this.#contended.has(first!) ? await this.#lock(taken) : null;
    let isEnded = false;
    const commit = (commits: readonly RunCommit[]): Promise<CommitAnswers> => {
      if (locked === null) return this.#context.commit(commits);
      isEnded = true;
      // Without an answer the commit is repeated, which is harmless.
      return locked.commit(commits).catch(() => this.#context.commit(commits));
    };
    try {
      await this.#compute(taken, commit);
    } finally {
      if (!isEnded) await locked?.release();
    }
  }

  /** Locks the runs. What cannot be locked is committed like any other. */
  async #lock(taken: ReadonlyMap<string, readonly Report[]>): Promise<LockedBatch | null> {
    const runs: CachedRun[] = [];
    for (const runId of taken.keys()) {
      const run = this.#context.cachedRun(runId);
      if (run === undefined) this.#contended.delete(runId);
      else runs.push(run);
    }
    if (runs.length < taken.size) return null;
    for (const run of runs) run.isOpen = true;
    const locked = await this.#context.lock(runs);
    for (const [index, run] of runs.entries()) {
      run.isOpen = false;
      if (locked?.isNewer[index] !== true) this.#contended.delete(run.id);
    }
    return locked;
  }

  async #compute(
    taken: ReadonlyMap<string, readonly Report[]>,
    commit: (commits: readonly RunCommit[]) => Promise<CommitAnswers>,
  ): Promise<void> {
    const room: BatchRoom = { rows: MOST_ROWS, bytes: MOST_BYTES };
    const works: RunWork[] = [];
    for (const [runId, reports] of taken) {
      const work = await this.#open(runId, reports, room);
      if (work !== null) works.push(work);
    }
    const broken = await this.#advance(works);
    const toCommit: RunWork[] = [];
    for (const work of works) {
      if (broken.has(work)) continue;
      this.outbox.putBack(work.run.id, work.left);
      if (!work.draft.isEmpty) toCommit.push(work);
      else {
        work.run.isOpen = false;
        this.#settleIdle(work);
      }
    }
    if (toCommit.length > 0) await this.#commit(toCommit, commit);
  }

  async #open(runId: string, reports: readonly Report[], room: BatchRoom): Promise<RunWork | null> {
    let version = 0;
    for (const report of reports) version = Math.max(version, report.version);
    try {
      const run = this.#context.peekRun(runId, version) ?? (await this.#context.loadRun(runId, version));
      if (run !== null) {
        run.isOpen = true;
        return this.#context.newWork(run, this.#portion(runId, reports), room);
      }
      const error = new EngineError("unknown_run", `There is no run \`${runId}\`.`);
      for (const report of reports) report.settle?.({ kind: "failed", error });
    } catch (error) {
      if (error instanceof EngineError && error.code === "engine_fault") throw error;
      for (const report of reports) report.settle?.({ kind: "failed", error: error as Error });
    }
    return null;
  }

  /** All reports, or the first alone where one of them cannot be stored. */
  #portion(runId: string, reports: readonly Report[]): readonly Report[] {
    if (!this.#suspects.has(runId) || reports.length <= 1) return reports;
    this.outbox.putBack(runId, reports.slice(1));
    return reports.slice(0, 1);
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
      if (needs.length > 0) await this.#context.provide(needs);
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
    const message = `Run \`${work.run.id}\` cannot be carried on: ${messageOf(cause)}`;
    const error = new EngineError("engine_fault", message, { cause });
    for (const report of [...work.taken, ...work.left]) report.settle?.({ kind: "failed", error });
    this.#context.onBroken(work.run, error);
  }

  async #commit(
    works: readonly RunWork[],
    commit: (commits: readonly RunCommit[]) => Promise<CommitAnswers>,
  ): Promise<void> {
    const { answers } = await commit(works.map((work) => work.toCommit(this.#context.newCommitId())));
    for (const [index, work] of works.entries()) this.#take(work, answers[index]!);
  }

  #take(work: RunWork, answer: CommitAnswer): void {
    const runId = work.run.id;
    if (answer.kind !== "accepted" && answer.kind !== "repeat") work.undo();
    work.run.isOpen = false;
    switch (answer.kind) {
      case "accepted":
      case "repeat":
        this.#suspects.delete(runId);
        if (work.draft.finished !== null) this.#contended.delete(runId);
        work.run.version = answer.version;
        this.#context.onAccepted(work, answer);
        for (const { report, ignored } of work.applied) report.settle?.(outcomeOf(ignored));
        return;
      case "conflict":
        work.run.isBehind = true;
        if (this.#context.hasLocks) this.#contended.add(runId);
        this.outbox.putBack(runId, work.taken);
        return;
      case "fenced": {
        work.run.isBehind = true;
        const gone = new Set(answer.fences.map(({ token }) => token));
        const isFenced = ({ fence }: Report): boolean => fence !== null && gone.has(fence.token);
        this.outbox.putBack(
          runId,
          work.taken.filter((report) => !isFenced(report)),
        );
        for (const report of work.taken) if (isFenced(report)) report.settle?.({ kind: "fenced" });
        return;
      }
      case "rejected":
        this.#reject(work, answer.message);
        return;
      default:
        answer satisfies never;
    }
  }

  /** Data that cannot be stored fails the one task it came from; to find it, the reports are tried one by one. */
  #reject(work: RunWork, message: string): void {
    const runId = work.run.id;
    if (work.taken.length > 1) {
      this.#suspects.add(runId);
      this.outbox.putBack(runId, work.taken);
      return;
    }
    this.#suspects.delete(runId);
    const [report] = work.taken;
    if (report === undefined) return;
    const { event } = report;
    if (event?.type === "task.completed") {
      const { at, step, task, attempt } = event;
      const error = { code: "payload_invalid", message: `The store cannot keep the output: ${message}` };
      const failed = { type: "task.failed", at, step, task, attempt, error, retryable: false } as const;
      this.outbox.putBack(runId, [{ ...report, event: failed, payload: null, bytes: 0 }]);
      return;
    }
    const what = event?.type ?? report.kind;
    const error = new EngineError(
      "engine_fault",
      `The store cannot keep what \`${what}\` made of run \`${runId}\`: ${message}`,
    );
    report.settle?.({ kind: "failed", error });
  }

  /**
   * Nothing has changed. Before a report is dropped as stale the run is read once more: it may be this copy that is
   * behind.
   */
  #settleIdle(work: RunWork): void {
    const again: Report[] = [];
    for (const { report, ignored } of work.applied) {
      if (ignored !== null && report.isChecked !== true) again.push({ ...report, isChecked: true });
      else report.settle?.(outcomeOf(ignored));
    }
    if (again.length > 0) work.run.isBehind = true;
    this.outbox.putBack(work.run.id, again);
    this.#context.onIdle(work);
  }
}

const outcomeOf = (ignored: string | null): Outcome =>
  ignored === null ? { kind: "accepted" } : { kind: "ignored", reason: ignored };

import { Batch } from "./batch.ts";
import type { BatchParts, Taken } from "./batch.ts";
import { BatchAnswers } from "./batch-answers.ts";
import { EngineError, messageOf } from "./errors.ts";
import type { LoopContext } from "./loop-context.ts";
import { Outbox } from "./outbox.ts";
import type { Report } from "./outbox.ts";
import { RunTurns } from "./run-turns.ts";

/** Runs in one batch. */
const MOST_RUNS = 128;

/** Fewer reports are not worth two statements. */
const LEAST_SHARE = 16;

/**
 * The one place where runs change.
 *
 * The loop is *asleep* while the outbox is empty or holds only patient reports, *called* when it will take the next
 * batch as soon as what is going on has run, and at work while batches are computed and committed. Reports that
 * come meanwhile form the next batch, so throughput rises with load, and one report alone waits for nobody. While a server
 * carries out one batch the next is computed: as many may be under way as the store has use for. Whoever finds many reports
 * and nothing under way takes half of them, or else the server would wait for the whole, and then everybody for the server.
 *
 * A run may be in two batches, the second computed on top of the first. Its state in memory is what the last accepted commit made
 * it, plus what these do. The store takes the second only right after the first (`RunCommit.follows`).
 *
 * After a *fault* nothing is committed any more, and everybody who waits is told.
 */
export class CommitLoop {
  readonly outbox: Outbox;
  readonly #context: LoopContext;
  #isCalled = false;
  /** Reports of each batch that is under way. */
  readonly #underWay = new Set<readonly Report[]>();
  readonly #turns = new RunTurns();
  readonly #parts: BatchParts;
  #patientUntil = Number.POSITIVE_INFINITY;
  #cancelPatience: (() => void) | null = null;
  #fault: EngineError | null = null;
  readonly #idle: (() => void)[] = [];

  constructor(context: LoopContext) {
    this.#context = context;
    this.outbox = new Outbox({ onUrgent: () => this.#call(), onPatient: (until) => this.#callAt(until) });
    const common = { context, turns: this.#turns, outbox: this.outbox };
    const onSent = (): void => {
      if (!this.outbox.isEmpty) this.#call();
    };
    this.#parts = { ...common, answers: new BatchAnswers(common), onSent };
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
    if (this.#fault === null) {
      const bounds = { runs: MOST_RUNS, reports: this.#share };
      const taken = this.outbox.take(bounds, (runId, reports) => this.#turns.mayTake(runId, reports));
      // What is left belongs to runs of another batch, which goes on with it.
      for (const runs of this.#split(taken)) void this.#batchOf(runs);
    }
    this.#settleIfAsleep();
  }

  /** How many reports to take. */
  get #share(): number {
    const { count } = this.outbox;
    const isAlone = this.#underWay.size === 0 && this.#context.mostBatches > 1;
    // Nothing is put on top of a run that has to be locked: what it has is best done at once.
    return isAlone && count >= 2 * LEAST_SHARE && !this.outbox.hasAny(this.#turns.contended)
      ? Math.ceil(count / 2)
      : Number.POSITIVE_INFINITY;
  }

  #settleIfAsleep(): void {
    if (this.#isAsleep) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Runs to be locked apart from the others, which are computed meanwhile. */
  #split(taken: ReadonlyMap<string, readonly Report[]>): readonly ReadonlyMap<string, readonly Report[]>[] {
    const { contended } = this.#turns;
    if (taken.size === 0) return [];
    if (contended.size === 0) return [taken];
    const locked = new Map([...taken].filter(([runId]) => contended.has(runId)));
    const others = new Map([...taken].filter(([runId]) => !contended.has(runId)));
    return [locked, others].filter((part) => part.size > 0);
  }

  async #batchOf(runs: ReadonlyMap<string, readonly Report[]>): Promise<void> {
    const reports: Report[] = [];
    const taken = new Map<string, Taken>();
    for (const [runId, ofRun] of runs) {
      for (const report of ofRun) reports.push(report);
      taken.set(runId, { reports: ofRun, below: this.#turns.begin(runId, ofRun) });
    }
    this.#underWay.add(reports);
    // Others may be taken while this batch is under way.
    if (!this.outbox.isEmpty) this.#call();
    try {
      await new Batch(this.#parts).run(taken);
    } catch (error) {
      const fault =
        error instanceof EngineError && error.code === "engine_fault"
          ? error
          : new EngineError("engine_fault", `The engine failed: ${messageOf(error)}`, { cause: error });
      this.stop(fault);
      this.#context.onFault(fault);
    }
    this.#underWay.delete(reports);
    for (const runId of taken.keys()) this.#turns.end(runId);
    if (this.#fault === null && !this.outbox.isEmpty) this.#call();
    this.#settleIfAsleep();
  }
}

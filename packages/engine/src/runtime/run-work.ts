import { copyRunRow, copyStepRow, dueTimers, isTerminal, pendingCommands, restore, transition } from "@braid/core";
import type { Command, RunEvent, RunStatus, StepRow } from "@braid/core";
import { followUpAfterMs } from "../store/run-commit.ts";
import type { StoredSignal } from "../store/records.ts";
import type { Enqueue, RunCommit, TaskKey } from "../store/run-commit.ts";
import { CommitDraft } from "./commit-draft.ts";
import { answerControl, controlKeys, functionsOf } from "./control.ts";
import type { Report } from "./outbox.ts";
import { isChildOpen, OpenEnds } from "./open-ends.ts";
import { allRows } from "./run-cache.ts";
import type { CachedRun } from "./run-cache.ts";
import { RunView } from "./run-view.ts";
import { SignalDesk } from "./signal-desk.ts";
import { keyOf, TaskDesk } from "./task-desk.ts";
import { evaluateLimitKey, inOrder, limitKeyNeeds } from "./task-limits.ts";
import type { ParsedValue } from "./templates.ts";
import { merge, NO_VALUES } from "./value-cache.ts";
import type { ValueKey, Values } from "./value-cache.ts";
import { ValueReader } from "./value-reader.ts";
import type { Applied, BatchRoom, Needs, WorkContext } from "./work-context.ts";

type Evaluate = Extract<Command, { readonly type: "evaluate" }>;

const NONE: readonly Report[] = [];

/** Where a work stands. */
export interface WorkPlace {
  readonly room: BatchRoom;
  /** The work on the same run whose commit has not been answered: this one begins where that ends. */
  readonly below: RunWork | null;
}

/** A queued attempt whose limit has a name that is still to be evaluated. */
interface NameLimit {
  readonly type: "nameLimit";
  readonly task: Enqueue;
  readonly template: ParsedValue;
  readonly max: number;
}

/**
 * One run in a batch: applies reports to the state in memory and drafts the commit.
 *
 * `advance` goes on until it needs something from the store, until there is no room in the batch, or until all is done:
 *
 * 1. answers what the kernel asked for in between (evaluations, attempts withdrawn from this very draft), in the order
 *    asked
 * 2. delivers signals that somebody waits for
 * 3. applies the next report
 * 4. after the last, offers newly queued tasks to the workers here; one that is taken has started
 *
 * Until the commit is accepted everything can be undone: `undo` puts the state back. Another work may begin where this one ends
 * before that is known (`above`); it is undone first.
 */
export class RunWork {
  readonly run: CachedRun;
  readonly draft: CommitDraft;
  readonly applied: Applied[] = [];
  /** The work that this one begins on top of, until its commit is answered, and the one on top of this. */
  below: RunWork | null;
  above: RunWork | null = null;
  /** Reports that a batch has taken to apply them on top of this work, until it does. */
  next: readonly Report[] = NONE;
  isAnswered = false;
  isUndone = false;
  readonly #context: WorkContext;
  readonly #room: BatchRoom;
  readonly #reports: readonly Report[];
  #reader: ValueReader | null = null;
  #view: RunView | null = null;
  readonly #desk: SignalDesk;
  readonly #ends: OpenEnds;
  readonly #tasks: TaskDesk;
  readonly #todo: (Evaluate | NameLimit | RunEvent)[] = [];
  #done = 0;
  #taken = 0;
  #commit: RunCommit | null = null;
  #onAnswered: (() => void)[] | null = null;

  constructor(run: CachedRun, reports: readonly Report[], parts: WorkPlace & { readonly context: WorkContext }) {
    this.run = run;
    this.below = parts.below;
    parts.below?.carry(this);
    this.draft = new CommitDraft(run);
    this.#reports = reports;
    this.#context = parts.context;
    this.#room = parts.room;
    this.#desk = new SignalDesk(run);
    this.#ends = new OpenEnds(run);
    this.#tasks = new TaskDesk(this.draft, parts.context);
  }

  /** Values that its expressions read. Most works have none. */
  get reader(): ValueReader {
    this.#reader ??= new ValueReader(this.run, this.#context.values, (key) => this.valuesOf(key));
    return this.#reader;
  }

  get #sights(): RunView {
    this.#view ??= new RunView(this.reader, this.#context.surroundings);
    return this.#view;
  }

  /** Reports that found no room. */
  get left(): readonly Report[] {
    return this.#taken === this.#reports.length ? NONE : this.#reports.slice(this.#taken);
  }

  get taken(): readonly Report[] {
    return this.#reports.slice(0, this.#taken);
  }

  /** Goes on; answers what it needs, or null when it can do no more. */
  advance(): Needs | null {
    for (;;) {
      const next = this.#todo[this.#done];
      if (next !== undefined) {
        const needs = this.#do(next);
        if (needs !== null) return needs;
        this.#done += 1;
      } else if (this.#desk.isAsked) {
        if (!this.#desk.hasSignals) return { kind: "signals" };
        this.#deliver();
      } else if (this.#taken < this.#reports.length && this.#hasRoom()) {
        this.#taken += 1;
        this.#applyReport(this.#reports[this.#taken - 1]!);
      } else if (!this.#startOffered()) {
        return null;
      }
    }
  }

  toCommit(commitId: string): RunCommit {
    // A run is queued only while its group has no room; whoever is to start it may have died.
    const isQueued = this.run.state.run.status === "queued";
    if (isQueued || this.#ends.isAny) this.draft.followUpMs = followUpAfterMs;
    const commit = this.draft.toCommit(commitId, this.below?.place ?? { expectedVersion: this.run.version });
    this.#commit = commit;
    return commit;
  }

  /** Where in the line of the run's commits the next one stands. */
  get place(): { readonly expectedVersion: number; readonly follows: string } {
    const { expectedVersion, commitId } = this.#commit!;
    return { expectedVersion: expectedVersion + 1, follows: commitId };
  }

  /** Whether these reports may be applied on top of this work, whose commit is under way. */
  mayCarry(reports: readonly Report[]): boolean {
    if (this.isUndone || this.run.isBehind || this.draft.finished !== null) return false;
    const { expectedVersion } = this.place;
    return reports.every(({ kind, version }) => kind === "event" && version <= expectedVersion);
  }

  /** Another work begins where this one ends. */
  carry(work: RunWork): void {
    this.above = work;
    this.next = NONE;
    // The rows go on changing, and the commit may have to be sent again.
    Object.assign(this.#commit!, imagesOf(this.#commit!));
  }

  /** The commit was answered, or there was nothing to commit. */
  setAnswered(): void {
    this.isAnswered = true;
    if (this.below !== null) this.below.above = null;
    if (this.above !== null) this.above.below = null;
    for (const resolve of this.#onAnswered ?? []) resolve();
  }

  /** Resolves when the commit has been answered. */
  async answered(): Promise<void> {
    if (!this.isAnswered) await new Promise<void>((resolve) => (this.#onAnswered ??= []).push(resolve));
  }

  giveSignals(signals: readonly StoredSignal[]): void {
    this.#desk.give(signals);
  }

  /** Comes to nothing: gives back what workers had reserved, and is on top of nothing any more. */
  release(): void {
    if (this.below !== null) this.below.above = null;
    this.#tasks.release();
  }

  /** Puts the state back to what it was, and gives back what workers had reserved. */
  undo(): void {
    this.isUndone = true;
    this.release();
    restore(this.run.state, this.draft.changes);
    this.run.awaiting = null;
    this.run.openEnds = null;
  }

  /** What this work and those below have given a row; undefined: nothing. */
  valuesOf(key: ValueKey): Values | undefined {
    const below = this.below?.valuesOf(key);
    const write = this.draft.payloadOf(key);
    if (write === undefined) return below;
    const { run } = this;
    return merge(below ?? this.#context.values.get(run.id, run.state.run.epoch, key) ?? NO_VALUES, write);
  }

  #do(next: Evaluate | NameLimit | RunEvent): Needs | null {
    if (next.type === "evaluate") return this.#evaluate(next);
    if (next.type === "nameLimit") return this.#nameLimit(next);
    this.#apply(next);
    return null;
  }

  /** At least one report is always taken, whatever room there is: a bound never holds a run up for ever. */
  #hasRoom(): boolean {
    return this.#taken === 0 || (this.#room.rows > 0 && this.#room.bytes > 0);
  }

  #applyReport(report: Report): void {
    switch (report.kind) {
      case "event":
        this.#applyEvent(report, report.event!);
        return;
      case "timers":
        this.#fireTimers();
        break;
      case "signals":
        this.#desk.ask();
        break;
      case "due":
        this.#attend();
        break;
      case "acknowledge":
        this.draft.isForced = true;
        break;
      default:
        report.kind satisfies never;
    }
    this.applied.push({ report, ignored: null });
  }

  #applyEvent(report: Report, event: RunEvent): void {
    const ignored = this.#apply(event);
    this.applied.push({ report, ignored });
    if (ignored !== null) return;
    if (report.fence !== null) this.draft.addFence(report.fence);
    if (report.payload !== null) this.draft.addPayload(report.payload, report.bytes);
    this.#room.bytes -= report.bytes;
  }

  /** Applies an event; answers why it was ignored, or null. */
  #apply(event: RunEvent): string | null {
    const before = this.draft.rows;
    const result = transition(this.run.info.plan, this.run.state, event);
    if (result.ignored !== null) return result.ignored;
    this.draft.addTransition(result);
    if (event.type === "run.retry") this.draft.clearReset(result.changes);
    this.#room.rows -= this.draft.rows - before;
    if (this.#ends.isCollected) this.#closeEnds(event);
    for (const command of result.commands) this.#carryOut(command);
    return null;
  }

  /** What the event says of a task or child is what somebody was to say. */
  #closeEnds(event: RunEvent): void {
    if (event.type.startsWith("task.")) this.#ends.close("cancel", event as TaskKey);
    else if (event.type === "child.settled") {
      this.#ends.close("child", event);
      this.#ends.close("stop", event);
    }
  }

  #carryOut(command: Command): void {
    switch (command.type) {
      case "evaluate":
        this.#todo.push(command);
        return;
      case "startTask":
        this.#queue(command);
        return;
      case "cancelTask":
        this.#cancelTask(command);
        return;
      case "closeTask":
        this.draft.addClose(keyOf(command));
        return;
      case "awaitSignal":
        this.#desk.await(command);
        return;
      case "forgetSignal":
        this.#desk.forget(command);
        return;
      case "startChild":
        this.#commandChild(command, "start");
        return;
      case "cancelChild":
        this.#commandChild(command, "stop");
        return;
      case "finishRun":
        this.#finish(command.status);
        return;
      case "setTimer":
      case "clearTimer":
        // The run's `wakeAt` says it all.
        return;
      default:
        command satisfies never;
    }
  }

  #queue(command: TaskKey): void {
    const { concurrency, handler } = this.run.info.step(command.step).host;
    const fixed = this.#context.limits.ofHandler(handler);
    const task = this.#tasks.queue(command, fixed);
    if (concurrency === null) return;
    // A key without expressions is no template of the plan.
    const constant = { kind: "constant", value: concurrency.key } as const;
    const template = this.run.info.control(command.step).concurrencyKey ?? constant;
    this.#todo.push({ type: "nameLimit", task, template, max: concurrency.max });
  }

  #nameLimit({ task, template, max }: NameLimit): Needs | null {
    if (!this.#tasks.isQueued(task)) return null;
    const missing = this.reader.missing(limitKeyNeeds(this.#sights, task, template));
    if (missing.length > 0) return { kind: "values", keys: missing };
    const name = evaluateLimitKey(this.#sights, task, template);
    if (name.ok) {
      this.#tasks.limit(task, inOrder([...task.limits, this.#context.limits.ofKey(name.value, max)]));
      return null;
    }
    this.#tasks.drop(task);
    const error = { code: "input_unresolved", message: name.message };
    this.#apply({ type: "task.failed", at: this.#context.now(), ...keyOf(task), error, retryable: false });
    return null;
  }

  #commandChild(command: TaskKey, what: "start" | "stop"): void {
    if (!isChildOpen(this.run, command, what)) return;
    this.draft.children.push({ kind: what === "start" ? "start" : "cancel", ...keyOf(command) });
    this.#ends.add(what === "start" ? "child" : "stop", command);
  }

  #cancelTask(command: Extract<Command, { readonly type: "cancelTask" }>): void {
    const answer = this.#tasks.cancel(command);
    if (answer === null) this.#ends.add("cancel", command);
    else this.#todo.push(answer);
  }

  #finish(status: RunStatus): void {
    this.draft.finished = status;
    // Its parent has to hear of it; if nobody tells it, the run is due again.
    if (this.run.facts.parent !== null) this.draft.followUpMs = followUpAfterMs;
  }

  #evaluate({ step, task }: Evaluate): Needs | null {
    const { functions, maxPayloadBytes } = this.#context;
    const isElsewhere = functionsOf(this.run.info, step).some((name) => !functions.has(name));
    if (isElsewhere) {
      // Another process has the function; it finds the run due.
      this.#ends.add("evaluation", { step, task });
      return null;
    }
    const missing = this.reader.missing(controlKeys({ view: this.#sights, step, task }));
    if (missing.length > 0) return { kind: "values", keys: missing };
    const at = this.#context.now();
    const answer = answerControl({ view: this.#sights, step, task, at, functions, maxPayloadBytes });
    if (this.#apply(answer.event) !== null) return null;
    this.#ends.close("evaluation", { step, task });
    if (answer.payload !== null) this.draft.addPayload(answer.payload, answer.bytes);
    if (answer.runOutput !== null) this.draft.runOutput = answer.runOutput;
    this.#room.bytes -= answer.bytes;
    return null;
  }

  #fireTimers(): void {
    for (;;) {
      const events = dueTimers(this.run.state, this.#context.now());
      if (events.length === 0) return;
      const isAnyApplied = events.map((event) => this.#apply(event) === null).includes(true);
      if (!isAnyApplied) return;
    }
  }

  /**
   * The store says that there is something to do: what the state waits for is asked for again, and what is due is done.
   */
  #attend(): void {
    const { state, facts } = this.run;
    if (isTerminal(state.run.status)) {
      // A child keeps being due until its parent knows how it ended; whoever tells it acknowledges.
      if (facts.parent === null) this.draft.isForced = true;
      else this.draft.finished = state.run.status;
      return;
    }
    this.draft.isForced = true;
    for (const command of pendingCommands(state)) this.#carryOut(command);
    for (const row of allRows(state)) if (row.stopCause !== null) this.#stopAgain(row);
    this.#desk.ask();
    this.#fireTimers();
  }

  /** Whoever was to apply the answer, or to cancel the child, may have died. */
  #stopAgain(row: StepRow): void {
    if (row.status === "queued" || row.status === "running") this.#tasks.cancelAgain(row);
    else if (row.status === "waiting" && this.run.info.step(row.step).kind === "child") this.#commandChild(row, "stop");
  }

  #deliver(): void {
    for (const { event, signal } of this.#desk.match(this.#context.now())) {
      if (this.#apply(event) !== null) continue;
      this.draft.usedSignals.push(signal.id);
      const bytes = JSON.stringify(signal.payload).length;
      this.draft.addPayload({ step: event.step, task: event.task, output: signal.payload }, bytes);
      this.#room.bytes -= bytes;
    }
  }

  /** Lets workers here take what was queued. Answers whether anything has changed. */
  #startOffered(): boolean {
    const started = this.#tasks.offerAll();
    for (const event of started) this.#apply(event);
    return started.length > 0;
  }
}

/** The rows of a commit as they are now. */
function imagesOf({ run, steps, newSteps }: RunCommit): Pick<RunCommit, "run" | "steps" | "newSteps"> {
  const images = steps.map(copyStepRow);
  return {
    run: run === null ? null : copyRunRow(run),
    steps: images,
    ...(newSteps === undefined ? {} : { newSteps: new Set(images.filter((_, index) => newSteps.has(steps[index]!))) }),
  };
}

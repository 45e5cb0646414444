import { isTerminal } from "@braid/core";
import type { JsonValue, RowChange, RunStatus, StepRow, TraceEvent, Transition } from "@braid/core";
import type { CancelRequest, Enqueue, Fence, PayloadWrite, RunCommit, TaskKey } from "../store/run-commit.ts";
import { PlaceMap } from "./place-map.ts";
import type { Place } from "./place-map.ts";
import type { CachedRun } from "./run-cache.ts";

/** What is to be done for a run's child once the commit is accepted. */
export interface ChildCommand extends TaskKey {
  readonly kind: "start" | "cancel";
}

/** What a draft writes of one row's values. */
export interface DraftPayload extends Place {
  readonly write: PayloadWrite;
  readonly bytes: number;
}

/** Up to this many rows are looked through. */
const FEW = 12;

/** One run's part of a batch, put together transition by transition: last images of rows, and what goes with them. */
export class CommitDraft {
  readonly run: CachedRun;
  /** Of all transitions, in order: what `restore` needs if the commit is refused. */
  readonly changes: RowChange[] = [];
  readonly trace: TraceEvent[] = [];
  readonly enqueue = new PlaceMap<Enqueue>();
  readonly cancels: CancelRequest[] = [];
  readonly children: ChildCommand[] = [];
  readonly usedSignals: string[] = [];
  readonly #steps: StepRow[] = [];
  /** The same, once there are many. */
  #known: Set<StepRow> | null = null;
  readonly #newSteps = new Set<StepRow>();
  readonly #closes = new PlaceMap<TaskKey>();
  readonly #fences: Fence[] = [];
  readonly #payloads = new PlaceMap<DraftPayload>();
  #isRunChanged = false;
  runOutput: { readonly output: JsonValue } | null = null;
  /** Set by `finishRun`. */
  finished: RunStatus | null = null;
  followUpMs: number | null = null;
  /** Whether the store is to be told even if nothing has changed: the run was due, and is not any more. */
  isForced = false;

  constructor(run: CachedRun) {
    this.run = run;
  }

  /** Rows to be written so far: what a batch is measured by. */
  get rows(): number {
    return this.#steps.length;
  }

  get isEmpty(): boolean {
    return this.changes.length === 0 && this.cancels.length === 0 && this.usedSignals.length === 0 && !this.isForced;
  }

  addTransition(transition: Transition): void {
    for (const change of transition.changes) {
      this.changes.push(change);
      if (change.table === "run") this.#isRunChanged = true;
      else {
        this.#addStep(change.after);
        if (change.before === null) this.#newSteps.add(change.after);
      }
    }
    for (const event of transition.trace) this.trace.push(event);
  }

  #addStep(row: StepRow): void {
    if (this.#known === null) {
      if (this.#steps.includes(row)) return;
      this.#steps.push(row);
      if (this.#steps.length > FEW) this.#known = new Set(this.#steps);
    } else if (!this.#known.has(row)) {
      this.#known.add(row);
      this.#steps.push(row);
    }
  }

  /** Rows that a retry has put back lose their payloads. A map that goes on keeps its items. */
  clearReset(changes: readonly RowChange[]): void {
    for (const change of changes) {
      if (change.table !== "step" || change.before === null) continue;
      const { step, task, status, items } = change.after;
      const isReset = isTerminal(change.before.status) && !isTerminal(status);
      if (isReset && (task >= 0 || items === null)) this.addPayload({ step, task, clear: true }, 0);
    }
  }

  /** Queues an attempt. A number that was withdrawn comes again: the close of the first must not end the second. */
  addTask(task: Enqueue): void {
    if (this.#closes.get(task)?.attempt === task.attempt) this.#closes.delete(task);
    this.enqueue.set(task);
  }

  /**
   * Closes an attempt. Of several of one row only the first can be one that the store has: those after it were queued and withdrawn
   * within this draft.
   */
  addClose(key: TaskKey): void {
    if (this.#closes.get(key) === undefined) this.#closes.set(key);
  }

  addFence(fence: Fence): void {
    this.#fences.push(fence);
  }

  addPayload(write: PayloadWrite, bytes: number): void {
    const { step, task } = write;
    const known = this.#payloads.get(write);
    if (known === undefined || write.clear === true) this.#payloads.set({ step, task, write, bytes });
    else this.#payloads.set({ step, task, write: { ...known.write, ...write }, bytes: known.bytes + bytes });
  }

  /** What this draft writes of a row's values; undefined: nothing. */
  payloadOf(place: Place): PayloadWrite | undefined {
    return this.#payloads.get(place)?.write;
  }

  get payloads(): readonly DraftPayload[] {
    return this.#payloads.all;
  }

  toCommit(commitId: string, { expectedVersion, follows }: Pick<RunCommit, "expectedVersion" | "follows">): RunCommit {
    const { run, followUpMs } = this;
    const commit: RunCommit = {
      runId: run.id,
      commitId,
      expectedVersion,
      fences: this.#fences,
      run: this.#isRunChanged ? run.state.run : null,
      steps: this.#steps,
      newSteps: this.#newSteps,
      enqueue: this.enqueue.all,
      cancels: this.cancels,
      closes: this.#closes.all,
      payloads: this.#payloads.all.map(({ write }) => write),
      runOutput: this.runOutput,
      usedSignals: this.usedSignals,
      trace: this.trace,
    };
    // Most commits have neither, and are then all of one shape.
    if (follows !== undefined) Object.assign(commit, { follows });
    if (followUpMs !== null) Object.assign(commit, { followUpMs });
    return commit;
  }
}

import { isTerminal } from "@braid/core";
import type { JsonValue, RowChange, RunStatus, StepRow, TraceEvent, Transition } from "@braid/core";
import type { CancelRequest, Enqueue, Fence, PayloadWrite, RunCommit, TaskKey } from "../store/port.ts";
import type { CachedRun } from "./run-cache.ts";
import { rowKey } from "./row-key.ts";
import type { ValueKey } from "./value-cache.ts";

/** What is to be done for a run's child once the commit is accepted. */
export interface ChildCommand extends TaskKey {
  readonly kind: "start" | "cancel";
}

interface DraftPayload {
  write: PayloadWrite;
  bytes: number;
}

/** One run's part of a batch, put together transition by transition: last images of rows, and what goes with them. */
export class CommitDraft {
  readonly run: CachedRun;
  /** Of all transitions, in order: what `restore` needs if the commit is refused. */
  readonly changes: RowChange[] = [];
  readonly trace: TraceEvent[] = [];
  readonly enqueue = new Map<number, Enqueue>();
  readonly cancels: CancelRequest[] = [];
  readonly children: ChildCommand[] = [];
  readonly usedSignals: string[] = [];
  readonly #steps = new Set<StepRow>();
  readonly #newSteps = new Set<StepRow>();
  readonly #closes = new Map<number, TaskKey>();
  readonly #fences = new Map<string, Fence>();
  readonly #payloads = new Map<number, DraftPayload>();
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
    return this.#steps.size;
  }

  get isEmpty(): boolean {
    return this.changes.length === 0 && this.cancels.length === 0 && this.usedSignals.length === 0 && !this.isForced;
  }

  addTransition(transition: Transition): void {
    for (const change of transition.changes) {
      this.changes.push(change);
      if (change.table === "run") this.#isRunChanged = true;
      else {
        this.#steps.add(change.after);
        if (change.before === null) this.#newSteps.add(change.after);
      }
    }
    for (const event of transition.trace) this.trace.push(event);
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
    const key = rowKey(task.step, task.task);
    if (this.#closes.get(key)?.attempt === task.attempt) this.#closes.delete(key);
    this.enqueue.set(key, task);
  }

  addClose(key: TaskKey): void {
    this.#closes.set(rowKey(key.step, key.task), key);
  }

  addFence(fence: Fence): void {
    this.#fences.set(fence.token, fence);
  }

  addPayload(write: PayloadWrite, bytes: number): void {
    const key = rowKey(write.step, write.task);
    const known = this.#payloads.get(key);
    if (known === undefined || write.clear === true) {
      this.#payloads.set(key, { write, bytes });
      return;
    }
    known.write = { ...known.write, ...write };
    known.bytes += bytes;
  }

  /** What this draft writes of a row's values; undefined: nothing. */
  payloadOf({ step, task }: ValueKey): PayloadWrite | undefined {
    return this.#payloads.get(rowKey(step, task))?.write;
  }

  payloads(): Iterable<{ readonly write: PayloadWrite; readonly bytes: number }> {
    return this.#payloads.values();
  }

  toCommit(commitId: string, place: Pick<RunCommit, "expectedVersion" | "follows">): RunCommit {
    const { run } = this;
    return {
      runId: run.id,
      commitId,
      ...place,
      fences: [...this.#fences.values()],
      run: this.#isRunChanged ? run.state.run : null,
      steps: [...this.#steps],
      newSteps: this.#newSteps,
      enqueue: [...this.enqueue.values()],
      cancels: this.cancels,
      closes: [...this.#closes.values()],
      payloads: Array.from(this.#payloads.values(), ({ write }) => write),
      runOutput: this.runOutput,
      usedSignals: this.usedSignals,
      trace: this.trace,
      ...(this.followUpMs === null ? {} : { followUpMs: this.followUpMs }),
    };
  }
}

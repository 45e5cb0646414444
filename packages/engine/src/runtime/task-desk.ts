import { isOnlyWithdrawn } from "@braid/core";
import type { Command, RunEvent, StepRow } from "@braid/core";
import type { Enqueue, Resources, TaskKey, TaskLimit } from "../store/run-commit.ts";
import type { CommitDraft } from "./commit-draft.ts";
import type { CachedRun } from "./run-cache.ts";

const NONE: readonly RunEvent[] = [];

export interface TaskDeskContext {
  now(): number;
  /** Offers a task that is about to be queued to the workers of this process; a lease if one takes it. */
  offer(run: CachedRun, task: Enqueue): Enqueue["lease"];
  /** Takes an offer back that came to nothing. */
  withdraw(lease: NonNullable<Enqueue["lease"]>): void;
}

/** Attempts that one draft queues and cancels, and those of them that workers of this process take at once. */
export class TaskDesk {
  readonly #draft: CommitDraft;
  readonly #context: TaskDeskContext;
  readonly #unoffered: Enqueue[] = [];

  constructor(draft: CommitDraft, context: TaskDeskContext) {
    this.#draft = draft;
    this.#context = context;
  }

  /** Queues an attempt. One whose limits have still to be evaluated gets them with `limit`. */
  queue(key: TaskKey, limits: readonly TaskLimit[]): Enqueue {
    const { info, facts } = this.#draft.run;
    const { queue, handler, resources } = info.step(key.step).host;
    const task: Enqueue = {
      step: key.step,
      task: key.task,
      attempt: key.attempt,
      queue,
      handler,
      priority: facts.priority,
      limits,
      resources: resources as Resources | null,
      lease: null,
    };
    this.#draft.addTask(task);
    this.#unoffered.push(task);
    return task;
  }

  /** Whether the attempt is still queued by this draft. */
  isQueued(task: Enqueue): boolean {
    return this.#draft.enqueue.get(task) === task;
  }

  /** Replaces what is known of a queued attempt: its limits are evaluated. */
  limit(task: Enqueue, limits: readonly TaskLimit[]): void {
    const limited = { ...task, limits };
    this.#draft.enqueue.set(limited);
    this.#unoffered.splice(this.#unoffered.indexOf(task), 1, limited);
  }

  /** Takes back an attempt that cannot be queued. */
  drop(task: Enqueue): void {
    this.#draft.enqueue.delete(task);
  }

  /**
   * Asks the store to stop the attempt. One that this very draft has queued nobody has seen: it is answered at once.
   */
  cancel(command: Extract<Command, { readonly type: "cancelTask" }>): RunEvent | null {
    const own = this.#draft.enqueue.get(command);
    if (own?.attempt !== command.attempt) {
      const { cause, ifQueued } = command;
      this.#draft.cancels.push({ ...keyOf(command), cause, ifQueued });
      return null;
    }
    this.#draft.enqueue.delete(command);
    if (own.lease !== null) this.#context.withdraw(own.lease);
    return { type: "task.canceled", at: this.#context.now(), ...keyOf(command), started: own.lease !== null };
  }

  /** Asks again for the stop of an attempt: whoever was to apply the answer may have died. */
  cancelAgain({ step, task, attempt, stopCause }: StepRow): void {
    if (stopCause === null) return;
    this.#draft.cancels.push({ step, task, attempt, cause: stopCause, ifQueued: isOnlyWithdrawn(stopCause) });
  }

  /** Offers what was queued since the last time. What a worker takes starts with the commit: the events say so. */
  offerAll(): readonly RunEvent[] {
    if (this.#unoffered.length === 0) return NONE;
    const started: RunEvent[] = [];
    for (const task of this.#unoffered.splice(0)) {
      // Whoever has limits to pass has to stand in line.
      if (!this.isQueued(task) || task.limits.length > 0) continue;
      const lease = this.#context.offer(this.#draft.run, task);
      if (lease === null) continue;
      this.#draft.enqueue.set({ ...task, lease });
      const { step, task: index, attempt } = task;
      started.push({ type: "task.started", at: this.#context.now(), step, task: index, attempt });
    }
    return started;
  }

  /** Gives back what workers had reserved. */
  release(): void {
    for (const { lease } of this.#draft.enqueue.all) if (lease !== null) this.#context.withdraw(lease);
  }
}

export const keyOf = ({ step, task, attempt }: TaskKey): TaskKey => ({ step, task, attempt });

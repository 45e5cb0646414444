import { isTerminal } from "@braid/core";
import type { JsonObject, JsonValue, RunEvent } from "@braid/core";
import type { Store } from "../store/port.ts";
import type { TaskKey } from "../store/run-commit.ts";
import type { ChildCommand } from "./commit-draft.ts";
import { isBraidError } from "../errors.ts";
import { messageOf } from "./errors.ts";
import { noteChild } from "./open-ends.ts";
import { eventReport, lookReport } from "./outbox.ts";
import type { Outcome, Report } from "./outbox.ts";
import type { CachedRun } from "./run-cache.ts";
import type { ValueCache } from "./value-cache.ts";
import { ValueReader } from "./value-reader.ts";

type ChildSettled = Extract<RunEvent, { readonly type: "child.settled" }>;

export interface ChildRequest {
  readonly workflow: string;
  readonly input: JsonObject;
  readonly parent: CachedRun;
  readonly place: TaskKey;
  /** The same whoever starts the child, and however often. */
  readonly idempotencyKey: string;
}

/** A child that was created just now, or that was there. */
export interface StartedChild {
  readonly kind: "created" | "exists";
  readonly runId: string;
}

export interface ChildrenContext {
  readonly store: Store;
  now(): number;
  /** Creates the run, or finds that it exists. Throws an engine's error if the workflow or the input is not valid. */
  start(request: ChildRequest): Promise<StartedChild>;
  loadRun(runId: string): Promise<CachedRun | null>;
  /** What the parent's step says of its child: workflow and input. */
  childOf(parent: CachedRun, place: TaskKey): Promise<{ readonly workflow: string; readonly input: JsonValue }>;
  report(report: Report): void;
  onTrouble(what: string, error: unknown): void;
}

/**
 * Child runs. A child's idempotency key follows from its parent's step, task and attempt, so every part of this may be
 * repeated by any process: starting it again finds it, cancelling it again changes nothing, and its parent takes its
 * end once.
 *
 * A child that has ended keeps being due until its parent knows. Then it is acknowledged.
 */
export class Children {
  readonly #context: ChildrenContext;
  readonly #starting = new Map<string, Promise<string | null>>();

  constructor(context: ChildrenContext) {
    this.#context = context;
  }

  carryOut(parent: CachedRun, command: ChildCommand): void {
    void this.#carryOut(parent, command).catch((error: unknown) => {
      // The parent stays due: it, or another worker, tries again.
      this.#context.onTrouble(`${command.kind} a child of run \`${parent.id}\``, error);
    });
  }

  /** Tells the parent that a child has ended. */
  async deliver(child: CachedRun): Promise<void> {
    const { parent } = child.facts;
    if (parent === null || !isTerminal(child.state.run.status)) return;
    try {
      await this.#deliver(child, parent);
    } catch (error) {
      // The child stays due until its parent was told.
      this.#context.onTrouble(`tell run \`${parent.runId}\` how its child ended`, error);
    }
  }

  async #deliver(child: CachedRun, parent: NonNullable<CachedRun["facts"]["parent"]>): Promise<void> {
    const { status, error } = child.state.run;
    const { runId, ...place } = parent;
    const output = status === "completed" ? await this.#outputOf(child) : null;
    const event: ChildSettled = {
      type: "child.settled",
      at: this.#context.now(),
      ...place,
      status: status as ChildSettled["status"],
      ...(error === null ? {} : { message: error.message }),
    };
    const settle = (outcome: Outcome): void => {
      if (outcome.kind !== "failed") this.#context.report(lookReport(child.id, "acknowledge"));
    };
    const payload = output === null ? null : { step: place.step, task: place.task, output: output.value };
    this.#context.report(eventReport(runId, event, { payload, bytes: output?.bytes ?? 0, settle }));
  }

  async #carryOut(parent: CachedRun, command: ChildCommand): Promise<void> {
    const { step, task, attempt } = command;
    const key = `child:${parent.id}/${step}/${task}/${attempt}`;
    // A cancel may overtake the start, or find that whoever was to start it has died: then it is started to be
    // canceled.
    let starting = this.#starting.get(key);
    if (starting === undefined) {
      starting = this.#start(parent, { step, task, attempt }, key).finally(() => this.#starting.delete(key));
      this.#starting.set(key, starting);
    }
    const runId = await starting;
    if (runId === null || command.kind === "start") return;
    const settle = (outcome: Outcome): void => {
      if (outcome.kind !== "failed") noteChild(parent, command, "stopped");
    };
    this.#context.report(eventReport(runId, { type: "run.cancel", at: this.#context.now() }, { settle }));
  }

  /** Answers the child's id; null if there can be none, of which the parent was told. */
  async #start(parent: CachedRun, place: TaskKey, idempotencyKey: string): Promise<string | null> {
    let started: StartedChild;
    try {
      const { workflow, input } = await this.#context.childOf(parent, place);
      started = await this.#context.start({ workflow, input: input as JsonObject, parent, place, idempotencyKey });
    } catch (error) {
      if (!isBraidError(error) || !isOfDefinition(error.code)) throw error;
      const message = `The child run could not be started: ${messageOf(error)}`;
      const at = this.#context.now();
      this.#context.report(eventReport(parent.id, { type: "child.settled", at, ...place, status: "failed", message }));
      return null;
    }
    noteChild(parent, place, "started");
    if (started.kind === "exists") {
      const child = await this.#context.loadRun(started.runId);
      if (child !== null) await this.deliver(child);
    }
    return started.runId;
  }

  async #outputOf(child: CachedRun): Promise<{ readonly value: JsonValue; readonly bytes: number }> {
    const [payload] = await this.#context.store.readPayloads([{ runId: child.id, kind: "output" }]);
    const value = payload?.value ?? null;
    return { value, bytes: JSON.stringify(value).length };
  }
}

/** Errors that trying again would not cure. */
const isOfDefinition = (code: string): boolean =>
  code === "unknown_workflow" ||
  code === "invalid_input" ||
  code === "invalid_definition" ||
  code === "concurrency_conflict";

/**
 * Workflow and input of a child: as evaluated when its step became ready, or as the plan says where there was nothing
 * to evaluate.
 */
export async function childOf(
  parent: CachedRun,
  { step, task }: TaskKey,
  values: ValueCache,
): Promise<{ readonly workflow: string; readonly input: JsonValue }> {
  const planStep = parent.info.step(step);
  const { control } = planStep.host;
  const isEvaluated = task < 0 ? planStep.evaluates : planStep.evaluatesItems;
  if (isEvaluated) {
    const reader = new ValueReader(parent, values);
    const missing = reader.missing([{ step, task }]);
    if (missing.length > 0) await reader.fill(missing);
    const stored = reader.read(step, task).childInput as { workflow: string; input: JsonValue } | undefined;
    if (stored !== undefined) return stored;
  }
  return { workflow: control.workflow ?? "", input: (control.childInput as JsonValue | undefined) ?? {} };
}

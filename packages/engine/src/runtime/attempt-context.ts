import { stepRow } from "@braid/core";
import type { JsonObject, JsonValue } from "@braid/core";
import type { EvaluatedPayload, StepContext, StepLogger } from "../steps/step-type.ts";
import { lazyDeps, prevOf } from "./function-input.ts";
import type { RunView } from "./run-view.ts";
import type { Sight } from "./sight.ts";

/** What the attempt itself gives its handler. */
export interface AttemptHandle {
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly logger: StepLogger;
  heartbeat(): void;
  progress(value: JsonValue): void;
}

export interface ContextParts {
  readonly view: RunView;
  readonly sight: Sight;
  readonly handle: AttemptHandle;
  readonly payload: EvaluatedPayload;
  /** The run's input for functions, the evaluated `with` for step types. */
  readonly input: JsonValue;
  readonly services: Readonly<Record<string, unknown>>;
}

/**
 * The one frozen object that a handler sees. Members that cost something are made when they are read, and are
 * properties of the object itself, so that a step type may put its own input in front of them.
 */
export function attemptContext({ view, sight, handle, payload, input, services }: ContextParts): StepContext {
  const { step, task } = sight;
  const planStep = view.run.info.step(step);
  const item = view.item(sight);
  let deps: StepContext["deps"] | undefined;
  let context: JsonObject | undefined;
  return Object.freeze({
    input,
    get deps() {
      return (deps ??= lazyDeps(view, sight));
    },
    get prev() {
      return prevOf(view, sight);
    },
    item: item?.value,
    index: item?.index,
    get signal() {
      return handle.signal;
    },
    get logger() {
      return handle.logger;
    },
    get context() {
      return (context ??= view.contextOf(sight));
    },
    attempt: handle.attempt,
    idempotencyKey: idempotencyKey(sight, planStep.id),
    heartbeat: () => handle.heartbeat(),
    progress: (value: JsonValue) => handle.progress(value),
    runId: view.run.id,
    stepId: planStep.id,
    taskIndex: Math.max(0, task),
    streamId: `${view.run.id}/${planStep.id}/${Math.max(0, task)}`,
    branchId: branchOf(sight),
    services,
    payload,
  });
}

/** The same for every attempt of a task; another once a completed step was run again on purpose. */
function idempotencyKey(sight: Sight, stepId: string): string {
  const key = `${sight.state.runId}/${stepId}/${Math.max(0, sight.task)}`;
  const { resets } = sight;
  return resets === 0 ? key : `${key}/${resets}`;
}

/** The block or map around the step, or `main`: steps of one branch share it. */
function branchOf({ info, state, step }: Sight): string {
  const { owner } = info.plan.scopes[info.step(step).scope]!;
  if (owner < 0 || stepRow(state, owner) === undefined) return "main";
  return info.step(owner).id;
}

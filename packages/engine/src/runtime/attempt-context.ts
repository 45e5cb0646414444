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

/** Where the context's members come from that are made when they are read. Whoever prints a context sees none of it. */
class Source {
  readonly #parts: ContextParts;
  #deps: StepContext["deps"] | null = null;
  #context: JsonObject | null = null;

  constructor(parts: ContextParts) {
    this.#parts = parts;
  }

  get deps(): StepContext["deps"] {
    return (this.#deps ??= lazyDeps(this.#parts.view, this.#parts.sight));
  }

  get prev(): JsonValue | undefined {
    return prevOf(this.#parts.view, this.#parts.sight);
  }

  get signal(): AbortSignal {
    return this.#parts.handle.signal;
  }

  get logger(): StepLogger {
    return this.#parts.handle.logger;
  }

  get context(): JsonObject {
    return (this.#context ??= this.#parts.view.contextOf(this.#parts.sight));
  }
}

const SOURCE = Symbol("braid.source");

/**
 * Accessors that all contexts share. They are found by a key of the object and not by a closure, because an object with
 * closures of its own as accessors is a dictionary to V8, of three times the size and twice the time.
 */
const LAZY_MEMBERS = (["deps", "prev", "signal", "logger", "context"] as const).map((name) => ({
  name,
  descriptor: {
    enumerable: true,
    get(this: { readonly [SOURCE]: Source }): unknown {
      return this[SOURCE][name];
    },
  },
}));

/**
 * The one frozen object that a handler sees. Members that cost something are made when they are read, and are
 * properties of the object itself, so that a step type may put its own input in front of them, and a handler may spread
 * it.
 */
export function attemptContext(parts: ContextParts): StepContext {
  const { view, sight, handle } = parts;
  const planStep = view.run.info.step(sight.step);
  const item = view.item(sight);
  const taskIndex = Math.max(0, sight.task);
  const streamId = `${view.run.id}/${planStep.id}/${taskIndex}`;
  const { resets } = sight;
  const context = {
    [SOURCE]: new Source(parts),
    input: parts.input,
    item: item?.value,
    index: item?.index,
    attempt: handle.attempt,
    // The same for every attempt of a task; another once a completed step was run again on purpose.
    idempotencyKey: resets === 0 ? streamId : `${streamId}/${resets}`,
    heartbeat: () => handle.heartbeat(),
    progress: (value: JsonValue) => handle.progress(value),
    runId: view.run.id,
    stepId: planStep.id,
    taskIndex,
    streamId,
    branchId: branchOf(sight),
    services: parts.services,
    payload: parts.payload,
  };
  for (const { name, descriptor } of LAZY_MEMBERS) Object.defineProperty(context, name, descriptor);
  return Object.freeze(context) as unknown as StepContext;
}

/** The block or map around the step, or `main`: steps of one branch share it. */
function branchOf({ info, state, step }: Sight): string {
  const { owner } = info.plan.scopes[info.step(step).scope]!;
  if (owner < 0 || stepRow(state, owner) === undefined) return "main";
  return info.step(owner).id;
}

import type { JsonObject, JsonValue } from "@braid/core";

/** What a handler may tell the runtime besides its output. */
export interface StepResult {
  readonly output: JsonValue;
  /** Output ports that are active; absent: all. */
  readonly activePorts?: readonly string[];
}

/** One frozen object per attempt: all that a handler sees. */
export interface StepContext<Input = JsonValue> {
  /** The run's input for functions; the evaluated `with` for step types. */
  readonly input: Input;
  /** Outputs of the steps this one depends on, by id; lazy. */
  readonly deps: { readonly [step: string]: JsonValue | undefined };
  /** Output of the step before, in a sequential list. */
  readonly prev: JsonValue | undefined;
  readonly item: JsonValue | undefined;
  readonly index: number | undefined;
  /** Aborted on cancel, timeout and loss of the lease; the reason says which. */
  readonly signal: AbortSignal;
  readonly logger: StepLogger;
  /** Shared context as it had reached this step: merged shards. */
  readonly context: JsonObject;
  readonly attempt: number;
  /** The same for every attempt of one task: `run/step/task`, with `/n` after n resets of a completed step. */
  readonly idempotencyKey: string;
  readonly heartbeat: () => void;
  readonly progress: (value: JsonValue) => void;
  readonly runId: string;
  readonly stepId: string;
  readonly taskIndex: number;
  readonly streamId: string;
  readonly branchId: string;
  readonly services: Readonly<Record<string, unknown>>;
  /** Evaluated payload beside `with`: what built-in types such as `command` need. */
  readonly payload: EvaluatedPayload;
}

export interface StepLogger {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** Raw output of a program, split into lines and masked by the runtime. */
  write(stream: "stdout" | "stderr", chunk: Uint8Array | string): void;
}

/** `PlanPayload` after its templates were evaluated and its durations resolved. */
export interface EvaluatedPayload {
  readonly with?: JsonValue;
  /** The script, with each expression replaced by a reference to a variable of `env`. */
  readonly run?: string;
  readonly command?: string | readonly string[];
  readonly params?: JsonObject;
  /** Declared variables and the values of expressions used in `run`. Secrets are in here, unmasked. */
  readonly env: Readonly<Record<string, string>>;
  readonly shell?: string;
  readonly workingDirectory: string;
  /** Milliseconds, or null: the worker enforces it through `signal`. */
  readonly timeoutMs: number | null;
  /** Variables of the worker's own environment that the program may see. */
  readonly inheritedEnv: Readonly<Record<string, string>>;
}

/** A step type: what runs an attempt. */
export interface StepType {
  readonly name: string;
  /** Throws `StepFailure` for a failure with a code of its own; any other error is `handler_error`. */
  run(context: StepContext): Promise<StepResult>;
  /** Checked when a workflow is validated; diagnostics carry the message. */
  readonly checkInput?: (input: JsonValue) => readonly string[];
}

/** Thrown by a handler to fail the attempt with a code, or to steer retries. */
export class StepFailure extends Error {
  readonly code: string;
  readonly retryable: boolean | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StepFailure";
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}

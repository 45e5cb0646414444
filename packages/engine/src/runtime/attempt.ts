import type { JsonValue } from "@braid/core";
import { createStepLogger } from "../observe/step-logger.ts";
import type { AttemptLogger } from "../observe/step-logger.ts";
import { encodePayload } from "../payload/codec.ts";
import type { EvaluatedPayload, StepResult } from "../steps/step-type.ts";
import type { TaskKey } from "../store/port.ts";
import { attemptContext } from "./attempt-context.ts";
import { evaluatePayload, payloadKeys } from "./attempt-payload.ts";
import { completeResult, describeFailure } from "./attempt-result.ts";
import type { AttemptEnd, ResultParts } from "./attempt-result.ts";
import { AttemptStopped } from "./attempt-setting.ts";
import type { AttemptContext, StopReason } from "./attempt-setting.ts";
import type { Handler } from "./registry.ts";
import type { CachedRun } from "./run-cache.ts";
import { RunView } from "./run-view.ts";
import type { SecretValues } from "./secrets.ts";
import { ValueReader } from "./value-reader.ts";

/** What the code of an attempt came to. `abandoned`: it was told to stop and did not end within the grace time. */
type CodeEnd =
  | { readonly kind: "returned"; readonly result: StepResult }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "unresolved"; readonly message: string }
  | { readonly kind: "abandoned" };

/**
 * One attempt that runs in this process under a lease.
 *
 * It is *preparing* (reading values, evaluating its payload), then *running* (its handler), then *ended*. At any time
 * it may be told to stop, once: the signal is aborted, and the handler has the grace time to end. What it reports is
 * decided by why it was stopped: after a timeout a failure, whatever the handler says; after a cancel its result if it
 * completed all the same, else that it was stopped; after the loss of the lease nothing, because another attempt has
 * taken its place.
 */
export class Attempt {
  readonly run: CachedRun;
  readonly key: TaskKey;
  readonly token: string;
  readonly #context: AttemptContext;
  #stop: StopReason | null = null;
  #controller: AbortController | null = null;
  #logger: AttemptLogger | null = null;
  #secrets: SecretValues | null = null;
  #giveUp: (() => void) | null = null;
  #cancelTimeout: (() => void) | null = null;
  #cancelGrace: (() => void) | null = null;
  #isOver = false;
  #progress: JsonValue | undefined;
  /** Settles with the handler, once it was started: an abandoned one goes on in it. */
  code: Promise<void> | null = null;
  /** Whether the handler has been started and has not ended. */
  isCodeRunning = false;

  constructor(parts: { run: CachedRun; key: TaskKey; token: string; context: AttemptContext }) {
    this.run = parts.run;
    this.key = parts.key;
    this.token = parts.token;
    this.#context = parts.context;
  }

  get stopReason(): StopReason | null {
    return this.#stop;
  }

  /** The latest progress since it was asked last. */
  takeProgress(): JsonValue | undefined {
    const progress = this.#progress;
    this.#progress = undefined;
    return progress;
  }

  /** Tells the code to stop. Only the first reason counts, except that nothing is reported once the lease is gone. */
  stop(reason: StopReason): void {
    if (this.#isOver) return;
    const isFirst = this.#stop === null;
    if (isFirst || reason === "lost") this.#stop = reason;
    if (!isFirst) return;
    this.#controller?.abort(new AttemptStopped(reason));
    this.#cancelGrace = this.#context.clock.after(this.#context.graceMs, () => this.#giveUp?.());
  }

  /** Runs the attempt to its end. Null: there is nothing to report. Never rejects. */
  async execute(): Promise<AttemptEnd | null> {
    const { timeoutMs } = this.#limits();
    return this.#runAndReport(timeoutMs);
  }

  async #runAndReport(timeoutMs: number | null): Promise<AttemptEnd | null> {
    if (timeoutMs !== null) this.#cancelTimeout = this.#context.clock.after(timeoutMs, () => this.stop("timeout"));
    const end = await this.#runCode();
    let reported: AttemptEnd | null;
    try {
      reported = await this.#toReport(end, timeoutMs);
    } catch (error) {
      reported = await this.#toReport({ kind: "threw", error }, timeoutMs);
    }
    this.#isOver = true;
    this.#cancelTimeout?.();
    this.#cancelGrace?.();
    this.#logger?.end();
    // The lease may have gone while the result was made ready.
    return this.#stop === "lost" ? null : reported;
  }

  async #runCode(): Promise<CodeEnd> {
    try {
      const { registry, secrets } = this.#context;
      const reading = secrets.read(this.run.info);
      this.#secrets = reading instanceof Promise ? await reading : reading;
      const name = this.run.info.step(this.key.step).host.handler;
      const found = registry.get(name);
      if (found === undefined) return { kind: "threw", error: new Error(`There is no handler \`${name}\` here.`) };
      const handler = found instanceof Promise ? await found : found;
      return await this.#call(handler);
    } catch (error) {
      return { kind: "threw", error };
    }
  }

  async #call(handler: Handler): Promise<CodeEnd> {
    const { inheritedEnv, services, values } = this.#context;
    const surroundings = { inheritedEnv, secrets: this.#secrets!.values };
    const view = new RunView(new ValueReader(this.run, values), surroundings);
    const sight = view.sight(this.key.step, this.key.task);
    const missing = view.reader.missing(payloadKeys(view, sight, handler));
    if (missing.length > 0) await view.reader.fill(missing);
    const { timeoutMs } = this.#limits();
    const payload = evaluatePayload({ view, sight, inheritedEnv, timeoutMs });
    if (!payload.ok) return { kind: "unresolved", message: payload.message };
    if (this.#stop !== null) return { kind: "threw", error: new AttemptStopped(this.#stop) };
    const input = this.#inputOf(handler, payload.value, view);
    const context = attemptContext({ view, sight, handle: this.#handle(), payload: payload.value, input, services });
    return new Promise((resolve) => {
      this.#giveUp = () => resolve({ kind: "abandoned" });
      this.isCodeRunning = true;
      const end = (codeEnd: CodeEnd): void => {
        this.isCodeRunning = false;
        resolve(codeEnd);
      };
      this.code = handler.run(context).then(
        (result) => end({ kind: "returned", result }),
        (error: unknown) => end({ kind: "threw", error }),
      );
    });
  }

  #inputOf(handler: Handler, payload: EvaluatedPayload, view: RunView): JsonValue {
    return handler.kind === "function" ? (view.reader.read(-1, -1).output ?? {}) : (payload.with ?? {});
  }

  async #toReport(end: CodeEnd, timeoutMs: number | null): Promise<AttemptEnd | null> {
    if (this.#stop === "lost") return null;
    const at = this.#context.now();
    const head = { at, ...this.key };
    if (this.#stop === "timeout") {
      const message = `Attempt ${this.key.attempt} did not end within ${timeoutMs} ms.`;
      return { event: { type: "task.failed", ...head, error: { code: "timeout", message } }, payload: null, bytes: 0 };
    }
    if (end.kind === "returned") return this.#complete(end.result);
    if (this.#stop !== null)
      return { event: { type: "task.canceled", ...head, started: true }, payload: null, bytes: 0 };
    switch (end.kind) {
      case "unresolved": {
        const message = this.#secrets?.masker.maskText(end.message) ?? end.message;
        const error = { code: "input_unresolved", message };
        return { event: { type: "task.failed", ...head, error, retryable: false }, payload: null, bytes: 0 };
      }
      case "threw": {
        const failure = describeFailure(end.error, this.#secrets?.masker ?? null);
        return { event: { type: "task.failed", ...head, ...failure }, payload: null, bytes: 0 };
      }
      case "abandoned":
        return null;
      default:
        return end satisfies never;
    }
  }

  #complete(result: StepResult): Promise<AttemptEnd> | AttemptEnd {
    const parts: ResultParts = {
      run: this.run,
      key: this.key,
      at: this.#context.now(),
      values: this.#context.values,
      maxPayloadBytes: this.#context.maxPayloadBytes,
      inheritedEnv: this.#context.inheritedEnv,
      masker: this.#secrets!.masker,
    };
    return completeResult(result, parts);
  }

  #limits(): { readonly timeoutMs: number | null } {
    const { step } = this.key;
    const row = this.run.state.steps[step];
    return { timeoutMs: row?.timeoutMs ?? this.run.info.step(step).timeoutMs };
  }

  #handle(): Parameters<typeof attemptContext>[0]["handle"] {
    const openSignal = (): AbortSignal => this.#openSignal();
    const openLogger = (): AttemptLogger => this.#openLogger();
    return {
      attempt: this.key.attempt,
      get signal() {
        return openSignal();
      },
      get logger() {
        return openLogger();
      },
      heartbeat: () => this.#context.askHeartbeat(),
      progress: (value) => this.#keepProgress(value),
    };
  }

  /** Made when a handler first asks for it: most small functions never do. */
  #openSignal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#stop !== null) this.#controller.abort(new AttemptStopped(this.#stop));
    }
    return this.#controller.signal;
  }

  #openLogger(): AttemptLogger {
    this.#logger ??= createStepLogger({
      masker: this.#secrets!.masker,
      sink: ({ stream, text }) => {
        this.#context.log({ runId: this.run.id, ...this.key, at: this.#context.now(), stream, text });
      },
    });
    return this.#logger;
  }

  #keepProgress(value: JsonValue): void {
    const encoded = encodePayload(value, { maxBytes: this.#context.maxPayloadBytes });
    if (!encoded.ok || this.#isOver) return;
    this.#progress = this.#secrets!.masker.maskJson(encoded.value);
    this.#context.askHeartbeat();
  }
}

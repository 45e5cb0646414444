import type { JsonValue } from "@braid/core";
import { createStepLogger } from "../observe/step-logger.ts";
import type { AttemptLogger } from "../observe/step-logger.ts";
import { encodePayload } from "../payload/codec.ts";
import type { StepResult } from "../steps/step-type.ts";
import type { TaskKey } from "../store/run-commit.ts";
import { attemptContext } from "./attempt-context.ts";
import type { AttemptHandle } from "./attempt-context.ts";
import { evaluatePayload, needPayload } from "./attempt-payload.ts";
import { completeResult, describeFailure } from "./attempt-result.ts";
import type { AttemptEnd } from "./attempt-result.ts";
import { AttemptStopped } from "./attempt-setting.ts";
import type { AttemptContext, StopReason } from "./attempt-setting.ts";
import type { Handler } from "./registry.ts";
import type { CachedRun } from "./run-cache.ts";
import { RunView } from "./run-view.ts";
import type { SecretValues } from "./secrets.ts";
import type { Sight } from "./sight.ts";
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
 *
 * There are as many attempts as steps, and most have all they need at hand: so nothing is awaited that is not a promise,
 * and what only few handlers use is made when they ask for it.
 */
export class Attempt implements AttemptHandle {
  readonly run: CachedRun;
  readonly key: TaskKey;
  readonly token: string;
  readonly #context: AttemptContext;
  readonly #timeoutMs: number | null;
  #stop: StopReason | null = null;
  #controller: AbortController | null = null;
  #logger: AttemptLogger | null = null;
  #secrets: SecretValues | null = null;
  #handler: Handler | null = null;
  #view: RunView | null = null;
  #sight: Sight | null = null;
  #report: ((end: AttemptEnd | null) => void) | null = null;
  #cancelTimeout: (() => void) | null = null;
  #cancelGrace: (() => void) | null = null;
  #hasCodeEnd = false;
  #isOver = false;
  #progress: JsonValue | undefined;
  /** Settles with the handler, once it was started and is not done at once: an abandoned one goes on in it. */
  code: Promise<void> | null = null;
  /** Whether the handler has been started and has not ended. */
  isCodeRunning = false;

  constructor(parts: { run: CachedRun; key: TaskKey; token: string; context: AttemptContext }) {
    const { run, key } = parts;
    this.run = run;
    this.key = key;
    this.token = parts.token;
    this.#context = parts.context;
    this.#timeoutMs = run.state.steps[key.step]?.timeoutMs ?? run.info.step(key.step).timeoutMs;
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
    this.#cancelGrace = this.#context.clock.after(this.#context.graceMs, () => {
      if (this.isCodeRunning) this.#endCode({ kind: "abandoned" });
    });
  }

  /** Runs the attempt to its end. Null: there is nothing to report. Never rejects. */
  execute(): Promise<AttemptEnd | null> {
    const timeoutMs = this.#timeoutMs;
    if (timeoutMs !== null) this.#cancelTimeout = this.#context.clock.after(timeoutMs, () => this.stop("timeout"));
    return new Promise((resolve) => {
      this.#report = resolve;
      this.#prepare();
    });
  }

  /** Gets what is needed one after the other, waits only for what is not at hand, and then calls the handler. */
  #prepare(): void {
    try {
      const awaited = this.#findSecrets() ?? this.#findHandler() ?? this.#findValues();
      if (awaited === null) this.#call(this.#handler!, this.#view!, this.#sight!);
      else
        void awaited.then(
          () => this.#prepare(),
          (error: unknown) => this.#fail(error),
        );
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#endCode({ kind: "threw", error });
  }

  #findSecrets(): Promise<void> | null {
    if (this.#secrets !== null) return null;
    const found = this.#context.secrets.read(this.run.info);
    if (found instanceof Promise) return found.then((secrets) => void (this.#secrets = secrets));
    this.#secrets = found;
    return null;
  }

  #findHandler(): Promise<void> | null {
    if (this.#handler !== null) return null;
    const name = this.run.info.step(this.key.step).host.handler;
    const found = this.#context.registry.get(name);
    if (found === undefined) throw new Error(`There is no handler \`${name}\` here.`);
    if (found instanceof Promise) return found.then((handler) => void (this.#handler = handler));
    this.#handler = found;
    return null;
  }

  #findValues(): Promise<void> | null {
    if (this.#view !== null) return null;
    const { inheritedEnv, values } = this.#context;
    const surroundings = { inheritedEnv, secrets: this.#secrets!.values };
    const view = new RunView(new ValueReader(this.run, values), surroundings);
    const sight = view.sight(this.key.step, this.key.task);
    this.#view = view;
    this.#sight = sight;
    const handler = this.#handler!;
    const missing = view.reader.missingOf((need) => needPayload({ view, sight, handler }, need));
    return missing.length === 0 ? null : view.reader.fill(missing);
  }

  #call(handler: Handler, view: RunView, sight: Sight): void {
    const { inheritedEnv, services } = this.#context;
    const payload = evaluatePayload({ view, sight, inheritedEnv, timeoutMs: this.#timeoutMs });
    if (!payload.ok) {
      this.#endCode({ kind: "unresolved", message: payload.message });
      return;
    }
    if (this.#stop !== null) throw new AttemptStopped(this.#stop);
    const isFunction = handler.kind === "function";
    const input = isFunction ? (view.reader.read(-1, -1).output ?? {}) : (payload.value.with ?? {});
    const context = attemptContext({ view, sight, handle: this, payload: payload.value, input, services });
    this.isCodeRunning = true;
    const given = handler.run(context);
    const end = (value: unknown): void => this.#endCode({ kind: "returned", result: handler.toResult(value) });
    // Anything but an object is no promise: its handler is done.
    if (isObject(given)) this.code = Promise.resolve(given).then(end, (error: unknown) => this.#fail(error));
    else end(given);
  }

  /** The first end is the one that counts: code that was abandoned may end at last. */
  #endCode(end: CodeEnd): void {
    if (end.kind !== "abandoned") this.isCodeRunning = false;
    if (this.#hasCodeEnd) return;
    this.#hasCodeEnd = true;
    let made: AttemptEnd | Promise<AttemptEnd> | null;
    try {
      made = this.#toReport(end);
    } catch (error) {
      made = this.#toFailure({ kind: "threw", error });
    }
    if (made instanceof Promise) void this.#finishLater(made);
    else this.#finish(made);
  }

  async #finishLater(making: Promise<AttemptEnd>): Promise<void> {
    let made: AttemptEnd | null;
    try {
      made = await making;
    } catch (error) {
      made = this.#toFailure({ kind: "threw", error });
    }
    this.#finish(made);
  }

  #finish(end: AttemptEnd | null): void {
    this.#isOver = true;
    this.#cancelTimeout?.();
    this.#cancelGrace?.();
    this.#logger?.end();
    // The lease may have gone while the result was made ready.
    this.#report!(this.#stop === "lost" ? null : end);
  }

  #toReport(end: CodeEnd): AttemptEnd | Promise<AttemptEnd> | null {
    if (this.#stop === "lost" || this.#stop === "timeout") return this.#toStopReport(this.#stop);
    return end.kind === "returned" ? this.#complete(end.result) : this.#toFailure(end);
  }

  #toFailure(end: Exclude<CodeEnd, { readonly kind: "returned" }>): AttemptEnd | null {
    if (this.#stop !== null) return this.#toStopReport(this.#stop);
    const masker = this.#secrets?.masker ?? null;
    switch (end.kind) {
      case "unresolved": {
        const message = masker?.maskText(end.message) ?? end.message;
        return this.#failed({ error: { code: "input_unresolved", message }, retryable: false });
      }
      case "threw":
        return this.#failed(describeFailure(end.error, masker));
      case "abandoned":
        return null;
      default:
        return end satisfies never;
    }
  }

  #toStopReport(stop: StopReason): AttemptEnd | null {
    if (stop === "lost") return null;
    if (stop === "timeout") {
      const message = `Attempt ${this.key.attempt} did not end within ${this.#timeoutMs} ms.`;
      return this.#failed({ error: { code: "timeout", message } });
    }
    const at = this.#context.now();
    return { event: { type: "task.canceled", at, ...this.key, started: true }, payload: null, bytes: 0 };
  }

  #failed(failure: ReturnType<typeof describeFailure>): AttemptEnd {
    const at = this.#context.now();
    return { event: { type: "task.failed", at, ...this.key, ...failure }, payload: null, bytes: 0 };
  }

  #complete(result: StepResult): Promise<AttemptEnd> | AttemptEnd {
    return completeResult(result, {
      run: this.run,
      key: this.key,
      at: this.#context.now(),
      values: this.#context.values,
      maxPayloadBytes: this.#context.maxPayloadBytes,
      inheritedEnv: this.#context.inheritedEnv,
      masker: this.#secrets!.masker,
    });
  }

  get attempt(): number {
    return this.key.attempt;
  }

  /** Made when a handler first asks for it: most small functions never do. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#stop !== null) this.#controller.abort(new AttemptStopped(this.#stop));
    }
    return this.#controller.signal;
  }

  get logger(): AttemptLogger {
    this.#logger ??= createStepLogger({
      masker: this.#secrets!.masker,
      sink: ({ stream, text }) => {
        this.#context.log({ runId: this.run.id, ...this.key, at: this.#context.now(), stream, text });
      },
    });
    return this.#logger;
  }

  heartbeat(): void {
    this.#context.askHeartbeat();
  }

  progress(value: JsonValue): void {
    const encoded = encodePayload(value, { maxBytes: this.#context.maxPayloadBytes });
    if (!encoded.ok || this.#isOver) return;
    this.#progress = this.#secrets!.masker.maskJson(encoded.value);
    this.#context.askHeartbeat();
  }
}

const isObject = (value: unknown): boolean =>
  (typeof value === "object" && value !== null) || typeof value === "function";

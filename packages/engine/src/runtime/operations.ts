import { isTerminal } from "@braid/core";
import type { JsonValue, RunEvent } from "@braid/core";
import { encodePayload } from "../payload/codec.ts";
import type { NewSignal } from "../store/records.ts";
import { EngineError } from "./errors.ts";
import { eventReport, lookReport } from "./outbox.ts";
import type { CachedRun } from "./run-cache.ts";
import type { Runtime } from "./runtime.ts";

/** What people do to runs. Each is one event, committed here and heard by whichever process works on the run. */
export class Operations {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Cancelling a run that is over changes nothing. */
  async cancel(runId: string): Promise<void> {
    await this.#submit(runId, { type: "run.cancel", at: this.#runtime.now() });
  }

  async pause(runId: string): Promise<void> {
    const ignored = await this.#submit(runId, { type: "run.pause", at: this.#runtime.now() });
    if (ignored !== null) await this.#refuseUnless(runId, "paused", `cannot be paused: ${ignored}`);
  }

  async resume(runId: string): Promise<void> {
    const ignored = await this.#submit(runId, { type: "run.resume", at: this.#runtime.now() });
    if (ignored === null) return;
    throw new EngineError("not_paused", `Run \`${runId}\` cannot be resumed: ${ignored}.`);
  }

  async retry(runId: string, { from, only }: { readonly from?: string; readonly only?: string }): Promise<void> {
    const run = await this.#find(runId);
    if (!isTerminal(run.state.run.status)) {
      const { status } = run.state.run;
      throw new EngineError("not_terminal", `Run \`${runId}\` is ${status}; only a run that has ended is run again.`);
    }
    const ignored = await this.#submit(runId, {
      type: "run.retry",
      at: this.#runtime.now(),
      ...(from === undefined ? {} : { from: findStep(run, from) }),
      ...(only === undefined ? {} : { only: findStep(run, only) }),
    });
    if (ignored !== null) throw new EngineError("not_terminal", `Run \`${runId}\` cannot be run again: ${ignored}.`);
  }

  async signal(runId: string, name: string, payload: JsonValue): Promise<void> {
    await this.#send({ runId, name, verdict: "signal", payload });
  }

  /** Approves or rejects a step; a verdict that comes before the step waits for it is kept. */
  async judge(
    runId: string,
    step: string,
    decision: { readonly verdict: "approved" | "rejected"; readonly payload: JsonValue },
  ): Promise<void> {
    const run = await this.#find(runId);
    const { id, kind } = run.info.step(findStep(run, step));
    if (kind !== "approval") {
      throw new EngineError("unknown_step", `Step \`${id}\` of run \`${runId}\` asks for no approval.`);
    }
    await this.#send({ runId, name: id, ...decision });
  }

  async #send(signal: Omit<NewSignal, "id">): Promise<void> {
    const { runId, name } = signal;
    const { store, options, names } = this.#runtime;
    const run = await this.#find(runId);
    const { status } = run.state.run;
    if (isTerminal(status)) {
      throw new EngineError("is_terminal", `Run \`${runId}\` is ${status}: no step will take the signal \`${name}\`.`);
    }
    const encoded = encodePayload(signal.payload, { maxBytes: options.maxPayloadBytes });
    if (!encoded.ok) throw new EngineError("invalid_input", `The signal \`${name}\` is not valid. ${encoded.message}`);
    await store.putSignal({ ...signal, id: names.next(), payload: encoded.value });
    await this.#runtime.submit(lookReport(runId, "signals"));
  }

  /** Answers why the event was ignored, or null. */
  async #submit(runId: string, event: RunEvent): Promise<string | null> {
    const outcome = await this.#runtime.submit(eventReport(runId, event));
    return outcome.kind === "ignored" ? outcome.reason : null;
  }

  async #refuseUnless(runId: string, status: string, problem: string): Promise<void> {
    const run = await this.#find(runId);
    if (run.state.run.status === status) return;
    throw new EngineError("is_terminal", `Run \`${runId}\` ${problem}.`);
  }

  async #find(runId: string): Promise<CachedRun> {
    const run = await this.#runtime.runs.read(runId);
    if (run === null) throw new EngineError("unknown_run", `There is no run \`${runId}\`.`);
    return run;
  }
}

export function findStep(run: CachedRun, name: string): number {
  const step = run.info.find(name);
  if (step !== undefined) return step;
  throw new EngineError("unknown_step", `Workflow \`${run.info.workflow}\` has no step \`${name}\`.`);
}

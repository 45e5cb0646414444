import { isTerminal } from "@braid/core";
import type { RunEvent } from "@braid/core";
import type { StoredSignal } from "../store/records.ts";
import { allRows } from "./run-cache.ts";
import type { CachedRun } from "./run-cache.ts";

type SignalReceived = Extract<RunEvent, { readonly type: "signal.received" }>;

interface Place {
  readonly step: number;
  readonly task: number;
}

/** Who waits for which signal, and what is there to deliver, within one batch of a run. */
export class SignalDesk {
  readonly #run: CachedRun;
  #signals: StoredSignal[] | null = null;
  #isAsked = false;

  constructor(run: CachedRun) {
    this.#run = run;
  }

  /** Whether somebody wants to know if there are signals, and anybody waits for one. */
  get isAsked(): boolean {
    return this.#isAsked && this.#awaiting.size > 0;
  }

  get hasSignals(): boolean {
    return this.#signals !== null;
  }

  ask(): void {
    this.#isAsked = true;
  }

  /** Unused signals of the run, in order of acceptance. */
  give(signals: readonly StoredSignal[]): void {
    this.#signals = [...signals];
  }

  await({ step, task, name }: Place & { readonly name: string }): void {
    const waiting = this.#awaiting.get(name);
    if (waiting === undefined) this.#awaiting.set(name, [{ step, task }]);
    else if (!waiting.some((place) => isSame(place, { step, task }))) waiting.push({ step, task });
    this.#isAsked = true;
  }

  forget({ step, task, name }: Place & { readonly name: string }): void {
    const waiting = this.#awaiting.get(name)?.filter((place) => !isSame(place, { step, task })) ?? [];
    if (waiting.length === 0) this.#awaiting.delete(name);
    else this.#awaiting.set(name, waiting);
  }

  /** Pairs each signal with the one that has waited longest for its name. Each signal is used once. */
  match(at: number): readonly { readonly event: SignalReceived; readonly signal: StoredSignal }[] {
    this.#isAsked = false;
    const matched: { event: SignalReceived; signal: StoredSignal }[] = [];
    const left: StoredSignal[] = [];
    for (const signal of this.#signals ?? []) {
      const place = this.#awaiting.get(signal.name)?.[0];
      if (place === undefined) {
        left.push(signal);
        continue;
      }
      this.forget({ ...place, name: signal.name });
      const { name, verdict } = signal;
      const message = messageOf(signal);
      const event = {
        type: "signal.received",
        at,
        ...place,
        name,
        verdict,
        ...(message === null ? {} : { message }),
      } as const;
      matched.push({ event, signal });
    }
    this.#signals = left;
    return matched;
  }

  get #awaiting(): Map<string, Place[]> {
    this.#run.awaiting ??= collect(this.#run);
    return this.#run.awaiting;
  }
}

function collect(run: CachedRun): Map<string, Place[]> {
  const awaiting = new Map<string, Place[]>();
  if (isTerminal(run.state.run.status)) return awaiting;
  for (const { step, task, status, timer, signal } of allRows(run.state)) {
    if (status !== "waiting" || timer !== null || signal === null) continue;
    const waiting = awaiting.get(signal);
    if (waiting === undefined) awaiting.set(signal, [{ step, task }]);
    else waiting.push({ step, task });
  }
  return awaiting;
}

const isSame = (a: Place, b: Place): boolean => a.step === b.step && a.task === b.task;

/** The words of whoever rejected, for the failure's message. */
function messageOf({ verdict, payload }: StoredSignal): string | null {
  if (verdict !== "rejected") return null;
  if (typeof payload === "string" && payload !== "") return payload;
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return null;
  const { message, note, reason } = payload as Readonly<Record<string, unknown>>;
  const text = [message, note, reason].find((value) => typeof value === "string" && value !== "");
  return text === undefined ? null : (text as string);
}

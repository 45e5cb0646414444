import { normalize } from "@braid/core";
import type { Definition, JsonObject } from "@braid/core";
import type { Engine } from "../engine.ts";
import { createEngine } from "../runtime/create-engine.ts";
import { Faults, withFaults } from "../store/faults.ts";
import type { CallFault, CommitFault, StoreCall } from "../store/faults.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/port.ts";
import type { StepContext, StepResult, StepType } from "../steps/step-type.ts";
import { distantStore } from "./distant-store.ts";
import { SIMULATED_TYPE } from "./random-workflow.ts";
import type { Behavior } from "./random-workflow.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { VirtualTime } from "./virtual-clock.ts";
import type { ProcessClock } from "./virtual-clock.ts";

/** How often what goes wrong, by the number of calls of the store. */
export interface FaultRates {
  /** The process dies before or after the call. */
  readonly crash: number;
  /** The process stands still, for longer than its leases. */
  readonly pause: number;
  /** The call fails, with or without having been carried out. */
  readonly failure: number;
  /** A commit is refused although nothing came in between. */
  readonly conflict: number;
}

/** What happened to whom: a simulation that hit nothing has shown nothing. */
export interface FaultCounts {
  crashes: number;
  pauses: number;
  failures: number;
  unknown: number;
  conflicts: number;
  /** Commits on top of unanswered ones that were accepted, and refused. */
  stacked: number;
  toppled: number;
}

export const noFaults = (): FaultCounts => {
  return { crashes: 0, pauses: 0, failures: 0, unknown: 0, conflicts: 0, stacked: 0, toppled: 0 };
};

/** One begin of an attempt's code. */
export interface Execution {
  readonly runId: string;
  readonly step: string;
  readonly task: number;
  readonly attempt: number;
  readonly at: number;
}

export interface Process {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly engine: Engine;
  /** Places of its worker. */
  readonly concurrency: number;
}

/** One store, virtual time, and processes that come and go. */
export class World {
  readonly time = new VirtualTime();
  readonly store: Store;
  readonly executions: Execution[] = [];
  readonly counts = noFaults();
  readonly leaseMs: number;
  rates: FaultRates = { crash: 0, pause: 0, failure: 0, conflict: 0 };
  readonly #random: SeededRandom;
  /** Whether commits travel to the store and back, or are carried out in the process. */
  readonly #isDistant: boolean;
  readonly #processes: Process[] = [];
  #born = 0;

  constructor(random: SeededRandom, leaseMs: number) {
    this.#random = random;
    this.leaseMs = leaseMs;
    this.#isDistant = random.chance(0.5);
    this.store = createMemoryStore({ now: this.time.wall });
  }

  /** Processes that are alive, also those that stand still. */
  get alive(): readonly Process[] {
    return this.#processes.filter(({ clock }) => !clock.isDead);
  }

  /** Starts a process with an engine that works on everything. */
  async spawn(): Promise<Process> {
    this.#born += 1;
    const name = `p${this.#born}`;
    const clock = this.time.process();
    const faults = new Faults();
    const engine = createEngine({
      store: withFaults(this.#storeOf(clock), faults),
      types: [this.#simulatedType(clock)],
      leaseMs: this.leaseMs,
      clock,
      random: this.#random.fork(),
      graceMs: 3_000,
      patienceMs: 3_600_000,
      onTrouble: () => {},
    });
    await this.time.settle();
    const concurrency = this.#random.integer(1, 8);
    const process: Process = { name, clock, engine: await engine, concurrency };
    // Faults begin once the process stands: a start that fails is started again by whoever starts processes.
    faults.decide = (call) => this.#decide(process, call);
    this.#processes.push(process);
    void process.engine.work({ concurrency, pollIntervalMs: 1_000, name }).catch(() => {});
    return process;
  }

  #storeOf(clock: ProcessClock): Store {
    if (!this.#isDistant) return this.store;
    const random = this.#random.fork();
    const { counts } = this;
    return distantStore(this.store, {
      wait: () => new Promise((resolve) => clock.after(random.integer(0, 40), resolve)),
      onStacked(isAccepted) {
        if (isAccepted) counts.stacked += 1;
        else counts.toppled += 1;
      },
    });
  }

  #decide({ clock }: Process, call: StoreCall): CallFault | CommitFault | null {
    const { crash, pause, failure, conflict } = this.rates;
    if (clock.isDead) return never("before");
    if (this.#random.chance(crash)) {
      this.counts.crashes += 1;
      clock.kill();
      return never(this.#random.chance(0.5) ? "before" : "after");
    }
    if (this.#random.chance(pause)) {
      this.counts.pauses += 1;
      clock.pause(this.#random.integer(Math.floor(this.leaseMs / 2), this.leaseMs * 3));
    }
    if (clock.pausedFor > 0) return this.#whilePaused(clock);
    if (this.#random.chance(failure)) {
      const isUnknown = this.#random.chance(0.5);
      if (isUnknown) this.counts.unknown += 1;
      else this.counts.failures += 1;
      return { kind: isUnknown ? "fail_after" : "fail_before" };
    }
    if (call === "commit" && this.#random.chance(conflict)) {
      this.counts.conflicts += 1;
      return { kind: "conflict" };
    }
    return null;
  }

  #whilePaused(clock: ProcessClock): CallFault {
    const when = this.#random.chance(0.5) ? "before" : "after";
    return {
      kind: "delay",
      when,
      until: () => new Promise((resolve) => clock.after(clock.pausedFor, () => resolve(null))),
    };
  }

  #simulatedType(clock: ProcessClock): StepType {
    return { name: SIMULATED_TYPE, run: (context) => this.#behave(context, clock) };
  }

  async #behave(context: StepContext, clock: ProcessClock): Promise<StepResult> {
    const { runId, stepId: step, taskIndex: task, attempt } = context;
    const { ms, failures, heeds } = context.input as unknown as Behavior;
    this.executions.push({ runId, step, task, attempt, at: this.time.elapsed });
    await new Promise<void>((resolve, reject) => {
      clock.after(ms, resolve);
      if (heeds) context.signal.addEventListener("abort", () => reject(context.signal.reason as Error));
    });
    if (failures < 0 || attempt <= failures) throw new Error(`attempt ${attempt} fails`);
    return { output: { step, task, attempt } };
  }
}

const never = (when: "before" | "after"): CallFault => ({ kind: "delay", when, until: () => new Promise(() => {}) });

/** A definition from the object that a file would hold. */
export function toDefinition(written: JsonObject): Definition {
  const { definition, diagnostics } = normalize(written);
  if (definition !== null) return definition;
  throw new Error(diagnostics.map(({ message }) => message).join("\n"));
}

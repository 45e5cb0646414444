import { isBraidError } from "@braid/engine";
import type { Engine } from "@braid/engine";
import type { SeededRandom } from "@braid/engine/testing";
import { monotonicMs, sleep } from "./clock.ts";
import type { Violation } from "./checks/violation.ts";
import type { Database } from "./database.ts";
import { follow } from "./follower.ts";
import type { Journal } from "./journal.ts";
import { sourceOf } from "./workflows/all.ts";
import { endlessSpec } from "./workflows/fixed.ts";
import { allSteps } from "./workflows/spec.ts";
import type { WorkflowSpec } from "./workflows/spec.ts";

const pauseMs: readonly [least: number, most: number] = [60, 320];
const cancelShare = 0.1;
const keyShare = 0.5;
const againShare = 0.3;
const followShare = 0.05;
const retryAfterMs = 300;
/** Requests that have no answer yet: with a client that is cut off there are many. */
const mostAsking = 60;
const insistMs = 90_000;

export interface LoadParts {
  readonly random: SeededRandom;
  readonly database: Database;
  readonly journal: Journal;
  readonly specs: readonly WorkflowSpec[];
  /** Two clients, which ask for the same at the same time now and then. */
  readonly clients: readonly [Engine, Engine];
  readonly mostOpenRuns: number;
  readonly onTrouble: (text: string) => void;
}

/** Clients that start runs, signal and cancel them, do so twice, and write down what they were promised. */
export class Load {
  readonly #parts: LoadParts;
  readonly #underWay = new Set<Promise<void>>();
  readonly #following = new Set<Promise<void>>();
  /** Every workflow once in an order of chance, then again: a short run has met each. */
  #deck: WorkflowSpec[] = [];
  #open = 0;
  #isOver = false;
  #keys = 0;
  readonly streamViolations: Violation[] = [];
  started = 0;
  /** Runs whose events were followed to the end. */
  streams = 0;

  constructor(parts: LoadParts) {
    this.#parts = parts;
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    const { random, mostOpenRuns } = this.#parts;
    const counting = this.#countOpen();
    while (!this.#isOver) {
      if (this.#open < mostOpenRuns && this.#underWay.size < mostAsking) {
        this.#open += 1;
        this.#background(this.#startOne(this.#next(), random.fork()));
      }
      await sleep(random.integer(...pauseMs));
    }
    await counting;
  }

  /** Starts nothing more, and resolves when everything that was begun is done. */
  async stop(): Promise<void> {
    this.#isOver = true;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Resolves when all streams that are followed have ended, as they do with their runs. */
  async followed(): Promise<void> {
    await Promise.all(this.#following);
  }

  #next(): WorkflowSpec {
    const { random, specs } = this.#parts;
    if (this.#deck.length === 0) {
      this.#deck = specs
        .map((spec) => ({ spec, place: random.next() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ spec }) => spec);
    }
    return this.#deck.pop()!;
  }

  async #countOpen(): Promise<void> {
    while (!this.#isOver) {
      await sleep(250);
      try {
        const [row] = await this.#parts.database.rows<{ count: number }>(
          "select count(*) as count from braid.runs where finished_at is null and parent_run_id is null",
        );
        this.#open = row!.count;
      } catch {
        // The server is down: as many are open as there were.
      }
    }
  }

  #background(promise: Promise<void>): void {
    const done = promise.catch((error: unknown) => {
      this.#parts.onTrouble(`a client was told: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#underWay.add(done);
    void done.finally(() => this.#underWay.delete(done));
  }

  async #startOne(spec: WorkflowSpec, random: SeededRandom): Promise<void> {
    const { journal, clients } = this.#parts;
    this.#keys += 1;
    const key = random.chance(keyShare) ? `key-${this.#keys}` : null;
    const number = random.integer(1, 1_000_000);
    const options = { input: { number }, ...(key === null ? {} : { idempotencyKey: key }) };
    const isDouble = key !== null && random.chance(againShare);
    const askers = isDouble ? clients : [random.pick(clients)];
    const answers = await Promise.all(
      askers.map((client) => this.#insist(() => client.start(sourceOf(spec), options))),
    );
    this.started += 1;
    for (const [index, { id: run }] of answers.entries()) {
      const entry = { type: "start", run, workflow: spec.name, key, number, at: Date.now() } as const;
      journal.add({ ...entry, isAgain: index > 0 });
    }
    const run = answers[0]!.id;
    this.#following.add(this.#followMaybe(run, random.fork()));
    await Promise.all([
      this.#signalAll(spec, run, random.fork()),
      this.#cancelMaybe(spec, run, random.fork()),
      key === null ? undefined : this.#startAgain({ spec, run, key, number, random: random.fork() }),
    ]);
  }

  async #followMaybe(run: string, random: SeededRandom): Promise<void> {
    if (!random.chance(followShare)) return;
    const { clients } = this.#parts;
    const client = random.pick(clients);
    try {
      this.streamViolations.push(...(await follow(client, run, random)));
    } catch (error) {
      this.streamViolations.push({ invariant: "I15", run, text: `the stream broke: ${String(error)}` });
    }
    this.streams += 1;
  }

  /** The key is used once more: with the same input it gives the same run, with another one it is refused. */
  async #startAgain(use: {
    readonly spec: WorkflowSpec;
    readonly run: string;
    readonly key: string;
    readonly number: number;
    readonly random: SeededRandom;
  }): Promise<void> {
    const { spec, run, key, number, random } = use;
    if (!random.chance(againShare)) return;
    await sleep(random.integer(0, 2_000));
    const { clients, journal } = this.#parts;
    const client = random.pick(clients);
    const isSame = random.chance(0.5);
    const input = { number: isSame ? number : number + 1 };
    try {
      const { id } = await this.#insist(() => client.start(sourceOf(spec), { input, idempotencyKey: key }));
      const entry = { run: id, workflow: spec.name, key, number, at: Date.now() };
      if (isSame) journal.add({ type: "start", ...entry, isAgain: true });
      else journal.add({ type: "conflict", run, key, outcome: `run ${id}` });
    } catch (error) {
      if (isSame || !isBraidError(error)) throw error;
      journal.add({ type: "conflict", run, key, outcome: error.code });
    }
  }

  async #signalAll(spec: WorkflowSpec, run: string, random: SeededRandom): Promise<void> {
    const waits = allSteps(spec).flatMap(({ action }) => (action.kind === "signal" ? [action.name] : []));
    for (const name of waits) {
      await sleep(random.integer(0, 1_500));
      const number = random.integer(1, 1_000_000);
      const { clients, journal } = this.#parts;
      const isSent = await this.#persist(run, () => random.pick(clients).signal(run, name, { number }));
      if (isSent) journal.add({ type: "signal", run, name, number, at: Date.now() });
    }
  }

  async #cancelMaybe(spec: WorkflowSpec, run: string, random: SeededRandom): Promise<void> {
    if (spec.name !== endlessSpec && !random.chance(cancelShare)) return;
    await sleep(random.integer(100, 2_500));
    const { clients } = this.#parts;
    const isDouble = random.chance(againShare);
    await Promise.all(
      (isDouble ? clients : [random.pick(clients)]).map((client, index) => this.#cancel(client, run, index > 0)),
    );
  }

  async #cancel(client: Engine, run: string, isAgain: boolean): Promise<void> {
    const askedAt = Date.now();
    if (!(await this.#persist(run, () => client.cancel(run)))) return;
    this.#parts.journal.add({ type: "cancel", run, askedAt, at: Date.now(), mono: monotonicMs(), isAgain });
  }

  /** False: the run is over. */
  async #persist(run: string, ask: () => Promise<void>): Promise<boolean> {
    try {
      await this.#insist(ask);
      return true;
    } catch (error) {
      if (isBraidError(error) && error.code === "is_terminal") return false;
      throw new Error(`about run ${run}: ${String(error)}`, { cause: error });
    }
  }

  /** Asks until there is an answer, as a client does that is told to try again. */
  async #insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const until = monotonicMs() + insistMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const isPassing = isBraidError(error) && error.code.startsWith("store_");
        if (!isPassing || monotonicMs() > until) throw error;
        await sleep(retryAfterMs);
      }
    }
  }
}

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine, RunHandle } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/port.ts";
import type { CommitAnswers, RunCommit } from "../store/run-commit.ts";
import { StoreError } from "../store/store-error.ts";
import { define } from "../testing/fixture.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { VirtualTime } from "../testing/virtual-clock.ts";
import { createEngine } from "./create-engine.ts";

/** A commit that the store has not looked at. */
interface Held {
  readonly commits: readonly RunCommit[];
  /** As the commit was when it was sent. */
  readonly sent: string;
  /** Carries it out and answers. */
  pass(): Promise<void>;
  /** Answers that it had been carried out before. */
  repeat(): Promise<void>;
  /** Answers that it was refused, although nothing came in between. */
  refuse(): Promise<void>;
  /** Gives no answer; with `isDone` it was carried out. */
  lose(isDone: boolean): Promise<void>;
}

/** Two batches may be under way, and the test decides when and how each is answered. */
class Scene {
  readonly time = new VirtualTime();
  readonly store: Store = createMemoryStore({ now: this.time.wall });
  readonly held: Held[] = [];
  readonly #doors = new Map<string, (output: string) => void>();
  #isHolding = false;
  engine!: Engine;

  async start(text: string): Promise<RunHandle> {
    const door: StepType = {
      name: "door",
      run: ({ stepId }) => new Promise((resolve) => this.#doors.set(stepId, (output) => resolve({ output }))),
    };
    const store = new Proxy(this.store, {
      get: (target, name) => {
        if (name === "mostCommits") return 2;
        if (name === "commit") return (commits: readonly RunCommit[]) => this.#commit(commits);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const made = createEngine({
      store,
      types: [door],
      clock: this.time.process(),
      random: new SeededRandom(1),
      onTrouble: () => {},
    });
    await this.time.settle();
    this.engine = await made;
    const working = this.engine.work({ concurrency: 40 });
    await this.time.settle();
    await working;
    const starting = this.engine.start(define(text));
    await this.time.settle();
    this.#isHolding = true;
    return starting;
  }

  /** Lets steps end that run. */
  async end(...steps: readonly string[]): Promise<void> {
    for (const step of steps) {
      const open = this.#doors.get(step);
      if (open === undefined) throw new Error(`step ${step} does not run`);
      this.#doors.delete(step);
      open(step);
    }
    await this.time.settle();
  }

  /** Whether a step runs that can be ended. */
  runs(step: string): boolean {
    return this.#doors.has(step);
  }

  /** From now on commits pass. */
  async letGo(): Promise<void> {
    this.#isHolding = false;
    for (const held of this.held.splice(0)) await held.pass();
    await this.time.run(5_000);
  }

  async #commit(commits: readonly RunCommit[]): Promise<CommitAnswers> {
    if (!this.#isHolding) return this.store.commit(commits);
    return new Promise((resolve, reject) => {
      const then = async (settle: () => unknown): Promise<void> => {
        await settle();
        await this.time.settle();
      };
      const now = this.time.wall();
      const repeated: CommitAnswers = {
        now,
        answers: commits.map(({ expectedVersion }) => ({ kind: "repeat", version: expectedVersion + 1, cancels: [] })),
      };
      const refusal = { now, answers: commits.map(() => ({ kind: "conflict" }) as const) };
      this.held.push({
        commits,
        sent: JSON.stringify(commits),
        pass: () => then(async () => resolve(await this.store.commit(commits))),
        repeat: () => then(() => resolve(repeated)),
        refuse: () => then(() => resolve(refusal)),
        lose: (isDone) =>
          then(async () => {
            if (isDone) await this.store.commit(commits);
            reject(new StoreError("store_unavailable", "There is no answer."));
          }),
      });
    });
  }
}

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(async () => {
  await scene.letGo();
  void scene.engine.close();
  await scene.time.run(1);
});

const twoAndOne = `
steps:
  - {id: a, type: door, dependsOn: []}
  - {id: b, type: door, dependsOn: []}
  - {id: c, type: door, dependsOn: [a, b]}
`;

const attemptsOf = async (id: string): Promise<Record<string, number>> => {
  const steps = (await scene.engine.inspect(id))!.steps;
  return Object.fromEntries(Object.entries(steps).map(([name, { attempts }]) => [name, attempts]));
};

describe("a batch on top of one that has no answer", () => {
  test("names the commit it follows, and both are accepted", async () => {
    const { id } = await scene.start(twoAndOne);
    await scene.end("a");
    await scene.end("b");
    const [first, second] = scene.held.splice(0, 2);
    expect(second!.commits[0]).toMatchObject({
      follows: first!.commits[0]!.commitId,
      expectedVersion: first!.commits[0]!.expectedVersion + 1,
    });
    await first!.pass();
    expect(scene.runs("c")).toBe(false);
    await second!.pass();
    expect(scene.runs("c")).toBe(true);
    await scene.end("c");
    await scene.letGo();
    expect((await scene.engine.inspect(id))?.status).toBe("completed");
  });

  test("is undone with the one below, and what both reported is applied again", async () => {
    const { id } = await scene.start(twoAndOne);
    await scene.end("a");
    await scene.end("b");
    const [first, second] = scene.held.splice(0, 2);
    await first!.refuse();
    // The run is left alone until the store has refused the second as well.
    expect(scene.held).toEqual([]);
    await second!.pass();
    const [again] = scene.held.splice(0, 1);
    expect(again!.commits[0]!.closes.map(({ step }) => step)).toEqual([0, 1]);
    await again!.pass();
    await scene.end("c");
    await scene.letGo();
    expect((await scene.engine.inspect(id))?.status).toBe("completed");
    expect(await attemptsOf(id)).toEqual({ a: 1, b: 1, c: 1 });
  });

  test("is undone alone when only it is refused", async () => {
    const { id } = await scene.start(twoAndOne);
    await scene.end("a");
    await scene.end("b");
    const [first, second] = scene.held.splice(0, 2);
    await first!.pass();
    await second!.refuse();
    const [again] = scene.held.splice(0, 1);
    expect(again!.commits[0]!.closes.map(({ step }) => step)).toEqual([1]);
    await again!.pass();
    await scene.end("c");
    await scene.letGo();
    expect(await attemptsOf(id)).toEqual({ a: 1, b: 1, c: 1 });
  });

  test("evaluates expressions with values that are not committed yet", async () => {
    const { id } = await scene.start(`
steps:
  - {id: a, type: door, dependsOn: []}
  - {id: b, type: door, dependsOn: []}
  - {id: c, type: door, dependsOn: [a, b], when: "\${{ steps.a.output == 'a' && steps.b.output == 'b' }}"}
`);
    await scene.end("a");
    await scene.end("b");
    expect(scene.held).toHaveLength(2);
    await scene.held.shift()!.pass();
    await scene.held.shift()!.pass();
    expect(scene.runs("c")).toBe(true);
    await scene.end("c");
    await scene.letGo();
    expect((await scene.engine.inspect(id))?.status).toBe("completed");
  });

  test("leaves the rows of the one below as they were, should that have to be sent again", async () => {
    const { id } = await scene.start(twoAndOne);
    await scene.end("a");
    await scene.end("b");
    const [first, second] = scene.held.splice(0, 2);
    await first!.lose(false);
    await second!.pass();
    await scene.time.run(1_000);
    const [again] = scene.held.splice(0, 1);
    expect(JSON.stringify(again!.commits)).toBe(first!.sent);
    await again!.pass();
    await scene.letGo();
    await scene.end("c");
    expect((await scene.engine.inspect(id))?.status).toBe("completed");
    expect(await attemptsOf(id)).toEqual({ a: 1, b: 1, c: 1 });
  });

  test("waits for the answer to the one below, although its own has come", async () => {
    const { id } = await scene.start(twoAndOne);
    await scene.end("a");
    await scene.end("b");
    const [first, second] = scene.held.splice(0, 2);
    await first!.lose(true);
    await second!.pass();
    expect(scene.runs("c")).toBe(false);
    await scene.time.run(1_000);
    await scene.held.shift()!.repeat();
    expect(scene.runs("c")).toBe(true);
    await scene.end("c");
    await scene.letGo();
    expect((await scene.engine.inspect(id))?.status).toBe("completed");
    expect((await scene.store.load(id))?.leases).toEqual([]);
  });

  test("is put off where it has to read first, until the one below is answered", async () => {
    const { id } = await scene.start(`
steps:
  - {id: a, type: door, dependsOn: []}
  - {id: b, type: door, dependsOn: []}
  - {id: c, approval: {}, dependsOn: [b]}
`);
    await scene.end("a");
    await scene.end("b");
    const [first, none] = scene.held.splice(0, 2);
    expect(none).toBeUndefined();
    await first!.pass();
    const [second] = scene.held.splice(0, 1);
    expect(second!.commits[0]!.closes.map(({ step }) => step)).toEqual([1]);
    expect(second!.commits[0]!.follows).toBeUndefined();
    await second!.pass();
    const approving = scene.engine.approve(id, "c");
    await scene.letGo();
    await approving;
    expect(await attemptsOf(id)).toMatchObject({ a: 1, b: 1 });
    expect((await scene.engine.inspect(id))?.status).toBe("completed");
  });

  test("gives no result before it is committed", async () => {
    const run = await scene.start(`
steps:
  - {id: a, type: door, dependsOn: []}
  - {id: b, type: door, dependsOn: []}
`);
    const told: string[] = [];
    void run.result().then(({ status }) => told.push(status));
    void run
      .step("b")
      .result()
      .then(({ status }) => told.push(`b ${status}`));
    await scene.time.settle();
    await scene.end("a");
    await scene.end("b");
    const [first, second] = scene.held.splice(0, 2);
    await first!.pass();
    expect(told).toEqual([]);
    await second!.pass();
    expect(told.toSorted()).toEqual(["b completed", "completed"]);
  });
});

test("of many reports half are committed first, and the other half on top of them", async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
  await scene.start(`
parallel: {maxConcurrent: 40}
steps: [${ids.map((name) => `{id: ${name}, type: door, dependsOn: []}`).join(", ")}]
`);
  await scene.end(...ids);
  const closes = scene.held.map(({ commits }) => commits[0]!.closes.length);
  expect(closes).toEqual([20, 20]);
});

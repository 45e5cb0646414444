import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunEvent } from "@braid/core";
import type { Engine } from "../engine.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { LockedRuns, LockRequest, Store } from "../store/port.ts";
import type { CommitAnswers } from "../store/run-commit.ts";
import { define } from "../testing/fixture.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { VirtualTime } from "../testing/virtual-clock.ts";
import { createEngine } from "./create-engine.ts";
import { eventReport } from "./outbox.ts";
import type { Outcome } from "./outbox.ts";
import { HandlerRegistry } from "./registry.ts";
import { Runtime } from "./runtime.ts";

type Call = "commit" | "load" | "loadNewer";

/** A call of the store that has been made and not carried out. */
interface Held {
  readonly call: Call;
  readonly runIds: readonly string[];
  pass(): Promise<void>;
  /** Of a commit: answers that it was refused. */
  refuse(): Promise<void>;
}

/** One process whose calls of the store the test carries out, and another on the same store that nobody holds up. */
class Scene {
  readonly time = new VirtualTime();
  readonly store: Store = createMemoryStore({ now: this.time.wall });
  readonly held: Held[] = [];
  readonly outcomes: string[] = [];
  readonly holding = new Set<Call>();
  /** Locks that nobody has ended. */
  locks = 0;
  /** Whether the next lock gives rows that cannot be read. */
  isGarbled = false;
  other!: Engine;
  readonly runtime = this.#makeRuntime();

  async open(): Promise<void> {
    this.other = await this.done(
      createEngine({ store: this.store, clock: this.time.process(), random: new SeededRandom(1), onTrouble: () => {} }),
    );
    await this.runtime.time.ask(() => this.store.dueRuns(1));
  }

  async done<Value>(promise: Promise<Value>): Promise<Value> {
    let isDone = false;
    const settled = promise.finally(() => (isDone = true));
    await this.time.run(1_000, () => isDone);
    return settled;
  }

  async start(name: string): Promise<string> {
    const definition = define(`{name: ${name}, steps: [{id: a, signal: go}, {id: b, signal: on}]}`);
    return (await this.done(this.other.start(definition))).id;
  }

  async startMany(count: number): Promise<readonly string[]> {
    const definition = define("{name: many, steps: [{id: a, signal: go}, {id: b, signal: on}]}");
    const inputs = Array.from({ length: count }, () => ({}));
    return (await this.done(this.other.startMany(definition, inputs))).map(({ id }) => id);
  }

  async report(runId: string, type: "run.pause" | "run.resume" | "run.cancel"): Promise<void> {
    const event: RunEvent = { type, at: this.runtime.now() };
    const settle = ({ kind }: Outcome): void => void this.outcomes.push(`${type} ${kind}`);
    this.runtime.report(eventReport(runId, event, { settle }));
    await this.time.settle();
  }

  /** The oldest call of this name that is held. */
  take(call: Call): Held {
    const index = this.held.findIndex((each) => each.call === call);
    if (index === -1) throw new Error(`no ${call} is held`);
    return this.held.splice(index, 1)[0]!;
  }

  async letGo(): Promise<void> {
    this.holding.clear();
    for (const held of this.held.splice(0)) await held.pass();
    await this.time.run(5_000);
  }

  async statusOf(runId: string): Promise<string | undefined> {
    return (await this.store.load(runId))?.run.status;
  }

  #makeRuntime(): Runtime {
    const store = new Proxy(this.store, {
      get: (target, name) => {
        if (name === "mostCommits") return 2;
        if (name === "lock") return (requests: readonly LockRequest[]) => this.#lock(requests);
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const call = (value as (...args: unknown[]) => Promise<unknown>).bind(target);
        if (name !== "commit" && name !== "load" && name !== "loadNewer") return call;
        return (...args: unknown[]) => (this.holding.has(name) ? this.#hold(name, args, call) : call(...args));
      },
    });
    return new Runtime({
      store,
      clock: this.time.process(),
      random: new SeededRandom(2),
      registry: new HandlerRegistry(new Map(), []),
      services: {},
      inheritedEnv: {},
      secretsEnv: {},
      limits: {},
      maxPayloadBytes: 1_000,
      graceMs: 1_000,
      patienceMs: 60_000,
      onLog: null,
      onTrouble: () => {},
      startChild: () => Promise.reject(new Error("there are no children here")),
    });
  }

  /** Nobody else writes in between here. */
  async #lock(requests: readonly LockRequest[]): Promise<LockedRuns> {
    const { store } = this;
    const loaded = await Promise.all(requests.map(({ runId, version }) => store.loadNewer(runId, version)));
    if (this.isGarbled) Object.assign(loaded[0]!, { steps: null });
    this.isGarbled = false;
    this.locks += 1;
    return {
      loaded,
      commit: (commits) => {
        this.locks -= 1;
        return store.commit(commits);
      },
      release: async () => void (this.locks -= 1),
    };
  }

  #hold(call: Call, args: readonly unknown[], carryOut: (...args: unknown[]) => Promise<unknown>): Promise<unknown> {
    const [first] = args as [string | Parameters<Store["commit"]>[0]];
    const runIds = typeof first === "string" ? [first] : first.map(({ runId }) => runId);
    return new Promise((resolve, reject) => {
      const refusal: CommitAnswers = { now: this.time.wall(), answers: runIds.map(() => ({ kind: "conflict" })) };
      const then = async (answer: Promise<unknown>): Promise<void> => {
        await answer.then(resolve, reject);
        await this.time.settle();
      };
      this.held.push({
        call,
        runIds,
        pass: () => then(carryOut(...args)),
        refuse: () => then(Promise.resolve(refusal)),
      });
    });
  }
}

let scene: Scene;
beforeEach(async () => {
  scene = new Scene();
  await scene.open();
});
afterEach(async () => {
  await scene.letGo();
  void scene.other.close();
  await scene.time.run(1);
});

/** Pausing a run is under way, and what follows was taken with a report of another, which is being loaded. */
const begin = async (what: "run.resume" | "run.cancel"): Promise<string> => {
  const [one, two] = [await scene.start("one"), await scene.start("two")];
  scene.holding.add("commit").add("load");
  await scene.report(one, "run.pause");
  await scene.take("load").pass();
  void scene.report(two, "run.pause");
  await scene.report(one, what);
  return one;
};

describe("a batch that has to load a run while another is to be computed on top of an unanswered commit", () => {
  test("keeps the order of what was reported when that commit is refused", async () => {
    const one = await begin("run.resume");
    await scene.take("commit").refuse();
    await scene.take("load").pass();
    await scene.letGo();
    expect(scene.outcomes).toEqual(["run.pause accepted", "run.pause accepted", "run.resume accepted"]);
    expect(await scene.statusOf(one)).toBe("running");
  });

  test("leaves a run alone that is being brought up to date", async () => {
    const one = await begin("run.cancel");
    await scene.take("commit").pass();
    await scene.done(scene.other.cancel(one));
    const { version } = (await scene.store.load(one))!;
    // A claim tells that another process has written the run.
    scene.holding.add("loadNewer");
    void scene.runtime.runs.get(one, version);
    await scene.time.settle();
    await scene.take("load").pass();
    await scene.take("loadNewer").pass();
    await scene.letGo();
    expect(scene.outcomes).toContain("run.cancel ignored");
    // Both have made a row of the step that nobody had touched.
    expect(scene.runtime.runs.peek(one)!.state.steps[1]?.status).toBe("skipped");
  });
});

test("a run that breaks on top of an unanswered commit is answered once, although that commit is refused", async () => {
  const one = await scene.start("one");
  scene.holding.add("commit");
  await scene.report(one, "run.pause");
  // The kernel cannot so much as read it.
  let isRead = false;
  const event = Object.defineProperty({ type: "run.resume" } as RunEvent, "at", {
    get() {
      if (isRead) return scene.runtime.now();
      isRead = true;
      throw new Error("unreadable");
    },
  });
  const settle = ({ kind }: Outcome): void => void scene.outcomes.push(`run.resume ${kind}`);
  scene.runtime.report(eventReport(one, event, { settle }));
  await scene.time.settle();
  await scene.take("commit").refuse();
  await scene.letGo();
  expect(scene.outcomes).toEqual(["run.resume failed", "run.pause accepted"]);
  expect(await scene.statusOf(one)).toBe("paused");
});

test("reports go in halves also when a run that others write as well was ended by them", async () => {
  const [one, ...others] = await scene.startMany(41);
  await scene.report(one!, "run.resume");
  await scene.done(scene.other.signal(one!, "go"));
  // It is refused, and committed again under a lock; the rest is done by the other process.
  await scene.report(one!, "run.pause");
  await scene.time.run(100);
  await scene.done(scene.other.cancel(one!));
  expect(scene.outcomes).toEqual(["run.resume ignored", "run.pause accepted"]);
  scene.holding.add("commit");
  await Promise.all(others.map((id) => scene.report(id, "run.pause")));
  expect(scene.held.map(({ runIds }) => runIds.length)).toEqual([20, 20]);
});

test("a lock is given up when the run behind it cannot be brought up to date", async () => {
  const one = await scene.start("one");
  await scene.report(one, "run.resume");
  await scene.done(scene.other.signal(one, "go"));
  scene.isGarbled = true;
  await scene.report(one, "run.pause");
  await scene.time.run(100);
  expect(scene.isGarbled).toBe(false);
  expect(scene.outcomes).toEqual(["run.resume ignored", "run.pause accepted"]);
  expect(scene.locks).toBe(0);
});

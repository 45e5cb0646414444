import { setTimeout as sleep } from "node:timers/promises";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import type { Store } from "../store/port.ts";
import type { RunCommit } from "../store/run-commit.ts";
import { createPostgresStore } from "../store/postgres.ts";
import { StoreError } from "../store/store-error.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

/** A step that ends when it is told to, or when it is stopped. */
class Doors {
  readonly #open = new Map<string, () => void>();
  readonly started: string[] = [];

  readonly type: StepType = {
    name: "door",
    run: ({ stepId, signal }) =>
      new Promise((resolve, reject) => {
        this.started.push(stepId);
        this.#open.set(stepId, () => resolve({ output: null }));
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  };

  async open(step: string): Promise<void> {
    await this.startedStep(step);
    this.#open.get(step)!();
  }

  async startedStep(step: string): Promise<void> {
    for (let tries = 0; tries < 400; tries += 1) {
      if (this.started.includes(step)) return;
      await sleep(10);
    }
    throw new Error(`step ${step} was not started`);
  }
}

const instant: StepType = { name: "instant", run: async () => ({ output: null }) };

/** Loses the answer to the first commit that fits, after others have written the run. */
function losingStore(
  store: Store,
  loss: { readonly fits: (commit: RunCommit) => boolean; readonly meanwhile: () => Promise<unknown> },
): Store {
  let isLost = false;
  const lose = async (commits: readonly RunCommit[], commit: Store["commit"]): ReturnType<Store["commit"]> => {
    const answers = await commit(commits);
    if (isLost || !commits.some(loss.fits)) return answers;
    isLost = true;
    await loss.meanwhile();
    throw new StoreError("store_unavailable", "The answer got lost.");
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "commit") return (commits: readonly RunCommit[]) => lose(commits, (each) => target.commit(each));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  let doors: Doors;
  /** Stores of engines that do not close them, because they were not named by a URL. */
  const inner: Store[] = [];
  beforeEach(async () => {
    doors = new Doors();
    await engines.next();
  });
  afterEach(async () => {
    await engines.close();
    await Promise.all(inner.splice(0).map((store) => store.close()));
  });
  afterAll(() => engines.clear());

  const open = async (store?: Store): Promise<Engine> =>
    engines.engine({ types: [doors.type, instant], ...(store === undefined ? {} : { store }) });

  function innerStore(): Store {
    const store = createPostgresStore({ url: engines.url });
    inner.push(store);
    return store;
  }

  test("a cancel whose answer got lost, and that others have followed, is still one cancel", async () => {
    const definition = define(`
name: canceled
steps: [{id: a, dependsOn: [], type: door}, {id: b, dependsOn: [], type: door}]
finally: [{id: tidy, type: door}]
`);
    const working = await open();
    await working.work();
    const run = await working.start(definition);
    await doors.startedStep("b");
    // What the cancel has stopped is reported by the worker meanwhile, and the run goes on to its last step.
    const meanwhile = () => doors.startedStep("tidy");
    const losing = losingStore(innerStore(), { fits: ({ cancels }) => cancels.length > 0, meanwhile });
    const canceling = await open(losing);
    await canceling.cancel(run.id).catch(() => {});
    await doors.open("tidy");
    const result = await run.result();
    expect(result).toMatchObject({ status: "canceled", steps: { tidy: { status: "completed" } } });
    expect((await working.store.load(run.id))!.run.cancelCount).toBe(1);
  });

  test("tasks that a worker gave itself by a commit whose answer got lost, and that others have followed, do not wait for their leases", async () => {
    const definition = define(`
name: eager
steps:
  - {id: a, dependsOn: [], type: door}
  - {id: other, dependsOn: [], type: door}
  - {id: after, dependsOn: [a], type: instant}
`);
    const second = await open();
    let runId = "";
    const fits = ({ enqueue }: RunCommit): boolean => enqueue.some(({ step, lease }) => step === 2 && lease !== null);
    // Somebody else writes the run: it was paused and resumed.
    const meanwhile = async () => {
      await second.pause(runId);
      await second.resume(runId);
    };
    const losing = losingStore(innerStore(), { fits, meanwhile });
    const first = await open(losing);
    await first.work();
    const run = await first.start(definition);
    runId = run.id;
    await doors.open("a");
    const ended = run.step("after").result();
    ended.catch(() => {});
    expect(await Promise.race([ended.then(() => "ended"), sleep(2_000).then(() => "still waiting")])).toBe("ended");
    await doors.open("other");
    expect(await run.result()).toMatchObject({ status: "completed" });
  });
});

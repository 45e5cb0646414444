import { afterEach, expect, test } from "vitest";
import { workflow } from "../builder/workflow.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/port.ts";
import { Fixture } from "../testing/fixture.ts";

const fixture = new Fixture();
afterEach(() => fixture.clear());

/** A store whose commits wait until they are let go; it tells how often runs were read. */
function holdCommits() {
  const calls = { load: 0, commit: 0 };
  let letGo!: () => void;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const target = createMemoryStore();
  const store: Store = new Proxy(target, {
    get(_, name) {
      if (name === "load") {
        return (...args: Parameters<Store["load"]>) => {
          calls.load += 1;
          return target.load(...args);
        };
      }
      if (name === "commit") {
        return async (...args: Parameters<Store["commit"]>) => {
          calls.commit += 1;
          await gate;
          return target.commit(...args);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { store, calls, letGo };
}

const list = workflow("two")
  .step("a", { dependsOn: [] }, () => 1)
  .step("b", { dependsOn: ["a"] }, ({ deps }) => deps.a + 1);

test("who waits for a run that a batch has open is told of its end, and nothing is read", async () => {
  const { store, calls, letGo } = holdCommits();
  const engine = await fixture.engine({ store });
  await engine.work();
  const handle = await engine.start(list);
  while (calls.commit === 0) await new Promise(setImmediate);
  const ending = handle.result();
  letGo();
  expect((await ending).steps["b"]?.output).toBe(2);
  expect(calls.load).toBe(0);
});

test("an end that is not committed is not told of", async () => {
  const { store, calls, letGo } = holdCommits();
  const engine = await fixture.engine({ store });
  await engine.work();
  const handle = await engine.start(workflow("one").step("a", { dependsOn: [] }, () => "done"));
  while (calls.commit === 0) await new Promise(setImmediate);
  const ending = handle.result();
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  letGo();
  expect(await ending).toMatchObject({ status: "completed", steps: { a: { output: "done" } } });
});

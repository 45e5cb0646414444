import { expect, expectTypeOf, test } from "vitest";
import { workflow } from "./workflow.ts";

test("a list without dependencies is sequential, and each function knows the output before it", () => {
  const built = workflow("chain")
    .step("one", () => ({ n: 1 }))
    .step("two", ({ prev }) => {
      expectTypeOf(prev).toEqualTypeOf<{ n: number }>();
      return String(prev.n);
    })
    .step("three", ({ prev }) => {
      expectTypeOf(prev).toEqualTypeOf<string>();
      return prev.length;
    });
  expect(built.definition.steps.map((step) => step.action)).toEqual([
    { kind: "function", handler: "chain/one" },
    { kind: "function", handler: "chain/two" },
    { kind: "function", handler: "chain/three" },
  ]);
  expect([...built.functions.keys()]).toEqual(["chain/one", "chain/two", "chain/three"]);
});

test("dependencies give their outputs by type", () => {
  const built = workflow("release")
    .step("build", () => ({ image: "app:1", regions: ["eu", "us"] }))
    .step("test", { dependsOn: ["build"], retry: { maxAttempts: 3 } }, ({ deps }) => {
      expectTypeOf(deps.build.image).toEqualTypeOf<string>();
      return deps.build.image.length;
    })
    .map(
      "smoke",
      { dependsOn: ["build"], forEach: { items: ({ deps }) => deps.build.regions, maxConcurrent: 5 } },
      ({ item, index }) => {
        expectTypeOf(item).toEqualTypeOf<string>();
        return `${item}${index}`;
      },
    )
    .step("ship", { dependsOn: ["test", "smoke"], join: "all" }, ({ deps }) => {
      expectTypeOf(deps.smoke).toEqualTypeOf<string[]>();
      return deps.test + deps.smoke.length;
    })
    .output(({ deps }) => deps.ship);
  expectTypeOf(built.outputType).toEqualTypeOf<number | undefined>();
  expect(built.definition.steps[2]?.forEach).toMatchObject({
    items: { $function: "release/smoke#items" },
    maxConcurrent: 5,
  });
  expect(built.definition.output).toEqual({ $function: "release#output" });
  expect(built.definition.steps[1]?.retry).toMatchObject({ maxAttempts: 3 });
});

test("a step that may be skipped, or that a race may leave out, may be undefined", () => {
  workflow("maybe")
    .step("a", () => 1)
    .step("b", { dependsOn: ["a"], when: ({ deps }) => deps.a === 1 }, () => "b")
    .step("c", { dependsOn: ["a"] }, () => "c")
    .step("d", { dependsOn: ["b", "c"] }, ({ deps }) => {
      expectTypeOf(deps.b).toEqualTypeOf<string | undefined>();
      expectTypeOf(deps.c).toEqualTypeOf<string>();
      return null;
    })
    .step("e", { dependsOn: ["c", "a"], join: "first" }, ({ deps }) => {
      expectTypeOf(deps.c).toEqualTypeOf<string | undefined>();
      return null;
    })
    .step("f", { dependsOn: [{ step: "c", on: "failure" }] }, ({ deps }) => {
      expectTypeOf(deps.c).toEqualTypeOf<string | undefined>();
      return 7;
    })
    .output(({ deps }) => {
      expectTypeOf(deps.f).toEqualTypeOf<number | undefined>();
      expectTypeOf(deps.d).toEqualTypeOf<null>();
      return deps.b?.length;
    });
});

test("a step that does not exist cannot be named", () => {
  const list = workflow("typo").step("build", () => 1);
  // @ts-expect-error there is no step `biuld`
  list.step("test", { dependsOn: ["biuld"] }, () => 2);
  // @ts-expect-error `deps` has only what the step depends on
  list.step("test", { dependsOn: ["build"] }, ({ deps }) => deps.other);
  expect(list.definition.steps).toHaveLength(1);
});

test("blocks, scripts, sleeps, approvals, child workflows and lists beside the main one", () => {
  const child = workflow("child")
    .step("only", () => ({ ok: true }))
    .output(({ deps }) => deps.only);
  const built = workflow("all", { maxConcurrent: 4, secrets: ["TOKEN"], timeout: "5m" })
    .run("script", "echo hello")
    .parallel("block", { onFailure: "continue", maxConcurrent: 2 }, (list) =>
      list.step("x", () => 1).step("y", { when: () => true }, () => "y"),
    )
    .sleep("nap", "10ms")
    .approval("ok", { message: "Ship it?" })
    .workflow("sub", child, { with: () => ({ from: "all" }) })
    .step("last", ({ prev }) => {
      expectTypeOf(prev).toEqualTypeOf<{ ok: boolean }>();
      return prev.ok;
    })
    .finally((list) => list.step("cleanup", () => null));
  const { definition } = built;
  expect(definition.steps.map((step) => step.action.kind)).toEqual([
    "run",
    "parallel",
    "sleep",
    "approval",
    "workflow",
    "function",
  ]);
  expect(definition.finally.map((step) => step.id)).toEqual(["cleanup"]);
  expect(definition.steps[1]?.action).toMatchObject({
    kind: "parallel",
    block: { mode: "continue", steps: [{ action: { handler: "all/x" } }, { when: { $function: "all/y#when" } }] },
  });
  expect(definition.steps[4]?.action).toMatchObject({ workflow: "child", input: { $function: "all/sub#with" } });
});

test("what has no meaning is refused with diagnostics", () => {
  expect(() => workflow("bad").step("no.dots", () => 1).definition).toThrow(/no\.dots/);
});

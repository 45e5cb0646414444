import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { JsonValue } from "@braid/core";
import { expect, test } from "vitest";
import { defineStepType, withActivePorts } from "./define-step-type.ts";
import { builtinTypes, createRegistry } from "./registry.ts";
import type { StepContext } from "./step-type.ts";

/** A schema that takes numbers above 0 under `n` and doubles them. */
function doubling(isAsync = false): StandardSchemaV1<unknown, { n: number }> {
  const validate = isAsync ? (value: unknown) => Promise.resolve(double(value)) : double;
  return { "~standard": { version: 1, vendor: "test", validate } };
}

function double(value: unknown): StandardSchemaV1.Result<{ n: number }> {
  const n = (value as { n?: unknown } | null)?.n;
  if (typeof n !== "number") return { issues: [{ message: "not a number", path: ["n"] }, { message: "wrong" }] };
  return { value: { n: n * 2 } };
}

function context(input: JsonValue): StepContext {
  return { input, attempt: 1 } as unknown as StepContext;
}

test("has the built-in types by name", () => {
  const registry = createRegistry(builtinTypes());
  expect(registry.names()).toEqual(["command", "http"]);
  expect(registry.get("http")?.name).toBe("http");
  expect(registry.has("toString")).toBe(false);
  expect(registry.get("__proto__")).toBeUndefined();
});

test("refuses two types with one name", () => {
  const type = defineStepType({ name: "command", run: () => null });
  expect(() => createRegistry([...builtinTypes(), type])).toThrow("two step types with the name `command`");
});

test.each([false, true])("gives a handler what its schema made of the input (async: %s)", async (isAsync) => {
  const type = defineStepType({
    name: "double",
    input: doubling(isAsync),
    output: doubling(isAsync),
    run: ({ input, attempt }) => ({ n: input.n + attempt }),
  });
  expect(await type.run(context({ n: 3 }))).toEqual({ output: { n: 14 } });
});

test("fails with a code of its own for input and output", async () => {
  const type = defineStepType({ name: "t", input: doubling(), output: doubling(), run: () => ({ n: "x" }) as never });
  await expect(type.run(context({}))).rejects.toMatchObject({
    code: "input_invalid",
    retryable: false,
    message: "The input does not match the schema of its type: `n`: not a number; wrong.",
  });
  await expect(type.run(context({ n: 1 }))).rejects.toMatchObject({ code: "output_invalid", retryable: undefined });
});

test("checks the input of a definition where its schema answers at once", () => {
  const type = defineStepType({ name: "t", input: doubling(), run: () => null });
  expect(type.checkInput?.({ n: 1 })).toEqual([]);
  expect(type.checkInput?.({})).toEqual(["`n`: not a number", "wrong"]);
  expect(defineStepType({ name: "t", input: doubling(true), run: () => null }).checkInput?.({})).toEqual([]);
  expect(defineStepType({ name: "t", run: () => null }).checkInput).toBeUndefined();
});

test("passes on active ports", async () => {
  const type = defineStepType({ name: "branch", output: doubling(), run: () => withActivePorts({ n: 1 }, ["yes"]) });
  expect(await type.run(context(null))).toEqual({ output: { n: 2 }, activePorts: ["yes"] });
});

test("keeps the defaults that the runtime reads", () => {
  const type = defineStepType({
    name: "t",
    maxConcurrent: 2,
    timeout: 5_000,
    retry: { maxAttempts: 3 },
    run: () => null,
  });
  expect(type).toMatchObject({ name: "t", maxConcurrent: 2, timeout: 5_000, retry: { maxAttempts: 3 } });
});

test("does not load what the handler does not ask for, and gives it a frozen context", async () => {
  let loads = 0;
  const lazy = {
    input: { n: 1 },
    get deps() {
      loads += 1;
      return {};
    },
  } as unknown as StepContext;
  const seen: unknown[] = [];
  const type = defineStepType({
    name: "t",
    input: doubling(),
    run: (own) => void seen.push(own.input, Object.isFrozen(own)),
  });
  await type.run(lazy);
  expect(seen).toEqual([{ n: 2 }, true]);
  expect(loads).toBe(0);
});

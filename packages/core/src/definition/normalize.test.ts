import { expect, test } from "vitest";
import type { Definition } from "./model.ts";
import { normalize } from "./normalize.ts";

const steps = [{ id: "a", run: "x" }];

function read(workflow: object): Definition | undefined {
  const { definition, diagnostics } = normalize({ steps, ...workflow });
  expect(diagnostics).toEqual([]);
  return definition ?? undefined;
}

function problems(workflow: unknown): readonly string[] {
  return normalize(workflow).diagnostics.map(({ code, path }) => `${code} ${path}`);
}

test("the smallest workflow has every default", () => {
  expect(read({})).toEqual({
    definitionVersion: 1,
    name: "workflow",
    inputs: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {},
      additionalProperties: false,
    },
    env: {},
    secrets: {},
    defaults: {},
    parallel: {},
    mode: "fail_all",
    steps: [{ id: "a", name: "a", action: { kind: "run", run: "x" }, env: {}, at: "/steps/0" }],
    onSuccess: [],
    onFailure: [],
    finally: [],
    priority: 0,
    types: {},
    pools: {},
    at: "",
  });
});

test("a workflow without a name takes the one that is given", () => {
  expect(normalize({ steps }, undefined, { defaultName: "release" }).definition?.name).toBe("release");
  expect(normalize({ name: "other", steps }, undefined, { defaultName: "release" }).definition?.name).toBe("other");
});

test.each<[object, object]>([
  [{ description: "d" }, { description: "d" }],
  [{ env: { A: "x", B: 1, C: true } }, { env: { A: "x", B: 1, C: true } }],
  [{ secrets: ["A"] }, { secrets: { A: { env: "A" } } }],
  [
    { secrets: { A: { env: "B" }, C: { file: "/c" }, D: null } },
    { secrets: { A: { env: "B" }, C: { file: "/c" }, D: { env: "D" } } },
  ],
  [{ defaults: { retries: 2, timeout: "1m" } }, { defaults: { retry: { maxAttempts: 3 }, timeout: 60_000 } }],
  [
    { parallel: { max_concurrent: 3, rate_limit: 5.0, fail_fast: true } },
    { parallel: { maxConcurrent: 3, rateLimit: { count: 5 } }, mode: "fail_all" },
  ],
  [{ parallel: { failFast: false } }, { mode: "continue" }],
  [{ onFailure: "complete_running" }, { mode: "complete_running", onFailure: [] }],
  [{ on_failure: "complete-running" }, { mode: "complete_running" }],
  [{ onFailure: "continue", parallel: { failFast: false } }, { mode: "continue" }],
  [
    { onFailure: [{ id: "h", run: "x" }], parallel: { failFast: false } },
    { mode: "continue", onFailure: [{ id: "h", at: "/onFailure/0" }] },
  ],
  [
    { on_success: [{ id: "s", run: "x" }], finally: [{ id: "f", run: "x" }] },
    { onSuccess: [{ id: "s", at: "/on_success/0" }], finally: [{ id: "f" }] },
  ],
  [{ timeout: "1h" }, { timeout: 3_600_000 }],
  [{ timeout_ms: 50 }, { timeout: 50 }],
  [{ mode: "sequential" }, { order: "sequential" }],
  [{ output: { a: "${{ steps.a.output }}" } }, { output: { a: "${{ steps.a.output }}" } }],
  [{ name: "w", concurrency: {} }, { concurrency: { group: "w", max: 1, onConflict: "queue" } }],
  [
    { concurrency: { group: "g", max: 2, on_conflict: "cancel_running" } },
    { concurrency: { group: "g", max: 2, onConflict: "cancelRunning" } },
  ],
  [{ priority: -1 }, { priority: -1 }],
  [{ schedule: "0 3 * * *" }, { schedule: "0 3 * * *" }],
  [{ schedule: [{ cron: "0 3 * * *" }] }, { schedule: [{ cron: "0 3 * * *" }] }],
  [
    { types: { a: { run: "x" }, b: { command: ["y"], env: { A: 1 }, shell: "sh", cwd: "/" } } },
    { types: { a: { run: "x", env: {} }, b: { command: ["y"], env: { A: 1 }, shell: "sh", workingDirectory: "/" } } },
  ],
  [{ definition_version: 1 }, { definitionVersion: 1 }],
])("%j is read", (written, expected) => {
  expect(read(written)).toMatchObject(expected);
});

test.each<[unknown, readonly string[]]>([
  [null, ["invalid_value "]],
  [[], ["invalid_value "]],
  ["steps", ["invalid_value "]],
  [{}, ["missing_value "]],
  [{ steps: null }, ["invalid_value /steps"]],
  [{ steps: [] }, ["missing_value /steps"]],
  [{ steps: { a: {} } }, ["invalid_value /steps"]],
  [{ steps: ["x", ["y"], null] }, ["invalid_value /steps/0", "invalid_value /steps/1", "invalid_value /steps/2"]],
  [{ steps, nodes: [] }, ["unknown_key /nodes"]],
  [{ steps, name: "a/b" }, ["invalid_value /name"]],
  [{ steps, name: ".." }, ["invalid_value /name"]],
  [{ steps, parallel: true }, ["invalid_value /parallel"]],
  [
    { steps, parallel: { max_concurrent: 0, fail_fast: "yes" } },
    ["invalid_value /parallel/fail_fast", "invalid_value /parallel/max_concurrent"],
  ],
  [{ steps, onFailure: "stop" }, ["invalid_value /onFailure"]],
  [{ steps, onFailure: "continue", parallel: { fail_fast: true } }, ["conflicting_keys /parallel/fail_fast"]],
  [{ steps, onFailure: "complete_running", parallel: { fail_fast: true } }, ["conflicting_keys /parallel/fail_fast"]],
  [{ steps, finally: "x" }, ["invalid_value /finally"]],
  [{ steps, secrets: { A: "value" } }, ["invalid_value /secrets/A"]],
  [{ steps, secrets: { A: {} } }, ["missing_value /secrets/A"]],
  [{ steps, secrets: { A: { env: "B", file: "c" } } }, ["conflicting_keys /secrets/A"]],
  [{ steps, env: { "A B": 1, C: [] } }, ["invalid_value /env/A B", "invalid_value /env/C"]],
  [{ steps, types: { a: {} } }, ["missing_value /types/a"]],
  [{ steps, types: { a: { run: "x", command: "y" } } }, ["conflicting_keys /types/a"]],
  [{ steps, types: { sleep: { run: "x" } } }, ["conflicting_keys /types/sleep"]],
  [{ steps, schedule: 5 }, ["invalid_value /schedule"]],
  [{ steps, output: { $function: "w" } }, ["invalid_value /output"]],
  [{ steps, definitionVersion: 2 }, ["unsupported_version /definitionVersion"]],
  [{ steps, definition_version: "1" }, ["invalid_value /definition_version"]],
  [{ steps, definitionVersion: 0 }, ["invalid_value /definitionVersion"]],
])("%j is refused", (written, expected) => {
  expect(problems(written)).toEqual(expected);
  expect(normalize(written).definition).toBeNull();
});

test("everything that is wrong is reported at once", () => {
  const written = {
    naem: 5,
    timeout: "soon",
    parallel: { maxConcurrent: "many" },
    steps: [{ id: "a.b", run: "x", timeot: 1 }, 5, { id: "c", parallel: { steps: [{ run: ["x"] }] } }],
    finally: [{ run: "x", retry: { delay: "x" } }],
  };
  expect(problems(written)).toEqual([
    "unknown_key /naem",
    "invalid_value /naem",
    "invalid_value /parallel/maxConcurrent",
    "invalid_value /timeout",
    "invalid_value /finally/0/retry/delay",
    "unknown_key /steps/0/timeot",
    "invalid_value /steps/0/id",
    "invalid_value /steps/1",
    "invalid_value /steps/2/parallel/steps/0/run",
  ]);
});

function hints(workflow: object): readonly (string | undefined)[] {
  return normalize({ steps, ...workflow }).diagnostics.map(({ hint }) => hint);
}

test("an unknown key has the nearest one as a hint, or advice", () => {
  expect(hints({ timeot: 5 })).toEqual(["Did you mean `timeout`?"]);
  expect(hints({ "on-succes": [] })).toEqual(["Did you mean `onSuccess`?"]);
  expect(hints({ maxConcurrent: 5 })).toEqual(["Write it inside `parallel:`."]);
  expect(hints({ jobs: 5 })[0]).toContain("`steps:`");
  expect(hints({ qqq: 5 })[0]).toContain("Known keys: definitionVersion, name");
});

test("a misspelled key is read as the one it probably means, for the checks that follow", () => {
  const { definition, partial } = normalize({ steps: [{ id: "a", run: "x", depend_on: ["b"] }] });
  expect(definition).toBeNull();
  expect(partial?.steps[0]?.dependsOn).toMatchObject([{ ref: "b" }]);
});

test("keys that start with x- are ignored", () => {
  expect(read({ "x-owner": {}, steps: [{ id: "a", run: "x", "x-note": 1 }] })?.steps).toHaveLength(1);
});

test("two spellings of one key are an error, and the first one counts", () => {
  const { diagnostics, partial } = normalize({ steps: [{ id: "a", run: "x", dependsOn: ["b"], depends_on: ["c"] }] });
  expect(diagnostics).toMatchObject([{ code: "conflicting_keys", path: "/steps/0/depends_on" }]);
  expect(diagnostics[0]?.message).toContain("`dependsOn` and `depends_on`");
  expect(partial?.steps[0]?.dependsOn).toMatchObject([{ ref: "b" }]);
});

test("what was given is never changed or shared", () => {
  const input = Object.freeze({ url: "x", list: Object.freeze([1]) });
  const written = Object.freeze({ steps: Object.freeze([Object.freeze({ id: "a", type: "http", with: input })]) });
  const action = normalize(written).definition?.steps[0]?.action;
  expect(action).toMatchObject({ with: input });
  expect(action?.kind === "type" && action.with).not.toBe(input);
});

test.each<[string, unknown, string]>([
  ["a function", { steps, output: () => 1 }, "/output"],
  ["a date", { steps, output: new Date(0) }, "/output"],
  ["a map", { steps, output: new Map() }, "/output"],
  ["a big integer", { steps, output: [1n] }, "/output/0"],
  ["a symbol", { steps, output: Symbol("x") }, "/output"],
  ["NaN", { steps, output: { a: Number.NaN } }, "/output/a"],
  ["infinity", { steps, output: Number.POSITIVE_INFINITY }, "/output"],
  ["an undefined item", { steps, output: [undefined] }, "/output/0"],
  ["a NUL", { steps, output: "a\u0000b" }, "/output"],
  ["half a surrogate pair", { steps, output: "\ud83d" }, "/output"],
  ["a key with a NUL", { steps, output: { "\u0000": 1 } }, "/output/\u0000"],
])("%s is not JSON that can be kept", (_, written, path) => {
  expect(normalize(written).diagnostics).toMatchObject([{ code: "invalid_value", path }]);
});

test("members that are undefined are absent, and minus zero is zero", () => {
  expect(read({ timeout: undefined, output: -0 })).toMatchObject({ output: 0 });
});

test.each(["__proto__", "constructor", "prototype"])("the key `%s` is refused everywhere", (key) => {
  const hostile: unknown = JSON.parse(`{"steps":[{"id":"a","type":"http","with":{"a":{"${key}":{"polluted":true}}}}]}`);
  expect(problems(hostile)).toEqual([`invalid_value /steps/0/with/a/${key}`]);
  expect(problems(JSON.parse(`{"${key}":{"polluted":true},"steps":[{"run":"x"}]}`))).toEqual([`invalid_value /${key}`]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("a value that contains itself is refused", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(problems({ steps, output: cycle })).toEqual(["invalid_value /output/self"]);
});

test("references that multiply are refused before they fill memory", () => {
  let bomb: unknown = "lol";
  for (let level = 0; level < 12; level += 1) bomb = Array.from({ length: 10 }, () => bomb);
  expect(problems({ steps, output: bomb })).toEqual([expect.stringMatching(/^limit_exceeded /)]);
});

function nested(levels: number): object {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return { steps, output: value };
}

test("nesting is limited to a hundred levels", () => {
  expect(problems(nested(99))).toEqual([]);
  expect(problems(nested(100))).toEqual([expect.stringMatching(/^limit_exceeded /)]);
  expect(problems(nested(5000))).toEqual([expect.stringMatching(/^limit_exceeded /)]);
});

test("a thousand problems are shown, and the others counted", () => {
  const { diagnostics } = normalize({ steps: Array.from({ length: 1500 }, () => "x") });
  expect(diagnostics).toHaveLength(1001);
  expect(diagnostics.at(-1)).toMatchObject({
    code: "limit_exceeded",
    message: "There are 500 more problems that are not shown.",
  });
});

test("diagnostics have a line and a column where the text has them, at the key or at the value", () => {
  const places = new Map([
    ["/steps/0/timeot", { line: 3, column: 9 }],
    ["/steps/0/timeot#key", { line: 3, column: 1 }],
    ["", { line: 1, column: 1 }],
  ]);
  const locate = (pointer: string, part?: "key") => places.get(part === undefined ? pointer : `${pointer}#${part}`);
  const { diagnostics } = normalize({ steps: [{ run: "x", timeot: "soon" }], name: 5 }, locate);
  expect(diagnostics.map(({ path, line, column }) => [path, line, column])).toEqual([
    ["/name", 1, 1],
    ["/steps/0/timeot", 3, 1],
    ["/steps/0/timeot", 3, 9],
  ]);
});

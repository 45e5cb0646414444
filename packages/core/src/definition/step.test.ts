import { expect, test } from "vitest";
import type { StepDefinition } from "./model.ts";
import { normalize } from "./normalize.ts";

function read(...steps: readonly object[]): readonly StepDefinition[] {
  const { definition, diagnostics } = normalize({ steps });
  expect(diagnostics).toEqual([]);
  return definition?.steps ?? [];
}

function readOne(step: object): StepDefinition | undefined {
  return read({ id: "a", run: "true", ...step })[0];
}

function problems(...steps: readonly object[]): readonly string[] {
  return normalize({ steps }).diagnostics.map(({ code, path }) => `${code} ${path}`);
}

test.each<[object, object]>([
  [{ run: "make\nmake test" }, { kind: "run", run: "make\nmake test" }],
  [
    { run: "x", shell: "zsh", cwd: "/srv" },
    { kind: "run", run: "x", shell: "zsh", workingDirectory: "/srv" },
  ],
  [{ command: "git status" }, { kind: "command", command: "git status", params: {} }],
  [
    { command: "argocd apps sync", params: { app: "api" } },
    { kind: "command", command: "argocd apps sync", params: { app: "api" } },
  ],
  [{ command: "!echo 'validating'" }, { kind: "command", command: "!echo 'validating'", params: {} }],
  [{ command: ["git", ""] }, { kind: "command", command: ["git", ""], params: {} }],
  [{ type: "validation" }, { kind: "type", type: "validation", with: {} }],
  [
    { uses: "http", with: { url: "x" } },
    { kind: "type", type: "http", with: { url: "x" } },
  ],
  [
    { type: "terraform", params: { dir: "x" } },
    { kind: "type", type: "terraform", with: {}, params: { dir: "x" } },
  ],
  [
    { workflow: "build", with: { sha: "x" } },
    { kind: "workflow", workflow: "build", input: { sha: "x" } },
  ],
  [{ workflow: "build" }, { kind: "workflow", workflow: "build", input: {} }],
  [{ sleep: "2s" }, { kind: "sleep", duration: 2000 }],
  [{ sleep: 3 }, { kind: "sleep", duration: 3000 }],
  [{ sleep: "${{ inputs.wait }}" }, { kind: "sleep", duration: "${{ inputs.wait }}" }],
  [{ approval: null }, { kind: "approval" }],
  [{ approval: true }, { kind: "approval" }],
  [{ approval: "Ship it?" }, { kind: "approval", message: "Ship it?" }],
  [{ approval: { message: "Ship it?" } }, { kind: "approval", message: "Ship it?" }],
  [{ signal: "go" }, { kind: "signal", signal: "go" }],
  [{ signal: { name: "go" } }, { kind: "signal", signal: "go" }],
  [{}, { kind: "none" }],
  [{ type: "entrypoint" }, { kind: "entrypoint" }],
  [{ type: "join" }, { kind: "none" }],
  [
    { type: "run", with: { script: "make" } },
    { kind: "run", run: "make" },
  ],
  [
    { type: "command", with: { command: "git", params: { a: 1 } } },
    { kind: "command", command: "git", params: { a: 1 } },
  ],
  [
    { type: "sleep", with: { duration: "1m" } },
    { kind: "sleep", duration: 60_000 },
  ],
  [
    { type: "approval", with: { message: "Ok?" } },
    { kind: "approval", message: "Ok?" },
  ],
  [
    { type: "signal", with: { name: "go" } },
    { kind: "signal", signal: "go" },
  ],
  [
    { type: "workflow", with: { name: "b", input: [1] } },
    { kind: "workflow", workflow: "b", input: [1] },
  ],
])("%j is an action", (written, action) => {
  expect(read({ id: "a", ...written })[0]?.action).toEqual(action);
});

test.each<[object, readonly string[]]>([
  [{ run: "x", command: "y" }, ["conflicting_keys /steps/0/command"]],
  [{ run: "x", command: "y", type: "z" }, ["conflicting_keys /steps/0/command", "conflicting_keys /steps/0/type"]],
  [{ run: "x", parallel: [{ id: "b", run: "x" }] }, ["conflicting_keys /steps/0/parallel"]],
  [{ run: "x", params: { a: 1 } }, ["conflicting_keys /steps/0/params"]],
  [{ command: "x", with: {} }, ["conflicting_keys /steps/0/with"]],
  [{ with: {} }, ["conflicting_keys /steps/0/with"]],
  [{ sleep: 1, shell: "bash" }, ["conflicting_keys /steps/0/shell"]],
  [{ workflow: "w", workingDirectory: "/" }, ["conflicting_keys /steps/0/workingDirectory"]],
  [{ run: "" }, ["invalid_value /steps/0/run"]],
  [{ run: null }, ["invalid_value /steps/0/run"]],
  [{ run: ["a", "b"] }, ["invalid_value /steps/0/run"]],
  [{ command: [] }, ["invalid_value /steps/0/command"]],
  [{ command: ["", "x"] }, ["invalid_value /steps/0/command"]],
  [{ command: "x", params: { a: { b: 1 } } }, ["invalid_value /steps/0/params/a"]],
  [{ type: 5 }, ["invalid_value /steps/0/type"]],
  [{ type: "parallel", with: {} }, ["invalid_value /steps/0/type"]],
  [{ type: "sleep" }, ["missing_value /steps/0/type"]],
  [{ type: "sleep", with: { duration: "x" } }, ["invalid_value /steps/0/with/duration"]],
  [{ type: "command", with: { comand: "x" } }, ["unknown_key /steps/0/with/comand"]],
  [{ type: "run", with: {} }, ["missing_value /steps/0/with"]],
  [{ type: "workflow", with: {} }, ["missing_value /steps/0/with"]],
  [{ type: "sleep", with: { duration: 1 }, params: {} }, ["conflicting_keys /steps/0/params"]],
  [{ approval: false }, ["invalid_value /steps/0/approval"]],
  [{ signal: {} }, ["missing_value /steps/0/signal"]],
  [{ workflow: "w", with: { $function: "w/s" } }, ["invalid_value /steps/0/with"]],
])("%j is refused as an action", (written, expected) => {
  expect(problems({ id: "a", ...written })).toEqual(expected);
});

test("the input of a type may hold any keys", () => {
  const input = { anything: { at: ["all"] }, depends_on: 1, $function: "x" };
  expect(read({ id: "a", type: "custom", with: input })[0]?.action).toMatchObject({ with: input });
});

test.each<[object, object]>([
  [{ name: "Deploy API" }, { id: "deploy-api", name: "Deploy API" }],
  [{ name: "build-backend" }, { id: "build-backend", name: "build-backend" }],
  [{ name: "fetch_data" }, { id: "fetch_data", name: "fetch_data" }],
  [{ name: "Release v1.2 (prod)" }, { id: "release-v1-2-prod", name: "Release v1.2 (prod)" }],
  [{ name: "Überprüfen" }, { id: "uberprufen", name: "Überprüfen" }],
  [{ name: "部署" }, { id: "step-1", name: "部署" }],
  [{ name: "constructor" }, { id: "constructor-step", name: "constructor" }],
  [{ id: "x" }, { id: "x", name: "x" }],
  [
    { id: "x", name: "Build it" },
    { id: "x", name: "Build it" },
  ],
  [{ id: "1" }, { id: "1", name: "1" }],
  [{}, { id: "step-1", name: "step-1" }],
])("%j gives an id and a name", (written, identity) => {
  expect(read({ run: "x", ...written })[0]).toMatchObject(identity);
});

test("steps without a name are numbered over all lists", () => {
  const { definition } = normalize({
    steps: [{ run: "a" }, { id: "b", parallel: [{ run: "c" }] }],
    finally: [{ run: "d" }],
  });
  const [first, block] = definition?.steps ?? [];
  const inner = block?.action.kind === "parallel" ? block.action.block.steps[0]?.id : undefined;
  expect(new Set([first?.id, inner, definition?.finally[0]?.id])).toEqual(new Set(["step-1", "step-2", "step-3"]));
});

test.each<[unknown, string]>([
  ["a.b", "a dot"],
  ["a/b", "`/`"],
  ["__proto__", "reserved"],
  ["constructor", "reserved"],
  ["prototype", "reserved"],
  ["-a", "no `-` at the start"],
  ["a b", "only letters"],
  ["é", "only letters"],
  ["x".repeat(129), "longer than 128"],
  [5, 'in quotes: `"5"`'],
  ["", "an empty text"],
])("the id %j is refused", (id, reason) => {
  const [diagnostic] = normalize({ steps: [{ id, run: "x" }] }).diagnostics;
  expect(diagnostic).toMatchObject({ code: "invalid_value", path: "/steps/0/id" });
  expect(`${diagnostic?.message} ${diagnostic?.hint}`).toContain(reason);
});

test("a name stays on its line", () => {
  expect(problems({ name: "a\nb", run: "x" })).toEqual(["invalid_value /steps/0/name"]);
  expect(problems({ name: "a\u001b[31m", run: "x" })).toEqual(["invalid_value /steps/0/name"]);
  expect(problems({ name: "a\u202eb", run: "x" })).toEqual(["invalid_value /steps/0/name"]);
});

test("a step without an id, a name and an action is refused", () => {
  expect(problems({ dependsOn: [] })).toEqual(["missing_value /steps/0"]);
});

test.each<[unknown, object]>([
  ["b", [{ ref: "b", on: "success", at: "/steps/0/dependsOn" }]],
  [[], []],
  [
    ["b", "Build it"],
    [
      { ref: "b", on: "success", at: "/steps/0/dependsOn/0" },
      { ref: "Build it", on: "success", at: "/steps/0/dependsOn/1" },
    ],
  ],
  [["b.error"], [{ ref: "b", on: "failure", at: "/steps/0/dependsOn/0" }]],
  [{ step: "b", on: "settled" }, [{ ref: "b", on: "settled", at: "/steps/0/dependsOn" }]],
  [[{ step: "b" }], [{ ref: "b", on: "success", at: "/steps/0/dependsOn/0" }]],
  [[{ id: "b", on: "failure", port: "no" }], [{ ref: "b", on: "failure", port: "no", at: "/steps/0/dependsOn/0" }]],
])("dependsOn %j is read", (dependsOn, expected) => {
  expect(readOne({ dependsOn })?.dependsOn).toEqual(expected);
});

test("no dependsOn is not the same as an empty one", () => {
  expect(readOne({})).not.toHaveProperty("dependsOn");
  expect(readOne({ depends_on: [] })?.dependsOn).toEqual([]);
});

test.each<[unknown, string]>([
  [5, "invalid_value /steps/0/dependsOn"],
  [null, "invalid_value /steps/0/dependsOn"],
  [[5], "invalid_value /steps/0/dependsOn/0"],
  [[""], "invalid_value /steps/0/dependsOn/0"],
  [[{ on: "failure" }], "missing_value /steps/0/dependsOn/0"],
  [[{ step: "b", on: "error" }], "invalid_value /steps/0/dependsOn/0/on"],
  [[{ step: "b", when: "error" }], "unknown_key /steps/0/dependsOn/0/when"],
])("dependsOn %j is refused", (dependsOn, expected) => {
  expect(problems({ id: "a", run: "x", dependsOn })).toEqual([expected]);
});

test.each<[unknown, object]>([
  ["all", { kind: "all", quorum: 0, cancelRest: false }],
  ["any", { kind: "any", quorum: 0, cancelRest: false }],
  ["first", { kind: "first", quorum: 0, cancelRest: true }],
  ["settled", { kind: "settled", quorum: 0, cancelRest: false }],
  [{ quorum: 2 }, { kind: "quorum", quorum: 2, cancelRest: false }],
  [
    { quorum: 2, cancel_rest: true },
    { kind: "quorum", quorum: 2, cancelRest: true },
  ],
])("join %j is read", (join, expected) => {
  expect(readOne({ join })?.join).toEqual(expected);
});

test.each<[object, true | number | undefined]>([
  [{}, undefined],
  [{ parallel: true }, true],
  [{ parallel: false }, undefined],
  [{ parallelGroup: 2 }, 2],
  [{ parallel_group: 0 }, undefined],
  [{ parallel: true, parallelGroup: 3 }, 3],
  [{ parallel: false, parallelGroup: 3 }, 3],
  [{ parallel: true, parallelGroup: 0 }, true],
])("%j marks a step with %j", (written, mark) => {
  expect(readOne(written)?.mark).toBe(mark);
});

test.each<[object, StepDefinition["onError"]]>([
  [{}, undefined],
  [{ continueOnError: true }, "continue"],
  [{ continue_on_error: false }, "fail"],
  [{ onError: "skipDependents" }, "skipDependents"],
  [{ on_error: "skip_dependents" }, "skipDependents"],
  [{ on_failure: "fail" }, "fail"],
  [{ on_failure: "continue" }, "continue"],
  [{ on_failure: "skip" }, "continue"],
  [{ onFailure: "continue", continueOnError: true }, "continue"],
])("%j says what a failure means", (written, onError) => {
  expect(readOne(written)?.onError).toBe(onError);
});

test.each<[object, readonly string[]]>([
  [{ continueOnError: true, onError: "skipDependents" }, ["conflicting_keys /steps/0/onError"]],
  [{ continueOnError: false, on_failure: "continue" }, ["conflicting_keys /steps/0/on_failure"]],
  [{ on_failure: "fail_all" }, ["invalid_value /steps/0/on_failure"]],
  [{ onFailure: [{ run: "x" }] }, ["invalid_value /steps/0/onFailure"]],
])("%j is refused", (written, expected) => {
  expect(problems({ id: "a", run: "x", ...written })).toEqual(expected);
});

test.each<[object, object]>([
  [{ retry: 3 }, { maxAttempts: 4 }],
  [{ retry: 0 }, { maxAttempts: 1 }],
  [{ retries: 3 }, { maxAttempts: 4 }],
  [{ max_attempts: 3 }, { maxAttempts: 3 }],
  [{ retry: { attempts: 3 } }, { maxAttempts: 3 }],
  [{ retry: { retries: 3 } }, { maxAttempts: 4 }],
  [
    { retry: { delay: "2s", backoff: "exponential", factor: 2, maxDelay: "1m", jitter: 0.1 } },
    { delay: 2000, backoff: "exponential", factor: 2, maxDelay: 60_000, jitter: 0.1 },
  ],
  [{ retry: { delay_ms: 250, on: "timeout" } }, { delay: 250, on: ["timeout"] }],
  [{ retry: { base_delay: 5, on: ["timeout", "exit_code"] } }, { delay: 5000, on: ["timeout", "exit_code"] }],
])("%j says how often a task is repeated", (written, retry) => {
  expect(readOne(written)?.retry).toEqual(retry);
});

test.each<[object, number | string]>([
  [{ timeout: 600 }, 600_000],
  [{ timeout: "5m" }, 300_000],
  [{ timeout_ms: 500 }, 500],
  [{ timeout: "${{ inputs.limit }}" }, "${{ inputs.limit }}"],
])("%j limits an attempt", (written, timeout) => {
  expect(readOne(written)?.timeout).toBe(timeout);
});

test.each<[object, string]>([
  [{ timeout: 0 }, "/steps/0/timeout"],
  [{ timeout: "0s" }, "/steps/0/timeout"],
  [{ timeout_ms: "5s" }, "/steps/0/timeout_ms"],
  [{ timeout_ms: "${{ inputs.x }}" }, "/steps/0/timeout_ms"],
  [{ deadline: true }, "/steps/0/deadline"],
  [{ startDelay: -1 }, "/steps/0/startDelay"],
  [{ retry: { delay: "${{ inputs.x }}" } }, "/steps/0/retry/delay"],
  [{ retries: { delay: 1 } }, "/steps/0/retries"],
  [{ retry: { maxAttempts: 0 } }, "/steps/0/retry/maxAttempts"],
])("%j is no duration or number", (written, path) => {
  expect(problems({ id: "a", run: "x", ...written })).toEqual([`invalid_value ${path}`]);
});

test.each<[unknown, object]>([
  [5, { count: 5, perMs: 1000, burst: 1 }],
  [0.5, { count: 1, perMs: 2000, burst: 1 }],
  [2.5, { count: 5, perMs: 2000, burst: 1 }],
  [1 / 3, { count: 1, perMs: 3000, burst: 1 }],
  [
    { count: 100, per: "1m", burst: 10 },
    { count: 100, perMs: 60_000, burst: 10 },
  ],
  [{ limit: 3 }, { count: 3, perMs: 1000, burst: 1 }],
])("rateLimit %j is %j", (rateLimit, expected) => {
  expect(readOne({ rateLimit })?.rateLimit).toEqual(expected);
});

test.each<[unknown, object]>([
  [["eu", "us"], { items: ["eu", "us"] }],
  ["${{ inputs.regions }}", { items: "${{ inputs.regions }}" }],
  [
    { items: [1], as: "region", maxConcurrent: 5, rateLimit: 2 },
    { items: [1], as: "region", maxConcurrent: 5, rateLimit: { count: 2, perMs: 1000, burst: 1 } },
  ],
  [
    { items: [1], on_failure: "continue", tolerate_failures: "10%" },
    { items: [1], mode: "continue", tolerate: { kind: "percent", value: 10 } },
  ],
  [
    { items: [1], tolerateFailures: 3 },
    { items: [1], tolerate: { kind: "items", value: 3 } },
  ],
])("forEach %j is read", (forEach, expected) => {
  expect(readOne({ forEach })?.forEach).toEqual(expected);
});

test.each<[unknown, string]>([
  ["inputs.regions", "invalid_value /steps/0/forEach"],
  [5, "invalid_value /steps/0/forEach"],
  [{ as: "x" }, "missing_value /steps/0/forEach"],
  [{ items: {} }, "invalid_value /steps/0/forEach/items"],
  [{ items: { $function: "x" } }, "invalid_value /steps/0/forEach/items"],
  [{ items: [], as: "steps" }, "invalid_value /steps/0/forEach/as"],
  [{ items: [], as: "a-b" }, "invalid_value /steps/0/forEach/as"],
  [{ items: [], tolerateFailures: "101%" }, "invalid_value /steps/0/forEach/tolerateFailures"],
  [{ items: [], tolerateFailures: -1 }, "invalid_value /steps/0/forEach/tolerateFailures"],
])("forEach %j is refused", (forEach, expected) => {
  expect(problems({ id: "a", run: "x", forEach })).toEqual([expected]);
});

test("conditions are texts or constants", () => {
  expect(readOne({ if: "inputs.deploy" })?.when).toBe("inputs.deploy");
  expect(readOne({ run_if: "${{ inputs.deploy }}" })?.when).toBe("${{ inputs.deploy }}");
  expect(readOne({ condition: false })?.when).toBe("${{ false }}");
  expect(problems({ id: "a", run: "x", when: 1 })).toEqual(["invalid_value /steps/0/when"]);
});

test("a runner is a word or a mapping with a kind", () => {
  expect(readOne({ runner: "docker" })?.runner).toEqual({ kind: "docker" });
  expect(readOne({ runner: { kind: "docker", image: "x" } })?.runner).toEqual({ kind: "docker", image: "x" });
  expect(problems({ id: "a", run: "x", runner: { image: "x" } })).toEqual(["missing_value /steps/0/runner"]);
});

test("a key without a value is skipped with a warning", () => {
  const { definition, diagnostics } = normalize({ steps: [{ id: "a", run: "x", timeout: null, rate_limit: null }] });
  expect(definition?.steps[0]).not.toHaveProperty("timeout");
  expect(diagnostics.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
    "warning /steps/0/timeout",
    "warning /steps/0/rate_limit",
  ]);
});

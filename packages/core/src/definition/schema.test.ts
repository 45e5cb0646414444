import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { SECTIONS } from "./aliases.ts";
import type { Section } from "./aliases.ts";
import { spellings } from "./meaning.ts";
import { parseDefinition } from "./parse-definition.ts";
import { jsonSchema, jsonSchemaText } from "./schema.ts";

// The schema and the readers are written apart, because zod is slow to load; these tables hold them together.

type Written = { readonly [name: string]: unknown };

const run = { id: "a", run: "true" };

function step(keys: Written): Written {
  return { steps: [{ ...run, ...keys }] };
}

function workflow(keys: Written): Written {
  return { ...keys, steps: [run] };
}

function block(keys: Written, beside: Written = {}): Written {
  return { steps: [{ ...beside, parallel: { steps: [run], ...keys } }] };
}

function graph(keys: Written): Written {
  return { nodes: [{ id: "a" }, { id: "b" }], ...keys };
}

function node(keys: Written): Written {
  return { nodes: [{ id: "a", ...keys }] };
}

function edge(keys: Written): Written {
  return graph({ edges: [{ source: "a", target: "b", ...keys }] });
}

/** Accepted by schema and readers. */
const VALID: Written = {
  "one step": { steps: [run] },
  "a name and a description": workflow({ name: "Release 1", description: "" }),
  "a definition version": workflow({ definitionVersion: 1 }),
  "extension keys": { ...workflow({ "x-owner": "team" }), "x-y": { z: 1 } },
  "extension keys in steps": step({ "x-note": 1 }),
  "inputs by name": workflow({
    inputs: { sha: { type: "string", required: true, description: "d", enum: ["a"], default: "a" } },
  }),
  "inputs as defaults and types": workflow({ vars: { a: 1, b: "string", c: true, d: ["x"], e: null } }),
  "inputs as a JSON Schema": workflow({
    inputs: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
  }),
  variables: workflow({ variables: { app: "api" } }),
  parameters: workflow({ parameters: { app: "api" } }),
  env: workflow({ env: { A: "1", B: 2, C: true, D: "${{ inputs.x }}" } }),
  "secrets as a list": workflow({ secrets: ["TOKEN"] }),
  "secrets as a mapping": workflow({ secrets: { A: { env: "B" }, C: { file: "/run/c" }, D: null } }),
  defaults: workflow({ defaults: { retry: { maxAttempts: 2 }, timeout: "5m" } }),
  "defaults with retries": workflow({ defaults: { retries: 3, timeout_ms: 100 } }),
  "the workflow's limits": workflow({ parallel: { max_concurrent: 10, rate_limit: 5.0, fail_fast: true } }),
  "a mode as onFailure": workflow({ onFailure: "complete_running" }),
  "a mode as on_failure": workflow({ on_failure: "continue" }),
  "steps as onFailure": workflow({ onFailure: [{ id: "b", run: "x" }] }),
  "onSuccess and finally": workflow({ onSuccess: [], finally: [{ id: "c", run: "x" }] }),
  "a timeout": workflow({ timeout: "1h30m" }),
  "an order": workflow({ mode: "graph" }),
  "an output": workflow({ output: { a: ["${{ steps.a.output }}"] } }),
  "run concurrency": workflow({ concurrency: { group: "${{ inputs.env }}", max: 2, onConflict: "cancel_running" } }),
  "a priority": workflow({ priority: -5 }),
  "a schedule": workflow({ schedule: "0 3 * * *" }),
  schedules: workflow({ schedule: ["0 3 * * *", { cron: "0 4 * * *", timezone: "UTC" }] }),
  types: {
    types: { validation: { run: "true" }, kubernetes: { command: ["kubectl", "apply"], env: { A: 1 }, cwd: "/x" } },
    steps: [{ id: "a", type: "validation" }],
  },
  "a step by name": { steps: [{ name: "Deploy API", command: "argocd apps sync", params: { app: "api" } }] },
  "a shell command": { steps: [{ name: "x", command: "!echo 'validating'" }] },
  "a list of words": { steps: [{ id: "a", command: ["git", "status"] }] },
  "params of every kind": {
    steps: [{ id: "a", command: "x", params: { a: 1, b: true, c: null, d: ["x", 1], e: "t" } }],
  },
  "a type with input": { steps: [{ id: "a", type: "http", with: { url: "https://example.org" } }] },
  uses: { steps: [{ id: "a", uses: "http", with: { url: "x" } }] },
  "a child workflow": { steps: [{ id: "a", workflow: "build", with: { sha: "x" } }] },
  "a sleep": {
    steps: [
      { id: "a", sleep: "2s" },
      { id: "b", sleep: { duration: 3 } },
    ],
  },
  approvals: {
    steps: [
      { id: "a", approval: null },
      { id: "b", approval: "Ship it?" },
      { id: "c", approval: { message: "Ok?" } },
      { id: "d", approval: true },
    ],
  },
  signals: {
    steps: [
      { id: "a", signal: "go" },
      { id: "b", signal: { name: "go" } },
    ],
  },
  "a join": { steps: [run, { id: "b", dependsOn: ["a"] }] },
  "depends_on as text": { steps: [run, { id: "b", run: "x", depends_on: "a" }] },
  "dependencies of every kind": {
    steps: [
      run,
      { id: "b", run: "x", dependsOn: ["a.error", { step: "a", on: "settled" }, { id: "a", on: "failure" }] },
    ],
  },
  "an empty dependsOn": step({ dependsOn: [] }),
  joins: { steps: ["all", "any", "first", "settled"].map((join, index) => ({ id: `s${index}`, join })) },
  "a quorum": step({ join: { quorum: 2, cancelRest: true } }),
  join_strategy: step({ join_strategy: "any" }),
  conditions: {
    steps: [
      { ...run, when: "${{ inputs.x }}" },
      { id: "b", run: "x", if: "inputs.x" },
      { id: "c", run: "x", condition: true },
      { id: "d", run: "x", run_if: "x" },
    ],
  },
  "an unmet condition": step({ whenUnmet: "skip_branch" }),
  "items as a list": step({ forEach: [1, "a", { b: 2 }] }),
  "items as a template": step({ for_each: "${{ inputs.regions }}" }),
  "items with limits": step({
    forEach: {
      items: [1],
      as: "region",
      maxConcurrent: 2,
      rateLimit: { count: 1, per: "1m", burst: 2 },
      onFailure: "continue",
      tolerateFailures: "10%",
    },
  }),
  "a number of tolerated items": step({ foreach: { items: [1], tolerate_failures: 3 } }),
  "a number of retries": step({ retry: 3 }),
  retries: step({ retries: 3 }),
  attempts: step({ max_attempts: 3 }),
  "a retry with everything": step({
    retry: {
      max_attempts: 3,
      delay: "1s",
      backoff: "exponential",
      factor: 2,
      max_delay: "1m",
      jitter: 0.5,
      on: ["timeout"],
    },
  }),
  "retries inside retry": step({ retry: { retries: 2, on: "timeout" } }),
  "durations of every kind": {
    steps: ["500ms", "2s", "5m", "1h", "1d", "PT5M", "P1DT2H", 600, "1.5h", "600", "${{ inputs.t }}"].map(
      (timeout, index) => ({ id: `s${index}`, run: "x", timeout }),
    ),
  },
  timeout_ms: step({ timeout_ms: 500 }),
  "deadline and delay": step({ deadline: "1h", startDelay: 0 }),
  tolerance: step({ continueOnError: true }),
  "error policies": {
    steps: [
      { ...run, onError: "skip_dependents" },
      { id: "b", run: "x", on_failure: "skip" },
    ],
  },
  "key concurrency": step({ concurrency: { key: "db", max: 2 } }),
  "a rate": step({ rateLimit: 0.5 }),
  "a rate with limit": step({ rate_limit: { limit: 5, per: "1m" } }),
  "where it runs": step({
    queue: "gpu",
    resources: { cpu: 2 },
    runner: "docker",
    shell: "bash",
    workingDirectory: "/srv",
    env: { A: "b" },
  }),
  "a runner with settings": step({ runner: { kind: "docker", image: "node:20" } }),
  "set and output": step({ set: { a: "${{ steps.a.output }}" }, output: { type: "object" } }),
  marks: {
    steps: [
      { ...run, parallel: true },
      { id: "b", run: "x", parallel: false },
      { id: "c", run: "x", parallelGroup: 1 },
      { id: "d", run: "x", parallel_group: 0 },
    ],
  },
  "a block": block({ name: "All", on_failure: "fail_all", timeout: 600, max_concurrent: 2, rate_limit: 1 }),
  "a block as a list": { steps: [{ id: "b", parallel: [run] }] },
  "what stands beside a block": block(
    {},
    {
      id: "b",
      dependsOn: [],
      join: "any",
      when: true,
      whenUnmet: "fail",
      continueOnError: true,
      priority: 1,
      timeout: 5,
      maxConcurrent: 2,
      rateLimit: 1,
    },
  ),
  "a block in a block": block({ steps: [{ id: "c", parallel: { steps: [run] } }] }),
  nodes: graph({ name: "g" }),
  "nodes and edges": graph({
    edges: [{ id: "e", source: "a", target: "b", sourceHandle: "out.x", targetHandle: "in" }],
  }),
  "an error edge": edge({ edgeType: "error" }),
  "an edge kind": edge({ kind: "success" }),
  "an edge as an editor writes it": edge({
    sourceHandle: null,
    targetHandle: null,
    type: "smoothstep",
    animated: true,
    data: { anything: 1 },
  }),
  "a node with everything": node({
    type: "http",
    params: { url: "x" },
    joinStrategy: "any",
    runnerConfig: { kind: "docker" },
    maxConcurrency: 2,
    groupId: "g",
  }),
  "a node as an editor writes it": node({
    type: "custom",
    position: { x: 1, y: 2 },
    data: { type: "http", params: { a: 1 }, label: "A", icon: "x" },
    width: 5,
    selected: true,
  }),
  "an entrypoint": node({ type: "entrypoint" }),
  groups: graph({ groups: { g: { maxConcurrent: 2, rateLimit: 5 } } }),
};

/** Refused by both. */
const INVALID: Written = {
  "no steps": {},
  "an empty list of steps": { steps: [] },
  "steps as a mapping": { steps: { build: { run: "x" } } },
  "a step that is text": { steps: ["make"] },
  "an unknown key": workflow({ stepz: [] }),
  "an unknown key of a step": step({ timeot: 5 }),
  "an unknown key of a block": block({ retries: 1 }),
  "an unknown key of retry": step({ retry: { atempts: 1 } }),
  "a word of another tool": step({ needs: ["a"] }),
  "limits at the workflow": workflow({ maxConcurrent: 3 }),
  "a number as a name": workflow({ name: 5 }),
  "a slash in a workflow's name": workflow({ name: "a/b" }),
  "a newer version": workflow({ definitionVersion: 2 }),
  "an id with a dot": { steps: [{ id: "a.b", run: "x" }] },
  "an id with a slash": { steps: [{ id: "a/b", run: "x" }] },
  "a reserved id": { steps: [{ id: "constructor", run: "x" }] },
  "run as a list": { steps: [{ id: "a", run: ["x"] }] },
  "an empty run": { steps: [{ id: "a", run: "" }] },
  "params with a mapping": { steps: [{ id: "a", command: "x", params: { a: { b: 1 } } }] },
  "a wrong duration": step({ timeout: "soon" }),
  years: step({ timeout: "P1Y" }),
  "a negative timeout": step({ timeout: -1 }),
  "a template as a retry delay": step({ retry: { delay: "${{ inputs.d }}" } }),
  "a wrong backoff": step({ retry: { backoff: "exponental" } }),
  "half an attempt": step({ retry: { maxAttempts: 0.5 } }),
  "negative retries": step({ retries: -1 }),
  "too much jitter": step({ retry: { jitter: 2 } }),
  "no tolerance at all": step({ forEach: { items: [], tolerateFailures: "200%" } }),
  "items without a list": step({ forEach: { as: "x" } }),
  "items that are text": step({ forEach: "regions" }),
  "a wrong join": step({ join: "both" }),
  "a quorum of nothing": step({ join: { quorum: 0 } }),
  "a word without its number": step({ join: "quorum" }),
  "a number as a dependency": step({ dependsOn: [1] }),
  "a wrong dependency": step({ dependsOn: [{ step: "a", on: "error" }] }),
  "a rate of nothing": step({ rateLimit: 0 }),
  "a text as a flag": step({ continueOnError: "yes" }),
  "a mode at a step": step({ onFailure: "fail_all" }),
  "a wrong mode": workflow({ onFailure: "stop" }),
  "a wrong mode of a block": block({ onFailure: "skip" }),
  "a wrong order": workflow({ mode: "parallel" }),
  "a negative group": step({ parallelGroup: -1 }),
  "a number as parallel": { steps: [{ ...run, parallel: 3 }] },
  "an empty block": block({ steps: [] }),
  "a block without steps": { steps: [{ id: "b", parallel: { name: "x" } }] },
  "an output that is text": step({ output: "${{ x }}" }),
  "a list as env": step({ env: ["A=1"] }),
  "a mapping in env": step({ env: { A: {} } }),
  "a variable with a dash": step({ env: { "A-B": 1 } }),
  "a secret with a value": workflow({ secrets: { A: "s3cret" } }),
  "a wrong runner": step({ runner: "vm" }),
  "an amount that is text": step({ resources: { cpu: "2" } }),
  "a wrong input type": workflow({ inputs: { a: { type: "text" } } }),
  "an unknown key of an input": workflow({ inputs: { a: { type: "string", reqired: true } } }),
  "a wrong onConflict": workflow({ concurrency: { onConflict: "wait" } }),
  "a key concurrency without a key": step({ concurrency: { max: 1 } }),
  "an empty graph": { nodes: [] },
  "a node that is text": { nodes: ["a"] },
  "a graph with steps": graph({ steps: [run] }),
  "an edge without a target": graph({ edges: [{ source: "a" }] }),
  "a wrong edge kind": edge({ edgeType: "sometimes" }),
  "an unknown key of a node": node({ joinStategy: "any" }),
  "dependencies at a node": node({ dependsOn: ["b"] }),
  "a wrong join strategy in data": node({ data: { joinStrategy: "both" } }),
};

/** Refused by the readers alone. */
const ONLY_READERS_KNOW: Written = {
  "two spellings of one key": step({ dependsOn: [], depends_on: [] }),
  "two ways to say retry": step({ retry: 1, retries: 2 }),
  "two actions": { steps: [{ id: "a", run: "x", command: "y" }] },
  "params beside run": step({ params: { a: 1 } }),
  "with without a type": { steps: [{ id: "a", with: {} }] },
  "a step without anything": { steps: [{ dependsOn: [] }] },
  "failFast against onFailure": workflow({ onFailure: "continue", parallel: { failFast: true } }),
  "tolerance said twice": step({ continueOnError: true, onError: "fail" }),
  "a retry at a block": block({}, { retry: 1 }),
  "a deadline at a block": block({}, { deadline: 1 }),
  "a map of a block": block({}, { forEach: [1] }),
  "a limit inside and beside a block": block({ timeout: 1 }, { timeout: 2 }),
  "a cap at a plain step": step({ maxConcurrent: 2 }),
  "a map of a join": { steps: [{ id: "a", forEach: [1] }] },
  "no time at all": step({ timeout: 0 }),
  "a default that does not fit": workflow({ inputs: { a: { type: "string", default: 1 } } }),
  "a default that is not allowed": workflow({ inputs: { a: { enum: ["x"], default: "y" } } }),
  "a secret from two places": workflow({ secrets: { A: { env: "B", file: "c" } } }),
  "a type that runs nothing": workflow({ types: { a: {} } }),
  "a bound type with a built-in name": workflow({ types: { sleep: { run: "x" } } }),
  "a rate without a count": step({ rateLimit: { per: "1m" } }),
  "an edge from nowhere": edge({ source: "c" }),
  "an edge to nowhere": edge({ target: "c" }),
  "a reserved item name": step({ forEach: { items: [], as: "steps" } }),
};

const schema = jsonSchema();
const accepts = new Ajv2020({ strict: false }).compile(schema);

interface Mapping {
  readonly properties: {
    readonly [key: string]: { readonly title?: string; readonly description?: string; readonly $ref?: string };
  };
}

const mappings = schema["$defs"] as unknown as { readonly [name: string]: Mapping };

// `npm run schema -w packages/core` writes the file anew.
test("the published file is what the schema generates", async () => {
  const file = fileURLToPath(new URL("../../schema/workflow.schema.json", import.meta.url));
  await expect(jsonSchemaText()).toMatchFileSnapshot(file);
});

test.each(Object.entries(VALID))("schema and readers accept %s", (_, written) => {
  expect(accepts(written), JSON.stringify(accepts.errors)).toBe(true);
  expect(parseDefinition(written).diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
});

test.each(Object.entries(INVALID))("schema and readers refuse %s", (_, written) => {
  expect(accepts(written)).toBe(false);
  expect(parseDefinition(written).definition).toBeNull();
});

test.each(Object.entries(ONLY_READERS_KNOW))("readers refuse %s, which no schema can say", (_, written) => {
  expect(accepts(written), JSON.stringify(accepts.errors)).toBe(true);
  expect(parseDefinition(written).definition).toBeNull();
});

// Programs other than editors have no use for these: they are spellings and sections with one key each in an editor's eyes.
const SECTIONS_WITHOUT_SCHEMA = new Set<Section>(["runInput", "commandInput", "workflowInput"]);

test.each(Object.keys(SECTIONS).filter((name) => !SECTIONS_WITHOUT_SCHEMA.has(name as Section)) as Section[])(
  "the schema of `%s` has every documented spelling, with a title and a description",
  (name) => {
    const { properties } = mappings[name] ?? { properties: {} };
    for (const written of spellings(name).keys()) {
      const described = properties[written];
      expect(described, written).toBeDefined();
      const target = mappings[described?.$ref?.split("/").at(-1) ?? ""] as
        | { title?: string; description?: string }
        | undefined;
      expect(described?.title ?? target?.title, written).toBeTruthy();
      expect(described?.description ?? target?.description, written).toBeTruthy();
    }
  },
);

test("an editor completes only canonical keys", () => {
  const keys = mappings["step"]?.properties ?? {};
  const completed = Object.entries(keys).filter(([, property]) => !("doNotSuggest" in property));
  expect(completed.map(([key]) => key)).toEqual(SECTIONS.step.keys);
});

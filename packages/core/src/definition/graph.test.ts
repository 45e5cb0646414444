import { expect, test } from "vitest";
import type { Definition, StepDefinition } from "./model.ts";
import { parseDefinition, parseGraph } from "./parse-definition.ts";

function read(graph: object): Definition {
  const { definition, diagnostics } = parseGraph(graph);
  expect(diagnostics).toEqual([]);
  expect(definition).not.toBeNull();
  return definition as Definition;
}

function target(edges: readonly object[], node: object = {}): StepDefinition | undefined {
  const nodes = [
    { id: "a", type: "http" },
    { id: "c", type: "http" },
    { id: "b", type: "http", ...node },
  ];
  return read({ nodes, edges }).steps[2];
}

function problems(graph: unknown): readonly string[] {
  return parseGraph(graph).diagnostics.map(({ code, severity, path }) => `${severity} ${code} ${path}`);
}

test("nodes and edges become a list of steps with dependencies", () => {
  const definition = read({
    name: "scan",
    description: "d",
    nodes: [
      { id: "start", type: "entrypoint" },
      { id: "scan", type: "scanner", params: { depth: 2 }, joinStrategy: "any" },
    ],
    edges: [{ id: "e1", source: "start", target: "scan" }],
  });
  expect(definition).toMatchObject({ name: "scan", description: "d", order: "graph", mode: "fail_all", at: "" });
  expect(definition.steps).toEqual([
    { id: "start", name: "start", action: { kind: "entrypoint" }, dependsOn: [], env: {}, at: "/nodes/0" },
    {
      id: "scan",
      name: "scan",
      action: { kind: "type", type: "scanner", with: { depth: 2 } },
      dependsOn: [{ ref: "start", on: "success", at: "/edges/0" }],
      join: { kind: "any", quorum: 0, cancelRest: false },
      env: {},
      at: "/nodes/1",
    },
  ]);
});

test("a graph without declared inputs takes any input, for its entrypoint", () => {
  expect(read({ nodes: [{ id: "a" }] }).inputs).toEqual({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
  });
  expect(read({ nodes: [{ id: "a" }], inputs: { x: "string" } }).inputs).toMatchObject({ additionalProperties: false });
});

interface Handles {
  readonly edge: object;
  readonly input: object;
  readonly dependency: object;
}

test.each<[string, Handles]>([
  [
    "both handles",
    {
      edge: { sourceHandle: "image", targetHandle: "tag" },
      input: { tag: "${{ steps.a.output.image }}" },
      dependency: { port: "image" },
    },
  ],
  [
    "a path with positions",
    {
      edge: { sourceHandle: "items.0.my name", targetHandle: "x" },
      input: { x: "${{ steps.a.output.items[0]['my name'] }}" },
      dependency: { port: "items.0.my name" },
    },
  ],
  [
    "a path with a quote",
    {
      edge: { sourceHandle: "it's", targetHandle: "x" },
      input: { x: "${{ steps.a.output['it''s'] }}" },
      dependency: { port: "it's" },
    },
  ],
  ["only a target handle", { edge: { targetHandle: "all" }, input: { all: "${{ steps.a.output }}" }, dependency: {} }],
  ["only a source handle", { edge: { sourceHandle: "yes" }, input: {}, dependency: { port: "yes" } }],
  ["no handles", { edge: {}, input: {}, dependency: {} }],
  ["empty handles", { edge: { sourceHandle: null, targetHandle: null }, input: {}, dependency: {} }],
  [
    "snake_case",
    {
      edge: { source_handle: "x", target_handle: "y" },
      input: { y: "${{ steps.a.output.x }}" },
      dependency: { port: "x" },
    },
  ],
])("an edge with %s", (_, { edge, input, dependency }) => {
  const step = target([{ source: "a", target: "b", ...edge }]);
  expect(step?.action).toEqual({ kind: "type", type: "http", with: input });
  expect(step?.dependsOn).toEqual([{ ref: "a", on: "success", ...dependency, at: "/edges/0" }]);
});

test.each<[object, string]>([
  [{ edgeType: "success" }, "success"],
  [{ edgeType: "error" }, "failure"],
  [{ kind: "error" }, "failure"],
  [{ edge_type: "failure" }, "failure"],
  [{ kind: "settled" }, "settled"],
  [{ type: "error" }, "failure"],
  [{ type: "smoothstep" }, "success"],
  [{ data: { kind: "error", label: "x" } }, "failure"],
])("the edge %j waits for %s", (keys, on) => {
  expect(target([{ source: "a", target: "b", ...keys }])?.dependsOn).toMatchObject([{ ref: "a", on }]);
});

test.each<[object, string]>([
  [{ targetHandle: "e" }, "${{ steps.a.error }}"],
  [{ sourceHandle: "error", targetHandle: "e" }, "${{ steps.a.error }}"],
  [{ sourceHandle: "error.message", targetHandle: "e" }, "${{ steps.a.error.message }}"],
  [{ sourceHandle: "message", targetHandle: "e" }, "${{ steps.a.error.message }}"],
])("an error edge %j carries the error and has no port", (handles, template) => {
  const step = target([{ source: "a", target: "b", kind: "error", ...handles }]);
  expect(step?.action).toMatchObject({ with: { e: template } });
  expect(step?.dependsOn).toEqual([{ ref: "a", on: "failure", at: "/edges/0" }]);
});

test("several handles of one port are one dependency, and several ports are several", () => {
  const step = target([
    { source: "a", target: "b", sourceHandle: "x", targetHandle: "one" },
    { source: "a", target: "b", sourceHandle: "x", targetHandle: "two" },
    { source: "a", target: "b", sourceHandle: "y", targetHandle: "three" },
  ]);
  expect(step?.dependsOn).toEqual([
    { ref: "a", on: "success", port: "x", at: "/edges/0" },
    { ref: "a", on: "success", port: "y", at: "/edges/2" },
  ]);
  expect(step?.action).toMatchObject({
    with: { one: "${{ steps.a.output.x }}", two: "${{ steps.a.output.x }}", three: "${{ steps.a.output.y }}" },
  });
});

test("branches that meet at one input give the first value that is there", () => {
  const step = target([
    { source: "a", target: "b", sourceHandle: "x", targetHandle: "in" },
    { source: "c", target: "b", targetHandle: "in" },
  ]);
  expect(step?.action).toMatchObject({ with: { in: "${{ default(steps.a.output.x, steps.c.output) }}" } });
});

test.each([{}, { type: "join" }, { run: "x" }, { type: "approval" }, { type: "sleep", params: { duration: 1 } }])(
  "a handle into %j, which has no such input, only orders",
  (node) => {
    const nodes = [{ id: "a" }, { id: "b", ...node }];
    const [, step] = read({ nodes, edges: [{ source: "a", target: "b", targetHandle: "top" }] }).steps;
    expect(step?.dependsOn).toMatchObject([{ ref: "a" }]);
    expect(JSON.stringify(step?.action)).not.toContain("top");
  },
);

test("a handle fills an input of a built-in type", () => {
  const nodes = [{ id: "a" }, { id: "b", type: "sleep" }];
  const edges = [{ source: "a", target: "b", sourceHandle: "wait", targetHandle: "duration" }];
  expect(read({ nodes, edges }).steps[1]?.action).toEqual({ kind: "sleep", duration: "${{ steps.a.output.wait }}" });
});

test("a command gets what arrives as parameters", () => {
  const step = read({
    nodes: [{ id: "a" }, { id: "b", command: "git", params: { x: 1 } }],
    edges: [{ source: "a", target: "b", targetHandle: "y" }],
  }).steps[1];
  expect(step?.action).toEqual({ kind: "command", command: "git", params: { x: 1, y: "${{ steps.a.output }}" } });
});

test("ids that are no names are quoted in templates", () => {
  const { steps } = read({
    nodes: [{ id: "1" }, { id: "2", type: "http" }],
    edges: [{ source: "1", target: "2", sourceHandle: "0", targetHandle: "x" }],
  });
  expect(steps[1]?.action).toMatchObject({ with: { x: "${{ steps['1'].output[0] }}" } });
});

test("an edge wins over a parameter, with a warning", () => {
  const nodes = [{ id: "a" }, { id: "b", type: "http", params: { url: "x", other: 1 } }];
  const { definition, diagnostics } = parseGraph({ nodes, edges: [{ source: "a", target: "b", targetHandle: "url" }] });
  expect(definition?.steps[1]?.action).toMatchObject({ with: { url: "${{ steps.a.output }}", other: 1 } });
  expect(diagnostics).toMatchObject([{ code: "conflicting_keys", severity: "warning", path: "/nodes/1/params/url" }]);
});

test.each<[object, object]>([
  [{ runnerConfig: { kind: "docker", image: "x" } }, { runner: { kind: "docker", image: "x" } }],
  [{ maxConcurrency: 3 }, { concurrency: { key: "g/a", max: 3 } }],
  [{ max_concurrent: 3 }, { concurrency: { key: "g/a", max: 3 } }],
  [{ concurrency: { key: "db" } }, { concurrency: { key: "db", max: 1 } }],
  [{ groupId: "stage" }, { groupId: "stage" }],
  [
    { retries: 2, timeout: 5, when: "x" },
    { retry: { maxAttempts: 3 }, timeout: 5000, when: "x" },
  ],
  [{ type: "sleep", params: { duration: "2s" } }, { action: { kind: "sleep", duration: 2000 } }],
  [
    { type: "command", params: { command: "git", params: { a: 1 } } },
    { action: { kind: "command", command: "git", params: { a: 1 } } },
  ],
  [{ type: "workflow", params: { workflow: "w" } }, { action: { kind: "workflow", workflow: "w", input: {} } }],
  [{ command: "git", params: { a: 1 } }, { action: { kind: "command", command: "git", params: { a: 1 } } }],
  [{ run: "make" }, { action: { kind: "run", run: "make" } }],
  [{ type: "http", with: { url: "x" } }, { action: { kind: "type", type: "http", with: { url: "x" } } }],
  [{ type: "http", parameters: { url: "x" } }, { action: { kind: "type", type: "http", with: { url: "x" } } }],
  [{}, { action: { kind: "none" } }],
])("the node %j is a step", (node, step) => {
  expect(read({ name: "g", nodes: [{ id: "a", ...node }] }).steps[0]).toMatchObject(step);
});

test("a node as a graph editor writes it has its keys inside data", () => {
  const drawn = {
    id: "a",
    type: "custom",
    position: { x: 1, y: 2 },
    measured: { width: 5 },
    selected: true,
    label: "A",
  };
  const data = { type: "http", params: { url: "x" }, joinStrategy: "any", groupId: "g", icon: "globe", onChange: null };
  const { steps } = read({ nodes: [{ ...drawn, data }], viewport: { x: 0 } });
  expect(steps[0]).toMatchObject({ action: { type: "http", with: { url: "x" } }, join: { kind: "any" }, groupId: "g" });
});

test("a key of data that is nearly one of ours gets a warning, and other words none", () => {
  expect(problems({ nodes: [{ id: "a", data: { joinStategy: "any", colour: 1, needs: 2 } }] })).toEqual([
    "warning unknown_key /nodes/0/data/joinStategy",
  ]);
});

test("groups are pools that nodes share", () => {
  const definition = read({
    nodes: [{ id: "a", groupId: "g" }],
    groups: { g: { maxConcurrent: 2, rate_limit: 5, label: "G" }, h: {} },
  });
  expect(definition.pools).toEqual({ g: { maxConcurrent: 2, rateLimit: { count: 5, perMs: 1000, burst: 1 } }, h: {} });
});

test("a type that the graph binds to a command gets its input as flags", () => {
  const { steps } = read({
    types: { lint: { command: "eslint" } },
    nodes: [{ id: "a", type: "lint", params: { fix: true } }],
  });
  expect(steps[0]?.action).toMatchObject({ kind: "type", type: "lint", params: { fix: true } });
});

test("a graph has the keys of a workflow beside its nodes", () => {
  const definition = read({
    nodes: [{ id: "a" }],
    onFailure: "continue",
    parallel: { maxConcurrent: 2 },
    finally: [{ id: "f", run: "x" }],
    output: "${{ steps.a.output }}",
    priority: 2,
  });
  expect(definition).toMatchObject({
    mode: "continue",
    parallel: { maxConcurrent: 2 },
    finally: [{ id: "f" }],
    priority: 2,
  });
});

test.each<[unknown, readonly string[]]>([
  [{}, ["error invalid_value /nodes"]],
  [{ nodes: {} }, ["error invalid_value /nodes"]],
  [{ nodes: null }, ["error invalid_value /nodes"]],
  [{ nodes: [] }, ["error missing_value /nodes"]],
  [{ nodes: ["a"] }, ["error invalid_value /nodes/0"]],
  [{ nodes: [{ type: "http" }] }, ["error missing_value /nodes/0"]],
  [{ nodes: [{ id: "a.b" }] }, ["error invalid_value /nodes/0/id"]],
  [{ nodes: [{ id: 1 }] }, ["error invalid_value /nodes/0/id"]],
  [{ nodes: [{ id: "a" }], steps: [] }, ["error unknown_key /steps"]],
  [{ nodes: [{ id: "a" }], edges: {} }, ["error invalid_value /edges"]],
  [{ nodes: [{ id: "a" }], edges: [{ source: "a" }] }, ["error missing_value /edges/0"]],
  [
    { nodes: [{ id: "a" }], edges: [{ source: "x", target: "y" }] },
    ["error missing_dependency /edges/0/source", "error missing_dependency /edges/0/target"],
  ],
  [
    { nodes: [{ id: "a" }, { id: "b" }], edges: [{ source: "a", target: "b", kind: "sometimes" }] },
    ["error invalid_value /edges/0/kind"],
  ],
  [{ nodes: [{ id: "a", dependsOn: ["b"] }] }, ["error unknown_key /nodes/0/dependsOn"]],
  [{ nodes: [{ id: "a", parallel: true }] }, ["error unknown_key /nodes/0/parallel"]],
  [{ nodes: [{ id: "a", type: "x", params: {}, with: {} }] }, ["error conflicting_keys /nodes/0/params"]],
  [{ nodes: [{ id: "a", params: {} }] }, ["error conflicting_keys /nodes/0/params"]],
  [{ nodes: [{ id: "a", joinStrategy: "any", data: { join: "all" } }] }, ["error conflicting_keys /nodes/0/data/join"]],
  [
    { nodes: [{ id: "a", maxConcurrency: 1, concurrency: { key: "x" } }] },
    ["error conflicting_keys /nodes/0/maxConcurrency"],
  ],
  [{ nodes: [{ id: "a", maxConcurrency: 0 }] }, ["error invalid_value /nodes/0/maxConcurrency"]],
  [
    {
      nodes: [{ id: "a" }, { id: "b", type: "x", params: [1] }],
      edges: [{ source: "a", target: "b", targetHandle: "x" }],
    },
    ["error invalid_value /nodes/1/params"],
  ],
  [{ nodes: [{ id: "a" }], groups: [] }, ["error invalid_value /groups"]],
  [{ nodes: [{ id: "a" }], groups: { g: { max: 1 } } }, ["error unknown_key /groups/g/max"]],
])("%j is refused", (graph, expected) => {
  expect(problems(graph)).toEqual(expected);
});

test("an edge to an unknown node has the nearest id as a hint", () => {
  const { diagnostics } = parseGraph({ nodes: [{ id: "build" }], edges: [{ source: "biuld", target: "build" }] });
  expect(diagnostics).toMatchObject([{ code: "missing_dependency", hint: "Did you mean `build`?" }]);
});

test("an edge from a node to itself stays a dependency, for the check that finds cycles", () => {
  const { definition } = parseGraph({
    nodes: [{ id: "a", type: "x" }],
    edges: [{ source: "a", target: "a", targetHandle: "x" }],
  });
  expect(definition?.steps[0]).toMatchObject({ action: { with: {} }, dependsOn: [{ ref: "a" }] });
});

test("a mapping with nodes is a graph, and any other a list of steps", () => {
  expect(parseDefinition({ nodes: [{ id: "a" }] }).definition?.order).toBe("graph");
  expect(parseDefinition({ steps: [{ run: "x" }] }).definition?.steps).toHaveLength(1);
  expect(parseDefinition("x").definition).toBeNull();
});

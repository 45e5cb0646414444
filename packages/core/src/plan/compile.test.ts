import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { layers } from "./graph.ts";
import type { Plan } from "./plan.ts";
import { define, edgesIn, planOf, problemsOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });

const typed = (name: string, type: string, more: object = {}): object => ({ name, type, ...more });

const deploy = (name: string, app: string): object => ({ name, command: "argocd apps sync", params: { app } });

describe("workflows as people write them", () => {
  const types = Object.fromEntries(
    ["validation", "security", "policy", "terraform", "kubernetes", "database-migration"].map((type) => [
      type,
      { run: "true" },
    ]),
  );

  test("checks that are all marked run at the same time", () => {
    const steps = ["validation", "security", "policy"].map((type) => typed(`check-${type}`, type, { parallel: true }));
    expect(layers(planOf({ types, steps }, { types: [] }))).toEqual([
      ["check-validation", "check-security", "check-policy"],
    ]);
  });

  test("numbered groups run one after the other", () => {
    const steps = [
      typed("validate-syntax", "validation", { parallelGroup: 1 }),
      typed("security-scan", "security", { parallelGroup: 1 }),
      typed("deploy-backend", "kubernetes", { parallelGroup: 2 }),
      typed("deploy-frontend", "kubernetes", { parallelGroup: 2 }),
    ];
    const plan = planOf({ types, steps }, { types: [] });
    expect(layers(plan)).toEqual([
      ["validate-syntax", "security-scan"],
      ["deploy-backend", "deploy-frontend"],
    ]);
    expect(plan.scopes.filter(({ kind }) => kind === "block").map(({ mode }) => mode)).toEqual([
      "continue",
      "continue",
    ]);
  });

  test("sequential and marked steps mix in file order", () => {
    const steps = [
      typed("initialize", "terraform", { parallel: false }),
      typed("task-a", "validation", { parallel: true }),
      typed("task-b", "security", { parallel: true }),
      typed("finalize", "validation", { parallel: false }),
    ];
    expect(layers(planOf({ types, steps }))).toEqual([["initialize"], ["task-a", "task-b"], ["finalize"]]);
  });

  test("explicit dependencies mix with steps that start at once", () => {
    const steps = [
      typed("provision-database", "terraform"),
      typed("run-migrations", "database-migration", { dependsOn: ["provision-database"] }),
      typed("deploy-backend", "kubernetes", { dependsOn: ["run-migrations"] }),
      typed("deploy-frontend", "kubernetes", { parallel: true }),
    ];
    expect(problemsOf({ types, steps })).toEqual([]);
    expect(layers(planOf({ types, steps }))).toEqual([
      ["provision-database", "deploy-frontend"],
      ["run-migrations"],
      ["deploy-backend"],
    ]);
  });

  test("a named block stands between two steps", () => {
    const plan = planOf([
      { name: "Validate", command: "!echo 'validating'" },
      {
        parallel: {
          name: "Deploy all services",
          on_failure: "fail_all",
          timeout: 600,
          steps: [deploy("Deploy API", "api"), deploy("Deploy Worker", "worker"), deploy("Deploy Web", "web")],
        },
      },
      { name: "Verify", command: "k8s pods list" },
    ]);
    expect(edgesIn(plan)).toEqual(["Validate -> deploy-all-services (order)", "deploy-all-services -> Verify (order)"]);
    expect(layers(plan)).toEqual([["Validate"], ["deploy-api", "deploy-worker", "deploy-web"], ["Verify"]]);
    expect(plan.scopes[1]).toMatchObject({ mode: "fail_all", timeoutMs: 600_000 });
  });

  test("`depends_on` makes a fan-out and a join without an action", () => {
    const plan = planOf({
      parallel: { max_concurrent: 10, rate_limit: 5.0, fail_fast: true },
      steps: [
        { name: "checkout", command: "!git checkout main" },
        { name: "build-backend", command: "!docker build backend", depends_on: ["checkout"] },
        { name: "build-frontend", command: "!docker build frontend", depends_on: ["checkout"] },
        { name: "deploy", depends_on: ["build-backend", "build-frontend"] },
      ],
    });
    expect(layers(plan)).toEqual([["checkout"], ["build-backend", "build-frontend"], ["deploy"]]);
    expect(plan.steps[3]!.kind).toBe("join");
    expect(plan.scopes[0]).toMatchObject({ maxConcurrent: 10, mode: "fail_all" });
  });
});

const node = (id: string, more: object = {}): object => ({ id, type: "scanner", ...more });

describe("a graph of nodes and edges", () => {
  test("keeps ports, error edges, joins and shared limits", () => {
    const plan = planOf({
      nodes: [
        { id: "start", type: "entrypoint" },
        node("scan", { groupId: "scanners" }),
        node("deep", { groupId: "scanners" }),
        node("report", { joinStrategy: { quorum: 1 } }),
        node("alert"),
      ],
      edges: [
        { id: "e1", source: "start", target: "scan", sourceHandle: "host", targetHandle: "host" },
        { id: "e2", source: "scan", target: "deep", sourceHandle: "open" },
        { id: "e3", source: "scan", target: "report", targetHandle: "first" },
        { id: "e4", source: "deep", target: "report", targetHandle: "second" },
        { id: "e5", source: "deep", target: "alert", kind: "error" },
      ],
      groups: { scanners: { maxConcurrent: 1 } },
    });
    expect(plan.edges.map(({ from, to, on, port }) => [plan.steps[from]!.id, plan.steps[to]!.id, on, port])).toEqual([
      ["start", "scan", "success", "host"],
      ["scan", "deep", "success", "open"],
      ["scan", "report", "success", null],
      ["deep", "report", "success", null],
      ["deep", "alert", "failure", null],
    ]);
    expect(plan.steps.map(({ id, kind, slots }) => [id, kind, slots])).toEqual([
      ["start", "join", 0],
      ["pools/scanners", "pool", 0],
      ["scan", "task", 1],
      ["deep", "task", 1],
      ["report", "task", 0],
      ["alert", "task", 0],
    ]);
    expect(plan.steps[4]!.host.reads).toEqual([2, 3]);
  });

  test("starts nodes without incoming edges at once, without a warning", () => {
    const written = { nodes: [node("a"), node("b"), node("c")], edges: [{ source: "b", target: "c" }] };
    expect(problemsOf(written)).toEqual([]);
    expect(edgesIn(planOf(written))).toEqual(["b -> c (success, explicit)"]);
  });

  test("with a cycle is refused", () => {
    const edges = [
      { source: "a", target: "b" },
      { source: "b", target: "a" },
    ];
    expect(problemsOf({ nodes: [node("a"), node("b")], edges })).toEqual(["cycle /nodes/0"]);
  });
});

describe("a plan", () => {
  const written = {
    steps: [
      step("a", { parallel: true }),
      step("b", { parallel: true, rateLimit: 2 }),
      step("h", { dependsOn: ["a.error"] }),
      { id: "block", parallel: [step("x", { forEach: [1, 2] }), step("y", { set: { k: "${{ inputs }}" } })] },
    ],
    finally: [step("z", { env: { S: "${{ steps.a.status }}" } })],
    output: { x: "${{ steps.x.output }}" },
  };

  test("is JSON: it survives being stored", () => {
    const plan = planOf(written);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test("is the same every time", () => {
    expect(JSON.stringify(planOf(written))).toBe(JSON.stringify(planOf(written)));
  });

  test("cannot be changed, and its definition is left alone", () => {
    const definition = define(written);
    const before = JSON.stringify(definition);
    const { plan } = compile(definition);
    expect(Object.isFrozen(plan!.steps[0]!.incoming)).toBe(true);
    expect(Object.isFrozen(plan!.scopes[0])).toBe(true);
    expect(JSON.stringify(definition)).toBe(before);
    expect(Object.isFrozen(definition.steps[0]!.env)).toBe(false);
  });

  test("has no place for what is wrong, but for warnings", () => {
    expect(compile(define([step("a", { dependsOn: ["b"] })])).plan).toBeNull();
    const warned = compile(define([step("a"), step("b", { dependsOn: ["a"] }), step("c")]));
    expect([warned.plan === null, warned.diagnostics.length]).toEqual([false, 1]);
  });

  test("of a workflow without steps is empty", () => {
    const { plan, diagnostics } = compile({ ...define([step("a")]), steps: [] });
    expect([plan?.steps, plan?.edges, plan?.scopes.length, diagnostics]).toEqual([[], [], 1, []]);
  });
});

const locate = (pointer: string): { line: number; column: number } | undefined => {
  const match = /^\/steps\/(\d+)$/.exec(pointer);
  return match === null ? undefined : { line: Number(match[1]) + 10, column: 3 };
};

test("everything that is wrong is reported at once, in the order of the text", () => {
  const definition = define({
    types: { deploy: { run: "true" } },
    steps: [
      step("a", { dependsOn: ["b"] }),
      step("b", { dependsOn: ["a", "b", "nope"] }),
      { id: "c", type: "deplyo", dependsOn: ["a"], join: { quorum: 4 } },
      step("c", { dependsOn: [], env: { X: "${{ steps.nobody.output }}" } }),
      { id: "block", dependsOn: [], parallel: [step("x", { parallelGroup: 1 })] },
    ],
  });
  const { plan, diagnostics } = compile(definition, { types: [], locate });
  expect(plan).toBeNull();
  expect(diagnostics.map(({ line, code }) => `${line} ${code}`)).toEqual([
    "10 cycle",
    "11 self_dependency",
    "11 missing_dependency",
    "12 unknown_step_type",
    "12 join_unsatisfiable",
    "13 duplicate_step",
    "13 unknown_reference",
    "14 mixed_order",
  ]);
});

describe("a random graph", () => {
  const graphs = fc.integer({ min: 1, max: 40 }).chain((size) =>
    fc.record({
      size: fc.constant(size),
      blockSize: fc.integer({ min: 0, max: 5 }),
      pairs: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 100 }),
    }),
  );

  test("gets the edges, indegrees and ranks that a naive count gives", () => {
    fc.assert(
      fc.property(graphs, ({ size, blockSize, pairs }) => {
        const sources = Array.from({ length: size }, () => new Set<number>());
        for (const [from, to] of pairs) if (from < to) sources[to]!.add(from);
        const members = Array.from({ length: blockSize }, (_, index) => step(`m${index}`));
        const steps = sources.map((set, index) => {
          const dependsOn = [...set].map((source) => `s${source}`);
          return index === 0 && blockSize > 0
            ? { id: "s0", parallel: members, dependsOn }
            : step(`s${index}`, { dependsOn });
        });
        const plan = planOf({ mode: "graph", steps });
        const rows = plan.steps.filter(({ id }) => id.startsWith("s"));
        expect(rows.map((row) => sourceIds(plan, row.index))).toEqual(
          sources.map((set) => [...set].toSorted((a, b) => a - b).map((source) => `s${source}`)),
        );
        expect(rows.map(({ rank }) => rank)).toEqual(naiveRanks(sources));
        for (const { index, from, to } of plan.edges) {
          expect(plan.steps[from]!.outgoing).toContain(index);
          expect(plan.steps[to]!.incoming).toContain(index);
        }
        for (const row of plan.steps) {
          expect(row.rank).toBe(row.id.startsWith("m") ? rows[0]!.rank : row.rank);
          expect(row.outgoing).toEqual([...row.outgoing].toSorted((a, b) => a - b));
        }
      }),
    );
  });
});

function sourceIds(plan: Plan, index: number): readonly string[] {
  return plan.steps[index]!.incoming.map((edge) => plan.steps[plan.edges[edge]!.from]!.id);
}

/** Every step counts 1; a block counts as its longest member, which is one step here. */
function naiveRanks(sources: readonly ReadonlySet<number>[]): readonly number[] {
  const rankOf = (index: number): number => {
    const following = sources.flatMap((set, target) => (set.has(index) ? [ranks[target]!] : []));
    return 1 + Math.max(0, ...following);
  };
  const ranks: number[] = [];
  for (let index = sources.length - 1; index >= 0; index -= 1) ranks[index] = rankOf(index);
  return ranks;
}

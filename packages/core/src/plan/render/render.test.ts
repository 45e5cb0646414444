import { describe, expect, test } from "vitest";
import { planOf } from "../testing/plans.ts";
import { toAscii } from "./ascii.ts";
import { toDot } from "./dot.ts";
import { toJsonGraph } from "./json-graph.ts";
import { toMermaid } from "./mermaid.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const needs = (id: string, ...dependsOn: readonly unknown[]): object => step(id, { dependsOn });

const diamond = planOf([
  step("checkout"),
  needs("backend", "checkout"),
  needs("frontend", "checkout"),
  needs("deploy", "backend", "frontend"),
]);

const everything = planOf({
  steps: [
    step("init", { name: "Set up" }),
    step("a", { parallelGroup: 1 }),
    step("b", { parallelGroup: 1, forEach: [1] }),
    step("rescue", { dependsOn: ["a.error"] }),
    {
      id: "deploy",
      name: "Deploy all",
      parallel: {
        steps: [step("api"), needs("check", "api")],
        onFailure: "continue",
        timeout: 600,
        maxConcurrent: 2,
        rateLimit: 5,
      },
    },
    { id: "gate", approval: "Ship?", when: "inputs" },
    { id: "pause", sleep: "90s" },
  ],
  finally: [step("clean"), step("report", { continueOnError: true })],
});

/** A drawing without the blank line that a template literal begins with. */
const drawing = (text: string): string => text.replace(/^\n/, "");

describe("a text drawing", () => {
  test("of a chain is one line", () => {
    expect(toAscii(planOf([step("a"), step("b")]))).toBe("● a\n│\n● b\n");
  });

  test("of a diamond forks and joins", () => {
    expect(toAscii(diamond)).toBe(
      drawing(`
● checkout
├─╮
│ ● backend
│ │
● │ frontend
├─╯
● deploy
`),
    );
  });

  test("of two steps that both need two others shows all four ways", () => {
    const plan = planOf([step("a"), needs("b"), needs("c", "a", "b"), needs("d", "a", "b")]);
    expect(toAscii(plan)).toBe(
      drawing(`
● a
│ ● b
├─┼─╮
│ │ ● c
├─╯
● d
`),
    );
  });

  test("draws a lane through where a line only crosses it", () => {
    const plan = planOf([step("a"), needs("b"), needs("c"), needs("d", "a", "c"), needs("e", "b"), needs("f", "a")]);
    expect(toAscii(plan)).toBe(
      drawing(`
● a
│ ● b
│ │ ● c
├─│─┤
│ │ ● d
│ │
│ ● e
│
● f
`),
    );
  });

  test("draws a line straight over a column that is free again", () => {
    const plan = planOf([step("a"), needs("b"), needs("c"), needs("x", "b"), needs("y", "a", "c")]);
    expect(toAscii(plan)).toBe(
      drawing(`
● a
│ ● b
│ │ ● c
│ │ │
│ ● │ x
├───╯
● y
`),
    );
  });

  test("puts blocks and groups into boxes and says what is out of the ordinary", () => {
    expect(toAscii(everything)).toBe(
      drawing(`
● init (Set up)
│
◆ group 1
│ ╭─
│ │ ● a
│ │ ● b (for each item)
│ ╰─
├─╮
│ ● rescue (on failure of a)
│
◆ deploy (Deploy all, continue, at most 2 at once, at most 5 in 1s, timeout 10m)
│ ╭─
│ │ ● api
│ │ │
│ │ ● check
│ ╰─
│
● gate (approval, conditional)
│
● pause (sleep 90s)

finally:
  ● clean
  │
  ● report (may fail)
`),
    );
  });

  test("can do without box-drawing characters", () => {
    const text = toAscii(diamond, { unicode: false });
    expect(text).toBe("* checkout\n+-+\n| * backend\n| |\n* | frontend\n+-+\n* deploy\n");
    // eslint-disable-next-line no-control-regex -- every character of ASCII
    expect(toAscii(everything, { unicode: false })).toMatch(/^[\u0000-\u007f]*$/);
  });

  test("that would be too wide is a list that names what each step waits for", () => {
    const many = Array.from({ length: 100 }, (_, index) => needs(`s${index}`, "a"));
    const plan = planOf([step("a"), ...many, needs("z", ...many.map((_, index) => `s${index}`))]);
    const lines = toAscii(plan).split("\n");
    expect(lines[1]).toBe("● s0  after a");
    expect(lines[101]).toBe("● z  after s0, s1, s2, s3, s4 and 95 more");
  });

  test("shows joins, ports and settled edges", () => {
    const plan = planOf([
      step("a"),
      needs("b"),
      step("c", { dependsOn: ["a", "b"], join: { quorum: 1 } }),
      needs("d", { step: "c", on: "settled" }),
      { id: "e", signal: "go", dependsOn: ["d"] },
      { id: "f", workflow: "child", dependsOn: ["d"], join: "first" },
    ]);
    const text = toAscii(plan);
    expect(text).toContain("c (1 of 2)");
    expect(text).toContain("d (whatever becomes of c)");
    expect(text).toContain("e (signal go)");
    expect(text).toContain("f (workflow child, join first)");
  });

  test("lets no name steer the terminal", () => {
    const plan = planOf([step("a")]);
    const steps = [{ ...plan.steps[0]!, name: "x\u001b[31m\n● b" }];
    expect(toAscii({ ...plan, steps })).toBe("● a (x\\u001b[31m\\n● b)\n");
  });
});

const EVIL = 'a"]; evil --> b <script>alert(1)</script> \\" #quot; `x`';
const evil = planOf([{ id: "a", name: EVIL, run: "true" }]);

describe("a Mermaid drawing", () => {
  test("has subgraphs for what holds steps, and says what edges wait for", () => {
    expect(toMermaid(everything)).toBe(
      drawing(`
---
title: "example"
---
flowchart TD
  s0["init<br/>Set up"]
  subgraph s1["group 1"]
    s2["a"]
    s3["b<br/>for each item"]
  end
  s4["rescue<br/>on failure of a"]
  subgraph s5["deploy<br/>Deploy all<br/>continue<br/>at most 2 at once<br/>at most 5 in 1s<br/>timeout 10m"]
    s6["api"]
    s7["check"]
  end
  s8(["gate<br/>approval<br/>conditional"])
  s9(["pause<br/>sleep 90s"])
  subgraph s10["finally"]
    s11["clean"]
    s12["report<br/>may fail"]
  end
  s0 --> s1
  s2 -. "failure" .-> s4
  s1 --> s5
  s6 --> s7
  s5 --> s8
  s8 --> s9
  s11 -. "settled" .-> s12
`),
    );
  });

  test("takes no text as syntax or HTML", () => {
    const [line] = toMermaid(evil).split("\n").slice(4);
    expect(line).toMatch(/^ {2}s0\["a<br\/>[\p{L}\p{N} _.,:()/+#;-]*"\]$/u);
    expect(line).toContain("a#34;#93;#59; evil --#62; b #60;script#62;");
  });
});

describe("a DOT drawing", () => {
  test("has clusters for what holds steps", () => {
    const text = toDot(everything);
    expect(text).toContain(
      '  subgraph cluster_s1 {\n    label="group 1";\n    s1 [shape=point, style=invis];\n    s2 [label="a"];\n',
    );
    expect(text).toContain("  s1 -> s5 [ltail=cluster_s1, lhead=cluster_s5];\n");
    expect(text).toContain("  s2 -> s4 [label=failure, style=dashed];\n");
  });

  test("takes no text as syntax", () => {
    expect(toDot(evil)).toContain(
      String.raw`  s0 [label="a\na\"]; evil --> b <script>alert(1)</script> \\\" #quot; ` + '`x`"];\n',
    );
  });
});

describe("a JSON graph", () => {
  const graph = toJsonGraph(everything);

  test("has the steps as nodes, with the group around them", () => {
    expect(graph.nodes.map(({ id, parent, kind, level, rank }) => [id, parent, kind, level, rank])).toEqual([
      ["init", null, "task", 0, 6],
      ["a", "steps/group-1", "task", 1, 5],
      ["b", "steps/group-1", "task", 1, 5],
      ["rescue", null, "task", 2, 1],
      ["api", "deploy", "task", 2, 4],
      ["check", "deploy", "task", 3, 3],
      ["gate", null, "approval", 4, 2],
      ["pause", null, "sleep", 5, 1],
      ["clean", "run/finally", "task", 0, 2],
      ["report", "run/finally", "task", 1, 1],
    ]);
    expect(graph.nodes[2]).toMatchObject({
      isMap: true,
      handler: "command",
      join: { kind: "all" },
      isConditional: false,
    });
  });

  test("has edges between nodes and groups, with their origin", () => {
    expect(graph.edges[1]).toEqual({
      id: "a->rescue",
      source: "a",
      target: "rescue",
      on: "failure",
      origin: "explicit",
      port: null,
    });
    const ids = new Set([...graph.nodes, ...graph.groups].map(({ id }) => id));
    for (const { source, target } of graph.edges) expect([ids.has(source), ids.has(target)]).toEqual([true, true]);
    expect(new Set(graph.edges.map(({ id }) => id)).size).toBe(graph.edges.length);
  });

  test("has groups with their members and settings", () => {
    expect(graph.groups.map(({ id, kind, parent, members }) => [id, kind, parent, members])).toEqual([
      ["steps/group-1", "group", null, ["a", "b"]],
      ["deploy", "block", null, ["api", "check"]],
      ["run/finally", "finally", null, ["clean", "report"]],
    ]);
    expect(graph.groups[1]).toMatchObject({ mode: "continue", maxConcurrent: 2, timeoutMs: 600_000 });
  });

  test("leaves out pools", () => {
    expect(toJsonGraph(planOf([step("a", { rateLimit: 1 })])).nodes.map(({ id }) => id)).toEqual(["a"]);
  });
});

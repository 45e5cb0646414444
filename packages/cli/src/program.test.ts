import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reportError } from "./report-error.ts";
import { runProgram } from "./program.ts";
import { outputSchemas } from "./schema/output-schema.ts";
import type { OutputName } from "./schema/output-schema.ts";
import { fakeIo } from "./testing/fake-io.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "braid-program-"));
  writeFileSync(join(cwd, "good.yaml"), 'name: good\nsteps:\n  - { id: a, run: "true" }\n  - { id: b, run: "true" }\n');
  writeFileSync(
    join(cwd, "cycle.yaml"),
    'name: cycle\nsteps:\n  - { id: a, run: "true", dependsOn: [b] }\n  - { id: b, run: "true", dependsOn: [a] }\n  - { id: c, rum: x }\n',
  );
  writeFileSync(join(cwd, "times.yaml"), "a: 2s\nb: { duration: 1s, failures: 1 }\n");
});
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

/** Runs one command line in this process, as `main.ts` would. */
async function braid(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {},
): Promise<Outcome> {
  const io = fakeIo({ cwd, ...options });
  const code = await runProgram(args, { io, version: () => "1.2.3" }).catch((error: unknown) => reportError(io, error));
  return { code, stdout: io.stdout.text(), stderr: io.stderr.text() };
}

function expectLines(text: string, name: OutputName): readonly Record<string, unknown>[] {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const line of lines) expect(outputSchemas[name].safeParse(line).error, JSON.stringify(line)).toBeUndefined();
  return lines;
}

describe("usage", () => {
  test("the version goes to stdout", async () => {
    expect(await braid(["--version"])).toEqual({ code: 0, stdout: "1.2.3\n", stderr: "" });
  });

  test("help lists the commands and the exit codes, on stdout", async () => {
    const { code, stdout, stderr } = await braid(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\brun\b[\s\S]*\bvalidate\b[\s\S]*Exit codes: 0 completed/);
    expect(stderr).toBe("");
  });

  const control = ["cancel", "pause", "resume", "approve", "reject"];
  const subcommands = ["list", "show", "logs", "events", "retry", ...control].map((name) => `runs ${name}`);
  const stores = ["worker", "migrate", "workflows", "workflows apply", "workflows show", "prune"];
  const files = ["run", "validate", "graph", "plan", "simulate", "runs", "init", "completion"];
  test.each([...files, ...stores, ...subcommands])("`%s --help` has an example", async (name) => {
    const { code, stdout } = await braid([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\\n[\\s\\S]*braid ${name}`));
  });

  test("no command at all shows the help on stderr", async () => {
    const { code, stdout, stderr } = await braid([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: braid");
  });

  test.each([
    [["rum", "x.yaml"], "braid: unknown command 'rum'\n(Did you mean run?)\n"],
    [["run", "--inputs", "a=1", "good.yaml"], "braid: unknown option '--inputs'\n(Did you mean --input?)\n"],
    [["runs", "lst"], "braid: unknown command 'lst'\n(Did you mean list?)\n"],
    [["graph"], "braid: missing required argument 'file'\n"],
    [
      ["graph", "good.yaml", "--format", "svg"],
      "braid: option '-f, --format <format>' argument 'svg' is invalid. Allowed choices are ascii, mermaid, dot, json.\n",
    ],
    [["run", "good.yaml", "--max-concurrent", "0"], /argument '0' is invalid. It must be a positive integer.\n$/],
    [["run", "good.yaml", "--ephemeral", "--detach"], /'--ephemeral' cannot be used with option '-d, --detach'\n$/],
    [["runs", "show", "../../etc"], /A run id has letters, digits, `-` and `_`, at most 64 of them.\n$/],
    [["run"], "braid: run needs a workflow file\nbraid run workflow.yaml; `braid init` writes a first one.\n"],
    [["run", "god.yaml"], "braid: cannot read `god.yaml`: no such file\nDid you mean `good.yaml`?\n"],
    [["run", "good.yaml", "--store", "mysql://root:secret@db"], "There is no store for `mysql:` URLs."],
    [["run", "good.yaml", "--input", "x=1"], "braid: input `x` is not declared; the workflow declares no inputs\n"],
    [["worker", "--store", "memory:"], "braid: nobody can put a run into the memory of a worker\nName a store.\n"],
    [["worker", "--resources", "cpu"], /It must be names with amounts above 0, such as `cpu=8,gpu=1`.\n$/],
    [["worker", "--resources", "cpu=0"], /It must be names with amounts above 0/],
    [["worker", "--lease", "soon"], "braid: --lease expects a duration"],
    [["worker", "--config", "nope.ts"], "braid: cannot read `nope.ts`: no such file\n"],
    [["migrate", "--check", "--print"], /'--check' cannot be used with option '--print'\n$/],
    [["workflows", "show", "nope"], /^braid: there is no workflow `nope` in this store\nPut one there with/],
    [["prune"], "braid: prune needs to know which runs\nGive --older-than 7d, --keep 100, or both.\n"],
  ] as const)("%j says what is wrong and exits with 2", async (args, stderr) => {
    const outcome = await braid(args);
    expect(outcome.code).toBe(2);
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toMatch(stderr);
  });
});

describe("validate", () => {
  test("says that a file is valid", async () => {
    expect(await braid(["validate", "good.yaml"])).toEqual({
      code: 0,
      stdout: "✓ good.yaml: workflow good, 2 steps\n",
      stderr: "",
    });
  });

  test("reports all problems of all files, with place and hint, and goes on behind one that is missing", async () => {
    const { code, stdout, stderr } = await braid(["validate", "cycle.yaml", "none.yaml", "good.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cycle\.yaml:3:.*error.*\[cycle\]/);
    expect(stderr).toMatch(/cycle\.yaml:5:.*error.*\[unknown_key\][\s\S]*Did you mean `run`\?/);
    expect(stderr).toContain("cannot read `none.yaml`: no such file");
    expect(stdout).toBe("✓ good.yaml: workflow good, 2 steps\n");
  });

  test("reads stdin", async () => {
    const { code, stdout } = await braid(["validate", "-"], { stdin: readFileSync(join(cwd, "good.yaml"), "utf8") });
    expect([code, stdout]).toEqual([0, "✓ <stdin>: workflow good, 2 steps\n"]);
  });

  test("writes a line of JSON per file", async () => {
    const { code, stdout, stderr } = await braid(["validate", "good.yaml", "cycle.yaml", "--json"]);
    expect([code, stderr]).toEqual([2, ""]);
    expect(expectLines(stdout, "validate")).toMatchObject([
      { file: "good.yaml", valid: true },
      { file: "cycle.yaml", valid: false },
    ]);
  });
});

describe("an invalid file", () => {
  test.each(["run", "graph", "plan", "simulate"])("%s reports it and exits with 2", async (command) => {
    const { code, stdout, stderr } = await braid([command, "cycle.yaml"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("[cycle]");
  });

  test("is one line of diagnostics with --json", async () => {
    const { code, stdout, stderr } = await braid(["run", "cycle.yaml", "--json"]);
    expect([code, stderr]).toEqual([2, ""]);
    expect(expectLines(stdout, "run")).toEqual([{ type: "diagnostics", diagnostics: expect.any(Array) as unknown }]);
  });
});

describe("graph", () => {
  test.each([
    ["ascii", "a"],
    ["mermaid", "flowchart"],
    ["dot", "digraph"],
  ])("draws %s", async (format, sign) => {
    const { code, stdout } = await braid(["graph", "good.yaml", "--format", format]);
    expect(code).toBe(0);
    expect(stdout).toContain(sign);
  });

  test("writes JSON", async () => {
    const { stdout } = await braid(["graph", "good.yaml", "--format", "json"]);
    expect(outputSchemas.graph.safeParse(JSON.parse(stdout)).error).toBeUndefined();
  });
});

describe("plan", () => {
  test("shows edges with their origin, levels, critical path and speed-up", async () => {
    const { code, stdout } = await braid(["plan", "good.yaml", "--durations", "times.yaml"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/a +→ +b +order +order/);
    expect(stdout).toContain("Critical path 3.0s: a → b");
    expect(stdout).toContain("speed-up = sum of step times / makespan");
  });

  test("counts steps where it knows no times", async () => {
    expect((await braid(["plan", "good.yaml"])).stdout).toContain("Critical path 2 steps: a → b");
  });

  test("writes JSON", async () => {
    const [line] = expectLines((await braid(["plan", "good.yaml", "--json"])).stdout, "plan");
    expect(line).toMatchObject({ type: "plan", maxConcurrent: 10, levels: [["a"], ["b"]], speedUp: 1 });
  });

  test("takes the cap from the environment where the file has none", async () => {
    const [line] = expectLines(
      (await braid(["plan", "good.yaml", "--json"], { env: { WORKFLOW_CONCURRENCY: "3" } })).stdout,
      "plan",
    );
    expect(line).toMatchObject({ maxConcurrent: 3 });
  });

  test("refuses a durations file that names an unknown step", async () => {
    writeFileSync(join(cwd, "wrong.yaml"), "z: 2s\n");
    const { code, stderr } = await braid(["plan", "good.yaml", "--durations", "wrong.yaml"]);
    expect([code, stderr]).toEqual([2, "braid: --durations: the workflow has no step `z`\n"]);
  });
});

describe("simulate", () => {
  test("draws the run in virtual time", async () => {
    const { code, stdout } = await braid(["simulate", "good.yaml", "--durations", "times.yaml"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/✓ a {5}\s+0ms {5}2\.0s {2}█+\n/);
    expect(stdout).toMatch(/good would be failed after 3\.0s of virtual time \(seed 1\)/);
  });

  test("writes the trace and a summary as JSON, the same for the same seed", async () => {
    const first = await braid(["simulate", "good.yaml", "--seed", "5", "--json"]);
    const lines = expectLines(first.stdout, "simulate");
    expect(lines.at(-1)).toMatchObject({ type: "simulation.summary", status: "completed", seed: 5 });
    expect((await braid(["simulate", "good.yaml", "--seed", "5", "--json"])).stdout).toBe(first.stdout);
  });
});

describe("init", () => {
  test("writes a file that is valid, and never over one that is there", async () => {
    expect((await braid(["init", "first.yaml"])).code).toBe(0);
    expect((await braid(["validate", "first.yaml"])).stderr).toBe("");
    writeFileSync(join(cwd, "first.yaml"), "mine");
    const { code, stderr } = await braid(["init", "first.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toContain("`first.yaml` is there already; nothing was written");
    expect(readFileSync(join(cwd, "first.yaml"), "utf8")).toBe("mine");
  });
});

describe("workflows", () => {
  const store = ["--store", "sqlite:workflows.db"];

  test("are stored all together, and what is stored already keeps its version", async () => {
    const applied = await braid(["workflows", "apply", "good.yaml", "--json", ...store]);
    expect(expectLines(applied.stdout, "workflows-apply")).toEqual([
      { type: "workflow", workflow: "good", version: 1 },
    ]);
    expect((await braid(["workflows", "apply", "good.yaml", ...store])).stdout).toBe("good version 1\n");
    const changed = 'name: good\nsteps: [{ id: a, run: "false" }]\n';
    expect((await braid(["workflows", "apply", "-", ...store], { stdin: changed })).stdout).toBe("good version 2\n");
  });

  test("none is stored if one is not valid", async () => {
    const { code, stdout } = await braid(["workflows", "apply", "good.yaml", "cycle.yaml", "--json", ...store]);
    expect(code).toBe(2);
    expect(expectLines(stdout, "workflows-apply").map(({ type }) => type)).toEqual(["diagnostics"]);
  });

  test("are shown with version and graph", async () => {
    const { code, stdout } = await braid(["workflows", "show", "good", "--workflow-version", "1", ...store]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^good version 1, stored 20[^]*\ba\b[^]*\bb\b/);
    const [line] = expectLines(
      (await braid(["workflows", "show", "good", "--json", ...store])).stdout,
      "workflows-show",
    );
    expect(line).toMatchObject({ workflow: "good", version: 2, definition: { name: "good" } });
    expect((await braid(["workflows", "show", "good", "--workflow-version", "9", ...store])).code).toBe(2);
  });
});

describe("a dry run", () => {
  test("says what would run, with its input, and runs nothing", async () => {
    writeFileSync(
      join(cwd, "input.yaml"),
      'name: input\ninputs: { sha: { type: string } }\nsteps: [{ id: a, run: "touch ran" }]\n',
    );
    const { code, stdout } = await braid(["run", "input.yaml", "--dry-run", "--input", "sha=abc"]);
    expect(code).toBe(0);
    expect(stdout).toContain('  sha = "abc"');
    expect(stdout).toContain("Dry run: nothing has run.");
    expectLines((await braid(["run", "input.yaml", "--dry-run", "--json", "--input", "sha=abc"])).stdout, "run");
  });
});

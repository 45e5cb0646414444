import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { normalize } from "@braid/core";
import { createEngine, createSqliteStore } from "@braid/engine";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { outputSchemas } from "../packages/cli/src/schema/output-schema.ts";
import type { OutputName } from "../packages/cli/src/schema/output-schema.ts";
import { jsonLines, Workbench } from "./support/braid.ts";

let bench: Workbench;
beforeAll(() => {
  bench = new Workbench();
});
afterAll(() => bench.remove());

const flaky = `
name: flaky
steps:
  - { id: first, run: "echo once >> first.txt; echo first log", dependsOn: [] }
  - { id: second, run: "test -e ready.txt || { echo not ready; exit 3; }", dependsOn: [first] }
  - { id: third, run: "echo third log", dependsOn: [second] }
`;

const gated = `
name: gated
steps:
  - { id: before, run: "echo before" }
  - { id: gate, approval: { message: "go?" } }
  - { id: last, run: "echo last" }
`;

/** Lines of `--json`, each held to the published schema. */
async function jsonOf(args: readonly string[], name: OutputName): Promise<readonly Record<string, unknown>[]> {
  const { stdout, stderr, code } = await bench.braid([...args, "--json"]);
  expect([code, stderr], args.join(" ")).toEqual([0, ""]);
  const lines = jsonLines(stdout);
  for (const line of lines) expect(outputSchemas[name].safeParse(line).error, JSON.stringify(line)).toBeUndefined();
  return lines;
}

async function detach(file: string): Promise<string> {
  return (await bench.braid(["run", file, "--detach", "--quiet"])).stdout.trim();
}

describe("a run that has failed", () => {
  let id = "";
  let lines: readonly Record<string, unknown>[] = [];
  beforeAll(async () => {
    bench.write("flaky.yaml", flaky);
    lines = jsonLines((await bench.braid(["run", "flaky.yaml", "--json", "--quiet"])).stdout);
    id = String(lines.at(-1)?.["runId"]);
  });

  test("wrote lines that hold to the published schema", () => {
    for (const line of lines) expect(outputSchemas.run.safeParse(line).error, JSON.stringify(line)).toBeUndefined();
  });

  test("keeps its store out of git", () => {
    expect(readFileSync(join(bench.directory, ".braid/.gitignore"), "utf8")).toBe("*\n");
  });

  test("is listed", async () => {
    const { stdout } = await bench.braid(["runs", "list"]);
    expect(stdout).toMatch(new RegExp(`✗ failed +${id} +flaky +.* ago`));
    expect(await jsonOf(["runs", "list", "--status", "failed", "--workflow", "flaky"], "runs-list")).toMatchObject([
      { runId: id, status: "failed" },
    ]);
    expect((await bench.braid(["runs", "list", "--status", "queued"])).stderr).toBe("no runs\n");
    expect((await bench.braid(["runs", "list", "--status", "lost"])).code).toBe(2);
  });

  test("is shown by its id, its beginning or its end", async () => {
    for (const name of [id, id.slice(-8), id.slice(0, -4)]) {
      const { code, stdout } = await bench.braid(["runs", "show", name]);
      expect(code).toBe(0);
      expect(stdout).toContain(`run ${id}`);
      expect(stdout).toMatch(/✗ failed +second .*exit_code/);
      expect(stdout).toMatch(/- skipped +third .*upstream failed/);
    }
    const [shown] = await jsonOf(["runs", "show", id], "runs-show");
    expect(shown).toMatchObject({ type: "run.summary", status: "failed", workflow: "flaky", waiting: {} });
  });

  test("is not found under a wrong or too short name", async () => {
    expect((await bench.braid(["runs", "show", "ffffffff"])).stderr).toContain(
      "there is no run `ffffffff` in this store",
    );
    expect((await bench.braid(["runs", "show", "0"])).stderr).toContain("too short");
    expect((await bench.braid(["runs", "show", "0"])).code).toBe(2);
  });

  test("gives its logs, of all steps or one", async () => {
    expect((await bench.braid(["runs", "logs", id])).stdout).toBe("first  first log\nsecond  not ready\n");
    expect((await bench.braid(["runs", "logs", id, "--step", "first"])).stdout).toBe("first log\n");
    expect((await bench.braid(["runs", "logs", id, "--tail", "1"])).stdout).toBe("second  not ready\n");
    expect((await bench.braid(["runs", "logs", id, "--step", "frist"])).stderr).toContain("Did you mean `first`?");
    expect(await jsonOf(["runs", "logs", id], "runs-logs")).toHaveLength(2);
  });

  test("gives its trace", async () => {
    const events = await jsonOf(["runs", "events", id], "runs-events");
    expect(events.map((event) => event["seq"])).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "run.failed" });
    expect(await jsonOf(["runs", "events", id, "--after", "3"], "runs-events")).toHaveLength(events.length - 3);
    expect((await bench.braid(["runs", "events", id, "--follow"])).stdout).toMatch(
      /step\.failed ✗ second failed after/,
    );
  });

  test("cannot be canceled, paused or approved any more", async () => {
    const { code, stderr } = await bench.braid(["runs", "cancel", id]);
    expect([code, stderr]).toEqual([2, `braid: run \`${id}\` is over (failed); it cannot be asked to cancel\n`]);
  });

  test("is retried: what failed and what was lost runs again, what completed does not", async () => {
    expect((await bench.braid(["runs", "retry", id, "--quiet"])).code).toBe(1);
    bench.write("ready.txt", "");
    const { code, stdout } = await bench.braid(["runs", "retry", id, "--json", "--quiet"]);
    expect(code).toBe(0);
    const retried = jsonLines(stdout);
    expect(retried.at(-1)).toMatchObject({ type: "run.summary", epoch: 3, status: "completed" });
    expect(retried.filter((line) => line["type"] === "step.completed").map((line) => line["step"])).toEqual([
      "second",
      "third",
    ]);
    expect(readFileSync(join(bench.directory, "first.txt"), "utf8")).toBe("once\n");
  });

  test("is retried from a step, or that step only", async () => {
    const ran = async (...args: readonly string[]): Promise<readonly unknown[]> => {
      const retried = jsonLines((await bench.braid(["runs", "retry", id, "--json", "--quiet", ...args])).stdout);
      return retried.filter((line) => line["type"] === "step.completed").map((line) => line["step"]);
    };
    expect(await ran("--from", "second")).toEqual(["second", "third"]);
    expect(await ran("--only", "first")).toEqual(["first"]);
    expect((await bench.braid(["runs", "retry", id, "--from", "secnd"])).stderr).toContain("Did you mean `second`?");
  });
});

describe("a run that was accepted and left alone", () => {
  test("waits for somebody to carry it on", async () => {
    bench.write("flaky.yaml", flaky);
    bench.write("ready.txt", "");
    const id = await detach("flaky.yaml");
    expect((await bench.braid(["runs", "show", id])).stdout).toMatch(/first .*waits for a worker|queued/);
    const { code } = await bench.braid(["run", "--resume", id]);
    expect(code).toBe(0);
    expect((await bench.braid(["run", "--resume", id])).code).toBe(0);
  });
});

describe("a run that waits for an approval", () => {
  let id = "";
  beforeEach(async () => {
    bench.write("gated.yaml", gated);
    id = await detach("gated.yaml");
  });

  test("says so, and goes on when it is approved from another process", async () => {
    const run = bench.start(["run", "--resume", id, "--json", "--quiet"]);
    await run.says("step.waiting");
    expect((await bench.braid(["runs", "show", id])).stdout).toMatch(/◦ waiting +gate .*waits for an approval/);
    expect(await jsonOf(["runs", "show", id], "runs-show")).toMatchObject([{ waiting: { gate: { kind: "signal" } } }]);
    expect(await jsonOf(["runs", "approve", id, "gate", "--note", "fine"], "runs-control")).toMatchObject([
      { action: "approve", step: "gate" },
    ]);
    expect((await run.finished).code).toBe(0);
  });

  test("fails when it is rejected", async () => {
    const run = bench.start(["run", "--resume", id]);
    await run.says("waits for an approval");
    expect((await bench.braid(["runs", "reject", id, "gate"])).stdout).toBe(`rejected: step gate of ${id}\n`);
    const { code, stderr } = await run.finished;
    expect(code).toBe(1);
    expect(stderr).toContain("✗ gate failed: rejected");
  });

  test("is canceled from another process", async () => {
    const run = bench.start(["run", "--resume", id]);
    await run.says("waits for an approval");
    expect(await jsonOf(["runs", "cancel", id], "runs-control")).toMatchObject([{ action: "cancel" }]);
    expect((await run.finished).code).toBe(130);
  });

  test("is paused and resumed from another process", async () => {
    const run = bench.start(["run", "--resume", id]);
    await run.says("waits for an approval");
    expect(await jsonOf(["runs", "pause", id], "runs-control")).toMatchObject([{ action: "pause", status: "paused" }]);
    await run.says("run paused");
    await bench.braid(["runs", "approve", id, "gate"]);
    expect((await bench.braid(["runs", "show", id])).stdout).toContain("paused");
    expect((await bench.braid(["runs", "resume", id])).code).toBe(0);
    expect((await run.finished).code).toBe(0);
    expect((await bench.braid(["runs", "resume", id])).code).toBe(2);
  });
});

describe("a run whose process was killed", () => {
  test("is carried on at once: finished steps are not repeated, the interrupted attempt is", async () => {
    bench.write(
      "killed.yaml",
      "name: killed\nsteps:\n  - { id: a, run: echo a >> ran.txt }\n  - { id: b, run: 'echo b >> ran.txt; test -e go.txt || { echo waiting; sleep 30; }' }\n  - { id: c, run: echo c >> ran.txt }\n",
    );
    const run = bench.start(["run", "killed.yaml", "--json", "--logs", "full"]);
    await run.says('"text":"waiting"');
    run.process.kill("SIGKILL");
    const id = String(jsonLines((await run.finished).stdout)[0]?.["runId"]);
    bench.write("go.txt", "");
    const startedAt = Date.now();
    const { code, stdout } = await bench.braid(["run", "--resume", id, "--json", "--quiet"]);
    expect(code).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(8000);
    expect(readFileSync(join(bench.directory, "ran.txt"), "utf8")).toBe("a\nb\nb\nc\n");
    const lines = jsonLines(stdout);
    expect(lines.some((line) => line["type"] === "task.lost")).toBe(true);
    expect(lines[0]).toMatchObject({ seq: 1 });
  });
});

describe("prune", () => {
  test("deletes what it said it would", async () => {
    const own = new Workbench();
    own.write("one.yaml", "name: one\nsteps: [{ id: a, run: 'true' }]\n");
    for (let count = 0; count < 3; count += 1) expect((await own.braid(["run", "one.yaml", "--quiet"])).code).toBe(0);
    const planned = await own.braid(["prune", "--keep", "1", "--dry-run"]);
    expect(planned.stdout.trim().split("\n")).toHaveLength(2);
    expect(planned.stderr).toBe("2 runs would be deleted\n");
    expect((await own.braid(["prune", "--keep", "1"])).stdout).toBe(planned.stdout);
    expect(jsonLines((await own.braid(["runs", "list", "--json"])).stdout)).toHaveLength(1);
    expect(jsonLines((await own.braid(["prune", "--older-than", "7d", "--json"])).stdout)).toEqual([
      { type: "prune", dryRun: false, runIds: [] },
    ]);
    own.remove();
  });
});

describe("the default store", () => {
  test("is rid of old runs by the next one", async () => {
    const own = new Workbench();
    own.write("one.yaml", "name: one\nsteps: [{ id: a, run: 'true' }]\n");
    await own.braid(["run", "one.yaml", "--quiet"]);
    const longAgo = 31 * 24 * 3_600_000;
    const store = createSqliteStore({ path: join(own.directory, ".braid/braid.db"), now: () => Date.now() - longAgo });
    const engine = await createEngine({ store });
    const { runId } = await engine.run(normalize({ name: "old", steps: [{ id: "a" }] }).definition!);
    await engine.close();
    await store.close();
    expect((await own.braid(["runs", "list"])).stdout).toContain(runId);
    await own.braid(["run", "one.yaml", "--quiet"]);
    const { stdout } = await own.braid(["runs", "list"]);
    expect(stdout).not.toContain(runId);
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
    own.remove();
  });
});

test("commands that only look make no store", async () => {
  const own = new Workbench();
  for (const args of [
    ["runs", "list"],
    ["runs", "show", "0198c0de"],
    ["prune", "--keep", "1"],
  ])
    await own.braid(args);
  expect(existsSync(join(own.directory, ".braid"))).toBe(false);
  own.remove();
});

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PostgresServer } from "@braid/testbed";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { jsonLines, Workbench } from "./support/braid.ts";
import type { Finished, Started } from "./support/braid.ts";
import { hasRunningMembers } from "./support/process-group.ts";
import { until } from "./support/until.ts";

/** Real workers on a real PostgreSQL, as a new user would try them. */

let server: PostgresServer;
let bench: Workbench;
let env: Readonly<Record<string, string>>;
const started: Started[] = [];

beforeAll(async () => {
  server = await PostgresServer.start(18, { settings: { fsync: false } });
  bench = new Workbench();
  env = { BRAID_STORE: await server.createDatabase("runs") };
  for (const [name, text] of Object.entries(workflows)) bench.write(`${name}.yaml`, text);
});
afterEach(async () => {
  for (const { process } of started) process.kill("SIGKILL");
  await Promise.all(started.splice(0).map(({ finished }) => finished));
});
afterAll(async () => {
  bench.remove();
  await server.stop();
});

const workflows = {
  /** Each item says which worker ran it: the program's parent. */
  share: `
name: share
steps:
  - id: each
    forEach: { items: "\${{ range(16) }}", maxConcurrent: 8 }
    run: echo "$BRAID_INDEX $PPID" >> share.txt; sleep 0.2
    dependsOn: []
  - { id: end, dependsOn: [each], run: "true" }
output: \${{ length(steps.each.output) }}
`,
  /** The middle step does not end before there is a gate. */
  gated: `
name: gated
inputs: { gate: { type: string } }
steps:
  - { id: first, run: 'echo first >> "\${{ inputs.gate }}.log"' }
  - id: middle
    run: 'echo $$ > "\${{ inputs.gate }}.pid"; echo middle >> "\${{ inputs.gate }}.log"; echo here; until test -e "\${{ inputs.gate }}"; do sleep 0.05; done'
  - { id: last, run: 'echo last >> "\${{ inputs.gate }}.log"' }
`,
  far: `
name: far
steps:
  - { id: near, run: "true", dependsOn: [] }
  - { id: mars, queue: mars, run: "true", dependsOn: [] }
  - { id: big, resources: { cpu: 16 }, run: "true", dependsOn: [] }
`,
};

const braid = (...args: readonly string[]): Promise<Finished> => bench.braid(args, { env });

function start(...args: readonly string[]): Started {
  const process = bench.start(args, { env });
  started.push(process);
  return process;
}

async function worker(...args: readonly string[]): Promise<Started> {
  const process = start("worker", "--lease", "2s", ...args);
  await process.says("works on");
  return process;
}

async function detach(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await braid("run", ...args, "--detach");
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

async function show(runId: string): Promise<Record<string, unknown>> {
  const { stdout } = await braid("runs", "show", runId, "--json");
  return jsonLines(stdout)[0]!;
}

const isOver =
  (runId: string, status = "completed") =>
  async (): Promise<boolean> =>
    (await show(runId))["status"] === status;

const read = (name: string): string => {
  const path = join(bench.directory, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

describe("workers of one store", () => {
  test("share the tasks of a run that was put there by `run --detach`", async () => {
    await Promise.all([worker("--name", "one", "--concurrency", "4"), worker("--name", "two", "--concurrency", "4")]);
    const runId = await detach("share.yaml");
    await until(isOver(runId));
    const { output, steps } = await show(runId);
    expect(output).toBe(16);
    expect(steps).toMatchObject({ each: { counts: { total: 16, completed: 16 } }, end: { status: "completed" } });
    const lines = read("share.txt").trim().split("\n");
    expect(lines.map((line) => line.split(" ")[0]).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 16 }, (_, index) => String(index)),
    );
    expect(new Set(lines.map((line) => line.split(" ")[1])).size).toBe(2);
  });

  test("go on with what one of them ran when it was killed", async () => {
    const one = await worker("--name", "one");
    const runId = await detach("gated.yaml", "--input", "gate=kill");
    // The worker has heard of its program: one that is killed just after the start of a program leaves that behind.
    await until(async () => (await braid("runs", "logs", runId)).stdout.includes("here"));
    const group = Number(read("kill.pid"));
    one.process.kill("SIGKILL");
    await until(() => !hasRunningMembers(group));
    await worker("--name", "two");
    await until(() => read("kill.log") === "first\nmiddle\nmiddle\n");
    bench.write("kill", "");
    await until(isOver(runId));
    expect(read("kill.log")).toBe("first\nmiddle\nmiddle\nlast\n");
    expect((await show(runId))["steps"]).toMatchObject({ first: { attempts: 1 }, middle: { attempts: 2 } });
  });

  test("`runs show` says what no worker of them has", async () => {
    await worker("--resources", "cpu=8");
    const runId = await detach("far.yaml");
    await until(async () => /completed +near/.test((await braid("runs", "show", runId)).stdout));
    const { stdout } = await braid("runs", "show", runId);
    expect(stdout).toContain("no worker serves queue mars");
    expect(stdout).toContain("no worker of queue default has cpu=16");
    expect((await show(runId))["waiting"]).toMatchObject({
      mars: { kind: "worker", missing: { kind: "queue", queue: "mars" } },
      big: { kind: "worker", missing: { kind: "resources", resources: { cpu: 16 } } },
    });
    await worker("--queue", "mars", "--queue", "default", "--resources", "cpu=16,gpu=1");
    await until(isOver(runId));
  });

  test("cancel from another process stops a command, and all that it started, within about a second", async () => {
    await worker();
    const runId = await detach("gated.yaml", "--input", "gate=cancel");
    await until(() => read("cancel.log") === "first\nmiddle\n");
    const group = Number(read("cancel.pid"));
    expect(hasRunningMembers(group)).toBe(true);
    expect((await braid("runs", "cancel", runId)).code).toBe(0);
    const askedAt = performance.now();
    await until(() => !hasRunningMembers(group));
    expect(performance.now() - askedAt).toBeLessThan(1_500);
    await until(isOver(runId, "canceled"));
  });
});

describe("a worker that is told to stop", () => {
  test("lets its running steps end, starts nothing more, and exits with 0", async () => {
    const one = await worker("--name", "one");
    const runId = await detach("gated.yaml", "--input", "gate=drain");
    await until(() => read("drain.log") === "first\nmiddle\n");
    one.process.kill("SIGTERM");
    await one.says("stopping");
    bench.write("drain", "");
    const { code, stderr } = await one.finished;
    expect(code, stderr).toBe(0);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe("braid worker: stopped");
    expect((await show(runId))["steps"]).toMatchObject({ middle: { status: "completed", attempts: 1 } });
    expect(read("drain.log")).not.toContain("last");
    await worker("--name", "two");
    await until(isOver(runId));
  });

  test("gives back at once what does not end in time", async () => {
    const one = await worker("--name", "one", "--drain-timeout", "100ms", "--lease", "60s");
    const runId = await detach("gated.yaml", "--input", "gate=late");
    await until(() => read("late.log") === "first\nmiddle\n");
    const two = await worker("--name", "two", "--lease", "60s");
    one.process.kill("SIGTERM");
    expect((await one.finished).code).toBe(0);
    await until(() => read("late.log") === "first\nmiddle\nmiddle\n");
    bench.write("late", "");
    await until(isOver(runId));
    two.process.kill("SIGTERM");
    expect((await two.finished).code).toBe(0);
  });

  test("ends at once at the second signal, with every program of it", async () => {
    const one = await worker("--name", "one");
    const runId = await detach("gated.yaml", "--input", "gate=twice");
    await until(() => read("twice.log") === "first\nmiddle\n");
    const group = Number(read("twice.pid"));
    one.process.kill("SIGINT");
    await one.says("stopping");
    one.process.kill("SIGINT");
    expect((await one.finished).code).toBe(130);
    await until(() => !hasRunningMembers(group));
    await braid("runs", "cancel", runId);
  });
});

describe("programs of a worker", () => {
  test("see PATH, HOME, LANG and TMPDIR of the worker and what their step declares, and nothing else of it", async () => {
    const one = bench.start(["worker"], { env: { ...env, TMPDIR: "/tmp", PRIVATE: "yes" } });
    started.push(one);
    await one.says("works on");
    bench.write(
      "env.yaml",
      'name: env\nsteps: [{ id: a, env: { OWN: "1" }, command: [env] }]\noutput: "${{ steps.a.output.stdout }}"\n',
    );
    const runId = await detach("env.yaml");
    await until(isOver(runId));
    const names = String((await show(runId))["output"])
      .split("\n")
      .map((line) => line.replace(/=.*/, ""));
    const own = names.filter((name) => name !== "" && !name.startsWith("BRAID_"));
    expect(own.toSorted()).toEqual(["HOME", "LANG", "OWN", "PATH", "TMPDIR"]);
    expect(names).not.toContain("BRAID_STORE");
  });

  test("fail where the directory of the workflow is missing, and say so", async () => {
    const other = new Workbench();
    other.write("one.yaml", 'name: one\nsteps: [{ id: a, run: "true" }]\n');
    const { stdout } = await other.braid(["run", "one.yaml", "--detach"], { env });
    other.remove();
    await worker();
    const runId = stdout.trim();
    await until(isOver(runId, "failed"));
    expect((await show(runId))["error"]).toMatchObject({
      step: "a",
      message: expect.stringContaining(`The working directory \`${other.directory}\` does not exist.`) as string,
    });
  });
});

describe("`--config`", () => {
  const file = fileURLToPath(new URL("../examples/engine/worker-config.ts", import.meta.url));

  test("gives a worker step types and the functions of workflows, whose runs start by name", async () => {
    const one = await worker("--config", file);
    const [report, forecast] = [await detach("report"), await detach("forecast", "--input", "city=Oslo")];
    await until(isOver(report));
    await until(isOver(forecast));
    expect((await show(report))["output"]).toEqual({ sent: 3 });
    expect((await show(forecast))["output"]).toBe(-3);
    one.process.kill("SIGTERM");
    expect((await one.finished).stderr).toContain("step types command, http, weather; workflows report, forecast");
  });
});

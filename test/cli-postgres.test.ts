import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PostgresServer } from "@braid/testbed";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { jsonLines, Workbench } from "./support/braid.ts";
import type { Finished, Started } from "./support/braid.ts";
import { hasRunningMembers } from "./support/process-group.ts";
import { query } from "./support/sql.ts";
import { until } from "./support/until.ts";

/** `--store postgres://…`: runs that survive their processes and a restart of the database, and what is said of trouble. */

let server: PostgresServer;
let bench: Workbench;
let env: Readonly<Record<string, string>>;
const started: Started[] = [];

beforeAll(async () => {
  server = await PostgresServer.start(18, { settings: { fsync: false } });
  bench = new Workbench();
  env = { BRAID_STORE: await server.createDatabase("runs") };
  bench.write("gated.yaml", gated);
});
afterEach(async () => {
  for (const { process } of started) process.kill("SIGKILL");
  await Promise.all(started.splice(0).map(({ finished }) => finished));
});
afterAll(async () => {
  bench.remove();
  await server.stop();
});

/** The middle step does not end before there is a gate. */
const gated = `
name: gated
inputs: { gate: { type: string } }
steps:
  - { id: first, run: 'echo first >> "\${{ inputs.gate }}.log"' }
  - id: middle
    run: 'echo $$ > "\${{ inputs.gate }}.pid"; echo middle >> "\${{ inputs.gate }}.log"; until test -e "\${{ inputs.gate }}"; do sleep 0.05; done'
  - { id: last, run: 'echo last >> "\${{ inputs.gate }}.log"' }
output: { done: true }
`;

const braid = (...args: readonly string[]): Promise<Finished> => bench.braid(args, { env });

function start(args: readonly string[], more: Readonly<Record<string, string>> = {}): Started {
  const process = bench.start(args, { env: { ...env, ...more } });
  started.push(process);
  return process;
}

async function worker(...args: readonly string[]): Promise<Started> {
  const process = start(["worker", "--lease", "2s", ...args]);
  await process.says("works on");
  return process;
}

const read = (name: string): string => {
  const path = join(bench.directory, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

/** The id of a run that is at its middle step: the first line of its trace says it. */
async function middleOf(run: Started, gate: string): Promise<string> {
  await until(() => read(`${gate}.log`) === "first\nmiddle\n");
  run.process.kill("SIGKILL");
  const { stdout } = await run.finished;
  return String(jsonLines(stdout.slice(0, stdout.indexOf("\n")))[0]?.["runId"]);
}

describe("`braid run` on PostgreSQL", () => {
  test("works on its run itself, and is shown by all that looks at runs", async () => {
    bench.write("alone", "");
    const { code, stdout, stderr } = await braid("run", "gated.yaml", "--input", "gate=alone");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ done: true });
    const [run] = jsonLines((await braid("runs", "list", "--json")).stdout);
    expect(run).toMatchObject({ workflow: "gated", status: "completed" });
    const id = String(run?.["runId"]);
    expect((await braid("runs", "show", id.slice(-8))).stdout).toMatch(/completed +middle/);
    expect(jsonLines((await braid("runs", "events", id, "--json")).stdout).at(-1)).toMatchObject({
      type: "run.completed",
    });
    expect((await braid("runs", "retry", id, "--only", "last", "--quiet")).code).toBe(0);
    expect(read("alone.log")).toBe("first\nmiddle\nlast\nlast\n");
  });

  test("that was killed is brought to its end by a worker, and `--resume` shows it", async () => {
    const gate = "orphan";
    const owner = start(["run", "gated.yaml", "--input", `gate=${gate}`, "--json", "--quiet"]);
    const runId = await middleOf(owner, gate);
    const group = Number(read(`${gate}.pid`));
    await until(() => !hasRunningMembers(group));
    // The lease of `braid run` is not as short as that of the worker, which finds its process dead.
    await worker();
    await until(() => read(`${gate}.log`) === "first\nmiddle\nmiddle\n");
    const watcher = start(["run", "--resume", runId, "--json", "--quiet"]);
    await watcher.says('"run.started"');
    bench.write(gate, "");
    const { code, stdout } = await watcher.finished;
    expect(code).toBe(0);
    const lines = jsonLines(stdout);
    expect(lines.slice(0, -1).map(({ seq }) => seq)).toEqual(lines.slice(0, -1).map((_, index) => index + 1));
    expect(lines.at(-1)).toMatchObject({ type: "run.summary", status: "completed" });
    expect(read(`${gate}.log`)).toBe("first\nmiddle\nmiddle\nlast\n");
  });

  test("lists runs page by page", async () => {
    const all = jsonLines((await braid("runs", "list", "--json")).stdout).map(({ runId }) => runId);
    expect(all.length).toBeGreaterThan(1);
    const pages: unknown[] = [];
    for (;;) {
      const before = pages.length === 0 ? [] : ["--before", String(pages.at(-1))];
      const { stdout } = await braid("runs", "list", "--json", "--limit", "1", ...before);
      if (stdout === "") break;
      pages.push(...jsonLines(stdout).map(({ runId }) => runId));
    }
    expect(pages).toEqual(all);
  });
});

describe("a database that goes away", () => {
  test("is waited for by workers and by `braid run`, which then go on by themselves", async () => {
    const one = await worker();
    const runs = ["away", "still"].map((gate) => start(["run", "gated.yaml", "--input", `gate=${gate}`]));
    await until(() => ["away", "still"].every((gate) => read(`${gate}.log`) === "first\nmiddle\n"));
    await server.halt("immediate");
    await one.says("Trying again until it works.");
    bench.write("away", "");
    const whileAway = await braid("runs", "list");
    expect([whileAway.code, whileAway.stdout]).toEqual([3, ""]);
    expect(whileAway.stderr).toMatch(/^braid: The store `postgres:[^`]+`: .+\n$/);
    await server.restart();
    bench.write("still", "");
    for (const run of runs) {
      const { code, stderr } = await run.finished;
      expect(code, stderr).toBe(0);
    }
    await one.says("the store answers again");
    one.process.kill("SIGTERM");
    const { code, stderr } = await one.finished;
    expect(code, stderr).toBe(0);
    // One line for each thing that happened: start, trouble, cure, stop, end.
    expect(stderr.trimEnd().split("\n")).toHaveLength(5);
  });

  test("is waited for by a worker that starts before it", async () => {
    await server.halt("fast");
    const early = start(["worker"]);
    await early.says(/cannot open the store: The store `postgres:.+Trying again until it works\./);
    expect(early.process.exitCode).toBe(null);
    await server.restart();
    await early.says("works on");
    early.process.kill("SIGTERM");
    const { code, stderr } = await early.finished;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("the store answers again");
  });

  test("does not keep a worker that waits for it from ending", async () => {
    await server.halt("fast");
    const early = start(["worker"]);
    await early.says("Trying again");
    early.process.kill("SIGTERM");
    expect((await early.finished).code).toBe(0);
    await server.restart();
  });
});

const at = (rest: string): string => server.url().replace(/[^/]*$/, rest);

describe("what waiting does not cure", () => {
  test.each([
    ["an unknown database", () => at("nowhere"), /database "nowhere" does not exist.*Create the database first/],
    ["an unknown user", () => at("runs").replace("postgres@", "nobody:geheim@"), /role "nobody" does not exist/],
    ["no encryption", () => at("runs?sslmode=require"), /does not support SSL.*sslmode=disable/],
    ["an unknown option", () => at("runs?speed=high"), /unknown option `speed`.*sslmode/],
    ["a URL that is none", () => "postgres://me:geheim@host:port/x", /not a valid URL.*postgres:\/\/USER/],
  ])("%s ends a worker and a command with one line and exit code 3", async (_, url, message) => {
    for (const args of [["worker"], ["runs", "list"], ["run", "gated.yaml", "--input", "gate=x"]]) {
      const { code, stdout, stderr } = await bench.braid([...args, "--store", url()]);
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(stderr).not.toContain("geheim");
    }
  });
});

describe("a password", () => {
  let guarded = "";
  beforeAll(async () => {
    guarded = String(env["BRAID_STORE"]).replace("postgres@", "guarded@");
    await query(server.url(), "create role guarded login superuser password 'geheim'");
    const file = join(server.dataDirectory, "pg_hba.conf");
    writeFileSync(file, `host all guarded 127.0.0.1/32 scram-sha-256\n${readFileSync(file, "utf8")}`);
    await query(server.url(), "select pg_reload_conf()");
  });

  const withPassword = (password: string): string => guarded.replace("guarded@", `guarded:${password}@`);

  test("that is wrong ends a worker and a command with one line, and is not in it", async () => {
    // The server takes the new rule when it comes to it.
    await until(async () => (await bench.braid(["runs", "list", "--store", guarded])).code === 3);
    for (const args of [["worker"], ["runs", "list", "--json"], ["migrate", "--check"]]) {
      const { code, stdout, stderr } = await bench.braid([...args, "--store", withPassword("f4lsch"), "--debug"]);
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toMatch(/^braid: The store `postgres:\/\/guarded@.+password authentication failed/);
      expect(stderr).not.toContain("f4lsch");
    }
  });

  test("comes from the URL, BRAID_STORE or PGPASSWORD, and is shown nowhere", async () => {
    bench.write("secret", "");
    const input = ["run", "gated.yaml", "--input", "gate=secret", "--json", "--logs", "full"];
    const outcomes = [
      await bench.braid([...input, "--store", withPassword("geheim")]),
      await bench.braid(input, { env: { BRAID_STORE: withPassword("geheim") } }),
      await bench.braid(input, { env: { BRAID_STORE: guarded, PGPASSWORD: "geheim" } }),
    ];
    for (const { code, stdout, stderr } of outcomes) {
      expect(code, stderr).toBe(0);
      expect(stdout + stderr).not.toContain("geheim");
    }
    const one = bench.start(["worker", "--store", withPassword("geheim")]);
    started.push(one);
    await one.says("works on postgres://guarded@127.0.0.1");
    one.process.kill("SIGTERM");
    expect((await one.finished).stderr).not.toContain("geheim");
  });
});

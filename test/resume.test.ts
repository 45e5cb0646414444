import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jsonLines, Workbench } from "./support/braid.ts";
import type { Started } from "./support/braid.ts";
import { hasRunningMembers } from "./support/process-group.ts";

let bench: Workbench;
beforeAll(() => {
  bench = new Workbench();
  bench.write("three.yaml", three);
  bench.write("many.yaml", many);
});
afterAll(() => bench.remove());

/** The middle step does not end before there is a gate. */
const three = `
name: three
steps:
  - { id: first, run: echo first >> log.txt }
  - { id: middle, run: "echo $$ > middle.pid; echo middle >> log.txt; until test -e gate; do sleep 0.05; done" }
  - { id: last, run: echo last >> log.txt }
`;

const many = `
name: many
parallel: { maxConcurrent: 4 }
steps:
  - id: each
    forEach: \${{ range(40) }}
    run: echo "$BRAID_INDEX" >> many.txt; sleep 0.05
  - { id: end, run: "true" }
output: \${{ length(steps.each.output) }}
`;

const read = (name: string): string => {
  const path = join(bench.directory, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (isSo()) return;
    await sleep(20);
  }
  throw new Error("it did not come about");
}

/** Kills a process as the machine's memory killer does: it gets no last words. */
async function kill({ process, finished }: Started): Promise<string> {
  process.kill("SIGKILL");
  const { signal, stdout } = await finished;
  expect(signal).toBe("SIGKILL");
  return stdout;
}

const runIdOf = (stdout: string): string => String(jsonLines(stdout.slice(0, stdout.lastIndexOf("\n")))[0]?.["runId"]);

describe("a run whose process was killed", () => {
  test("is carried on at once by `run --resume`, and repeats nothing that was finished", async () => {
    const owner = bench.start(["run", "three.yaml", "--json", "--quiet"]);
    await until(() => read("log.txt") === "first\nmiddle\n");
    const group = Number(read("middle.pid"));
    const runId = runIdOf(await kill(owner));
    await until(() => !hasRunningMembers(group));

    const startedAt = performance.now();
    const heir = bench.start(["run", "--resume", runId, "--json", "--quiet"]);
    await until(() => read("log.txt") === "first\nmiddle\nmiddle\n");
    // Far less than a lease: nobody waits for that of a process that is gone.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    bench.write("gate", "");
    const { code, stdout } = await heir.finished;
    expect(code).toBe(0);
    expect(read("log.txt")).toBe("first\nmiddle\nmiddle\nlast\n");
    const lines = jsonLines(stdout);
    expect(lines.slice(0, -1).map(({ seq }) => seq)).toEqual(lines.slice(0, -1).map((_, index) => index + 1));
    expect(lines.map(({ type }) => type)).toContain("task.lost");
    expect(lines.at(-1)).toMatchObject({
      status: "completed",
      steps: { first: { attempts: 1 }, middle: { attempts: 2, status: "completed" }, last: { attempts: 1 } },
    });
  });

  test("loses no item of a map and accepts each once, however often the owner dies", async () => {
    const first = bench.start(["run", "many.yaml", "--json", "--quiet"]);
    await until(() => read("many.txt").split("\n").length > 5);
    const runId = runIdOf(await kill(first));
    for (const enough of [15, 25]) {
      const next = bench.start(["run", "--resume", runId, "--json", "--quiet"]);
      await until(() => read("many.txt").split("\n").length > enough);
      await kill(next);
    }
    const { code, stdout } = await bench.braid(["run", "--resume", runId, "--json", "--quiet"]);
    expect(code).toBe(0);
    const lines = jsonLines(stdout);
    expect(lines.at(-1)).toMatchObject({
      status: "completed",
      output: 40,
      steps: { each: { counts: { completed: 40 } } },
    });
    const completed = lines
      .filter(({ type, step }) => type === "task.completed" && step === "each")
      .map(({ task }) => task);
    expect(completed.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 40 }, (_, index) => index),
    );
    const ran = read("many.txt").trim().split("\n").map(Number);
    expect(new Set(ran).size).toBe(40);
    // At least once, and no more often than there were attempts under way when somebody died.
    expect(ran.length).toBeLessThanOrEqual(40 + 3 * 4);
  });
});

describe("two processes on one file", () => {
  test("hear of each other: a cancel from elsewhere stops the program within a second", async () => {
    bench.write("slow.yaml", `{name: slow, steps: [{id: nap, run: "echo $$ > nap.pid; sleep 60"}]}`);
    const owner = bench.start(["run", "slow.yaml", "--json", "--quiet"]);
    await until(() => Number(read("nap.pid")) > 0);
    const helper = bench.start(["run", "three.yaml", "--quiet"]);
    const { stdout } = await bench.braid(["runs", "list", "--json"]);
    const runId = String(jsonLines(stdout).find(({ workflow }) => workflow === "slow")?.["runId"]);
    expect((await bench.braid(["runs", "cancel", runId])).code).toBe(0);
    const canceledAt = performance.now();
    await until(() => !hasRunningMembers(Number(read("nap.pid"))));
    expect(performance.now() - canceledAt).toBeLessThan(1_500);
    const result = await owner.finished;
    expect(result.code).toBe(130);
    expect((await helper.finished).code).toBe(0);
  });
});

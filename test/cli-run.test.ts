import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jsonLines, Workbench } from "./support/braid.ts";

let bench: Workbench;
beforeAll(() => {
  bench = new Workbench();
  bench.write("three.yaml", threeSteps);
  bench.write("fails.yaml", failing);
  bench.write("slow.yaml", slow);
});
afterAll(() => bench.remove());

const threeSteps = `
name: three
inputs:
  who: { type: string, default: world }
  times: { type: integer, default: 1 }
steps:
  - { id: one, run: echo "one", dependsOn: [] }
  - { id: two, run: echo "two", dependsOn: [] }
  - id: greet
    dependsOn: [one, two]
    run: |
      echo "hello \${{ inputs.who }}"
      echo "greeting=hello \${{ inputs.who }}" >> "$BRAID_OUTPUT"
output:
  greeting: \${{ steps.greet.output.greeting }}
  times: \${{ inputs.times }}
`;

const failing = `
name: fails
steps:
  - { id: good, run: echo fine, dependsOn: [] }
  - { id: bad, run: "echo about to fail; echo why >&2; exit 7", dependsOn: [good] }
  - { id: after, run: echo never, dependsOn: [bad] }
`;

const slow = `
name: slow
steps:
  - { id: nap, run: "echo $$ > nap.pid; echo napping; sleep 30; echo woke", dependsOn: [] }
finally:
  - { id: clean, run: echo cleaned > cleaned.txt }
`;

describe("a run that completes", () => {
  test("exits with 0, its output on stdout and its progress on stderr", async () => {
    const { code, stdout, stderr } = await bench.braid([
      "run",
      "three.yaml",
      "--input",
      "who=Ada",
      "--input",
      "times=3",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ greeting: "hello Ada", times: 3 });
    expect(stderr).toMatch(/run [\w-]+ of three started: 3 steps/);
    expect(stderr).toMatch(/✓ greet +completed in/);
    expect(stderr).toContain("│ hello Ada");
    expect(stderr).toMatch(/✓ three completed in .*\n\n {2}3 steps: 3 completed/);
  });

  test("says nothing but its output with --quiet", async () => {
    const { code, stdout, stderr } = await bench.braid(["run", "three.yaml", "--quiet", "--ephemeral"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual({ greeting: "hello world", times: 1 });
  });

  test("writes the trace without gaps and then the summary with --json", async () => {
    const { code, stdout } = await bench.braid(["run", "three.yaml", "--json", "--quiet", "--ephemeral"]);
    expect(code).toBe(0);
    const lines = jsonLines(stdout);
    const events = lines.slice(0, -1);
    expect(events.map((event) => event["seq"])).toEqual(events.map((_, index) => index + 1));
    expect(events.find((event) => event["type"] === "run.started")).toHaveProperty("data.graph");
    expect(lines.at(-1)).toMatchObject({
      type: "run.summary",
      epoch: 1,
      status: "completed",
      toleratedFailures: 0,
      error: null,
      failures: [],
      output: { greeting: "hello world" },
      steps: { greet: { status: "completed", attempts: 1, triggeredBy: ["one", "two"] } },
    });
  });

  test("has log lines in its JSON only if it is asked for them", async () => {
    const logs = jsonLines(
      (await bench.braid(["run", "three.yaml", "--json", "--logs", "full", "--ephemeral"])).stdout,
    ).filter((line) => line["type"] === "log");
    expect(logs).toContainEqual(
      expect.objectContaining({ step: "one", task: 0, attempt: 1, data: { stream: "stdout", text: "one" } }),
    );
    expect(logs.every((line) => !("seq" in line))).toBe(true);
  });

  test("is read from stdin, with inputs from a file", async () => {
    bench.write("inputs.yaml", "who: file\ntimes: 2\n");
    const args = ["run", "-", "--input-file", "inputs.yaml", "--input", "times=5", "--ephemeral"];
    const { code, stdout } = await bench.braid(args, { stdin: threeSteps });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ greeting: "hello file", times: 5 });
  });

  test("leaves nothing behind with --ephemeral", async () => {
    const own = new Workbench();
    own.write("three.yaml", threeSteps);
    await own.braid(["run", "three.yaml", "--ephemeral"]);
    expect((await own.braid(["runs", "list"])).stderr).toBe("no runs\n");
    own.remove();
  });
});

describe("a run that fails", () => {
  test("exits with 1 and shows the failing step's log, the root failure and what it took down", async () => {
    const { code, stdout, stderr } = await bench.braid(["run", "fails.yaml", "--logs", "errors"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).not.toContain("│ fine");
    expect(stderr).toMatch(/│ about to fail\n.*│ why\n.*✗ bad +failed after/);
    expect(stderr).toMatch(
      /✗ fails failed after[\s\S]*✗ bad failed: exit_code: .*7[\s\S]*Because of that:\n +- after +skipped: upstream failed/,
    );
  });

  test("exits with 124 by its own timeout, and with 1 by that of a step", async () => {
    bench.write("late.yaml", 'name: late\nsteps: [{ id: nap, run: "sleep 20", timeout: 300ms }]\n');
    expect((await bench.braid(["run", "late.yaml", "--ephemeral"])).code).toBe(1);
    expect((await bench.braid(["run", "slow.yaml", "--ephemeral", "--timeout", "300ms"])).code).toBe(124);
  });

  test("is shown even with --quiet", async () => {
    const { code, stderr } = await bench.braid(["run", "fails.yaml", "--quiet", "--ephemeral"]);
    expect(code).toBe(1);
    expect(stderr).toContain("✗ bad failed: exit_code");
  });

  test("goes on with independent steps after --no-fail-fast, and stops with --fail-fast", async () => {
    bench.write(
      "mode.yaml",
      "name: mode\nsteps:\n  - { id: bad, run: exit 1, dependsOn: [] }\n  - { id: long, run: sleep 0.6, dependsOn: [] }\n",
    );
    const statusOf = async (flag: string): Promise<unknown> => {
      const { stdout } = await bench.braid(["run", "mode.yaml", flag, "--json", "--quiet", "--ephemeral"]);
      return (jsonLines(stdout).at(-1) as { readonly steps: { readonly long: { readonly status: string } } }).steps.long
        .status;
    };
    expect(await statusOf("--no-fail-fast")).toBe("completed");
    expect(await statusOf("--fail-fast")).toBe("canceled");
  });

  test("completes with warnings where the failure is tolerated", async () => {
    bench.write(
      "warn.yaml",
      "name: warn\nsteps:\n  - { id: bad, run: exit 1, continueOnError: true }\n  - { id: next, run: echo on }\n",
    );
    const { code, stderr } = await bench.braid(["run", "warn.yaml", "--ephemeral"]);
    expect(code).toBe(0);
    expect(stderr).toContain("! warn completed with warnings");
  });
});

describe("an input that does not fit", () => {
  test.each([
    [["--input", "times=many"], "input `times` expects an integer, got `many`"],
    [["--input", "whom=Ada"], "input `whom` is not declared; declared are `who`, `times`"],
  ])("%j exits with 2 and runs nothing", async (args, message) => {
    const { code, stdout, stderr } = await bench.braid(["run", "three.yaml", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`braid: ${message}\n`);
  });

  test("that is missing exits with 2", async () => {
    bench.write(
      "needs.yaml",
      "name: needs\ninputs: { sha: { type: string, required: true } }\nsteps: [{ id: a, run: touch ran.txt }]\n",
    );
    const { code, stderr } = await bench.braid(["run", "needs.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^braid: .*sha/);
  });
});

describe("the environment", () => {
  test("is inherited by commands, without the variables of declared secrets", async () => {
    bench.write(
      "env.yaml",
      "name: env\nsecrets: [TOKEN]\nsteps:\n  - { id: plain, run: 'echo \"plain=$PLAIN token=$TOKEN\"' }\n  - { id: given, run: 'echo \"given=$T\"; echo raw hush-hush-value', env: { T: '${{ secrets.TOKEN }}' } }\n",
    );
    const { code, stderr } = await bench.braid(["run", "env.yaml", "--ephemeral"], {
      env: { PLAIN: "yes", TOKEN: "hush-hush-value" },
    });
    expect(code).toBe(0);
    expect(stderr).toContain("│ plain=yes token=\n");
    expect(stderr).not.toContain("hush-hush-value");
  });

  test("takes variables from --env-file over inherited ones", async () => {
    bench.write("show.yaml", "name: show\nsteps: [{ id: a, run: 'echo \"v=$VALUE\"' }]\n");
    bench.write("vars.env", "VALUE=from the file\n");
    const { stderr } = await bench.braid(["run", "show.yaml", "--env-file", "vars.env", "--ephemeral"], {
      env: { VALUE: "inherited" },
    });
    expect(stderr).toContain("│ v=from the file");
  });

  test("says how many tasks run at a time", async () => {
    bench.write(
      "cap.yaml",
      `name: cap\nsteps:\n${[1, 2, 3].map((n) => `  - { id: s${n}, run: sleep 0.2, dependsOn: [] }\n`).join("")}`,
    );
    const { stdout } = await bench.braid(["run", "cap.yaml", "--json", "--quiet", "--ephemeral"], {
      env: { BRAID_MAX_CONCURRENT: "1" },
    });
    const events = jsonLines(stdout).filter(
      (line) => line["type"] === "task.started" || line["type"] === "task.completed",
    );
    expect(events.map((event) => event["type"])).toEqual(
      Array.from({ length: 3 }, () => ["task.started", "task.completed"]).flat(),
    );
  });
});

describe("Ctrl-C", () => {
  test("cancels and waits, and `finally` still runs", async () => {
    const run = bench.start(["run", "slow.yaml", "--json", "--logs", "full"]);
    await run.says("napping");
    run.process.kill("SIGINT");
    const { code, stdout, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(stderr).toContain("canceling: running steps are being stopped; press Ctrl-C again to kill");
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      status: "canceled",
      steps: { nap: { status: "canceled", cause: "run_canceled" }, clean: { status: "completed" } },
    });
    expect(readFileSync(join(bench.directory, "cleaned.txt"), "utf8")).toBe("cleaned\n");
  });

  test("SIGTERM does the same", async () => {
    const run = bench.start(["run", "slow.yaml", "--json", "--logs", "full"]);
    await run.says("napping");
    run.process.kill("SIGTERM");
    expect((await run.finished).code).toBe(130);
  });

  test("a second time ends a run that does not stop, and its programs", async () => {
    bench.write(
      "stubborn.yaml",
      "name: stubborn\nsteps: [{ id: nap, run: \"trap '' TERM INT; echo $$ > stubborn.pid; echo stubborn now; sleep 30\" }]\n",
    );
    const run = bench.start(["run", "stubborn.yaml", "--json", "--logs", "full"]);
    await run.says("stubborn now");
    const startedAt = Date.now();
    run.process.kill("SIGINT");
    await run.says("canceling");
    run.process.kill("SIGINT");
    const { code, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/braid: killed; `braid run --resume [\w-]+` brings the run to its end/);
    expect(Date.now() - startedAt).toBeLessThan(5000);
    const pid = Number(readFileSync(join(bench.directory, "stubborn.pid"), "utf8"));
    await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a reader that goes away", () => {
  test.each([
    ["run three.yaml --json --ephemeral"],
    ["run three.yaml --json --logs full --ephemeral"],
    ["plan three.yaml"],
    ["--help"],
  ])("`braid %s | head -1` ends quietly", async (command) => {
    const { bin } = await import("./support/braid.ts");
    const { code, stderr } = await bench.startProgram("bash", [
      "-c",
      `set -o pipefail; "${process.execPath}" "${bin}" ${command} 2>err.txt | head -1 >/dev/null; echo "code \${PIPESTATUS[0]}" >&2; cat err.txt >&2`,
    ]).finished;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^code 0\n/);
    expect(stderr).not.toMatch(/EPIPE|fault of the program/);
  });
});

describe("a child workflow", () => {
  test("is found in the file of its name beside its parent's", async () => {
    bench.write(
      "parent.yaml",
      "name: parent\nsteps: [{ id: call, workflow: child, with: { n: 4 } }]\noutput: '${{ steps.call.output }}'\n",
    );
    bench.write(
      "child.yaml",
      "name: child\ninputs: { n: { type: integer } }\nsteps: [{ id: a, run: 'true' }]\noutput: { double: '${{ add(inputs.n, inputs.n) }}' }\n",
    );
    const { code, stdout } = await bench.braid(["run", "parent.yaml", "--ephemeral", "--quiet"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { double: 8 }]);
  });

  test("that is not valid is reported before anything runs", async () => {
    bench.write("uncle.yaml", "name: uncle\nsteps: [{ id: call, workflow: bad-child }]\n");
    bench.write("bad-child.yaml", "name: bad-child\nsteps: [{ id: a, rum: x }]\n");
    const { code, stderr } = await bench.braid(["run", "uncle.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toContain("bad-child.yaml:2:");
  });
});

function flow(type: string): string {
  return `
import { workflow } from "@braid/engine";
${type}
export default workflow("code")
  .step("build", { retry: { maxAttempts: 2 } }, ({ logger, attempt }) => {
    logger.info("building");
    if (attempt === 1) throw new Error("first attempt");
    return { image: "app:" + Level.low };
  })
  .step("ship", ({ prev }) => ({ shipped: prev.image }))
  .output(({ deps }) => deps.ship);
`;
}

describe("a workflow in code", () => {
  test("is loaded from TypeScript, also with syntax that Node alone refuses, and from JavaScript", async () => {
    bench.write("flow.ts", flow("enum Level { low = 1 }"));
    bench.write("plain.mjs", flow("const Level = { low: 1 };"));
    for (const file of ["flow.ts", "plain.mjs"]) {
      const { code, stdout, stderr } = await bench.braid(["run", file, "--ephemeral"]);
      expect([code, JSON.parse(stdout)]).toEqual([0, { shipped: "app:1" }]);
      expect(stderr).toContain("│ building");
    }
  });

  test("is found again when its run is carried on", async () => {
    const id = (await bench.braid(["run", "flow.ts", "--detach", "--quiet"])).stdout.trim();
    const { code, stdout } = await bench.braid(["run", "--resume", id, "--quiet"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { shipped: "app:1" }]);
  });

  test.each([
    ["nothing.ts", "export const answer = 42;", "`nothing.ts` exports no workflow"],
    ["throws.ts", 'throw new Error("on purpose");', "cannot load `throws.ts`: on purpose"],
    ["broken.ts", "export default {{", /cannot load `broken\.ts`/],
    ["missing.ts", null, "cannot read `missing.ts`: no such file"],
  ])("%s is refused with one line", async (file, content, message) => {
    if (content !== null) bench.write(file, content);
    const { code, stdout, stderr } = await bench.braid(["run", file]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });
});

describe("a store that does not work", () => {
  test("exits with 3 and one clear line", async () => {
    const { code, stdout, stderr } = await bench.braid([
      "run",
      "three.yaml",
      "--store",
      "sqlite:no/such/directory/x.db",
    ]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^braid: .*no\/such\/directory/);
  });

  test("that is no database exits with 3", async () => {
    bench.write("text.db", "this is no database, whatever its name says; ".repeat(100));
    const { code, stderr } = await bench.braid(["run", "three.yaml", "--store", "sqlite:text.db"]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^braid: .*text\.db/);
  });

  test("and an unknown kind of store is wrong usage that repeats no password", async () => {
    const { code, stderr } = await bench.braid(["run", "three.yaml", "--store", "mysql://root:secret@db"]);
    expect(code).toBe(2);
    expect(stderr).not.toContain("secret");
  });
});

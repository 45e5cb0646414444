import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workbench } from "./support/braid.ts";
import type { BraidOptions } from "./support/braid.ts";
import { hasRunningMembers } from "./support/process-group.ts";
import { examples, recordRun } from "./support/trace.ts";
import type { RecordedRun } from "./support/trace.ts";

let bench: Workbench;
beforeAll(() => {
  bench = new Workbench();
});
afterAll(() => bench.remove());

async function example(file: string, options: BraidOptions & { readonly args?: readonly string[] } = {}) {
  return await recordRun(bench, join(examples, file), options);
}

const files = readdirSync(examples).filter((file) => /\.(?:yaml|json|ts)$/.test(file));

function expectCompleted(run: RecordedRun): void {
  expect(run.summary).toMatchObject({ status: "completed", toleratedFailures: 0, failures: [] });
  expect(run.code).toBe(0);
  expect([...new Set(Object.values(run.statuses))]).toEqual(["completed"]);
}

describe("every example", () => {
  test("is valid and has no warning", async () => {
    const { code, stdout } = await bench.braid(["validate", "--json", ...files.map((file) => join(examples, file))]);
    expect(code).toBe(0);
    const found = stdout
      .trim()
      .split("\n")
      .flatMap((line) => (JSON.parse(line) as { readonly diagnostics: readonly unknown[] }).diagnostics);
    expect(found).toEqual([]);
  });

  test("has a test here", () => {
    const source = readFileSync(new URL(import.meta.url), "utf8");
    expect(files.filter((file) => !source.includes(`"${file}"`))).toEqual([]);
  });
});

describe("marks and groups", () => {
  test("a file without marks runs from top to bottom", async () => {
    const run = await example("sequential.yaml");
    expectCompleted(run);
    run.expectInOrder("initialize", "cleanup");
  });

  test("neighbours marked `parallel: true` run at the same time", async () => {
    const run = await example("parallel-basic.yaml");
    expectCompleted(run);
    run.expectTogether("validate-syntax", "security-scan", "policy-check");
  });

  test("what follows the marked steps waits for all of them", async () => {
    const run = await example("parallel-simple.yaml");
    expectCompleted(run);
    const environments = ["test-node-20", "test-node-22", "test-node-24"];
    run.expectTogether(...environments);
    run.expectInOrder(environments, "report");
  });

  test("numbered groups run one after the other, the steps of each together", async () => {
    const run = await example("parallel-groups.yaml");
    expectCompleted(run);
    run.expectTogether("validate-syntax", "security-scan");
    run.expectTogether("deploy-backend", "deploy-frontend");
    run.expectInOrder(["validate-syntax", "security-scan"], ["deploy-backend", "deploy-frontend"]);
  });

  test("plain steps stand before and after the marked ones", async () => {
    const run = await example("parallel-mixed.yaml");
    expectCompleted(run);
    run.expectTogether("task-a", "task-b");
    run.expectInOrder("initialize", ["task-a", "task-b"], "finalize");
  });

  test("four phases come in their order, two of them in parallel", async () => {
    const run = await example("parallel-workflow.yaml");
    expectCompleted(run);
    const checks = ["syntax-validation", "security-scanning", "policy-checks"];
    const deployments = ["backend-services", "frontend-applications", "worker-processes"];
    run.expectTogether(...checks);
    run.expectTogether(...deployments);
    run.expectInOrder(checks, "database-setup", "networking", deployments, "health-checks");
    run.expectInOrder("health-checks", "monitoring-setup", "smoke-tests");
  });

  test("a failing member of a group lets the others finish, then nothing more starts", async () => {
    const text = readFileSync(join(examples, "parallel-groups.yaml"), "utf8");
    const file = bench.write("group-fails.yaml", text.replace("validation: { run: '", "validation: { run: 'exit 3; "));
    const run = await recordRun(bench, file);
    expect(run.code).toBe(1);
    expect(run.statuses).toEqual({
      "validate-syntax": "failed",
      "security-scan": "completed",
      "deploy-backend": "skipped",
      "deploy-frontend": "skipped",
    });
  });

  test("with a cap of one, the same file never runs two steps at once", async () => {
    const run = await example("parallel-basic.yaml", { args: ["--max-concurrent", "1"] });
    expectCompleted(run);
    expect(run.mostAtOnce).toBe(1);
  });
});

describe("dependencies", () => {
  test("two steps that need one run together, and the step that needs both waits for both", async () => {
    const run = await example("dependencies.yaml");
    expectCompleted(run);
    run.expectTogether("build-backend", "build-frontend");
    run.expectInOrder("checkout", ["build-backend", "build-frontend"]);
    expect(run.summary.steps["deploy"]).toMatchObject({ triggeredBy: ["build-backend", "build-frontend"] });
    // A step without an action runs no task: its output is what it waited for.
    expect(run.hasRun("deploy")).toBe(false);
    expect(run.summary.steps["deploy"]!.output).toMatchObject({ "build-backend": { stdout: "built backend\n" } });
  });

  test("a marked step without dependencies starts at once beside a chain", async () => {
    const run = await example("explicit-dependencies.yaml");
    expectCompleted(run);
    run.expectInOrder("provision-database", "run-migrations", "deploy-backend");
    run.expectTogether("provision-database", "deploy-frontend");
  });

  test.each([
    { size: "small", taken: "quick-way", skipped: "thorough-way", way: "quick" },
    { size: "large", taken: "thorough-way", skipped: "quick-way", way: "thorough" },
  ])("size $size takes the branch $taken, skips $skipped, and the branches meet again", async (branch) => {
    const { size, taken, skipped, way } = branch;
    const run = await example("branching.yaml", { args: ["--input", `size=${size}`] });
    expect(run.code).toBe(0);
    expect(run.summary.output).toEqual({ way, lengths: ["5", "5", "4"] });
    expect(run.summary.steps[skipped]).toMatchObject({ status: "skipped", skipReason: "condition" });
    expect(run.summary.steps["measure"]).toMatchObject({ counts: { total: 3, completed: 3 } });
    run.expectTogether(taken, ["measure", 0], ["measure", 1], ["measure", 2]);
    run.expectInOrder("survey", [taken, "measure"], "report");
  });
});

describe("the settings of a whole run", () => {
  test("five starts a second leave a fifth of a second between two of them", async () => {
    const run = await example("global-config.yaml");
    expectCompleted(run);
    const starts = ["host-a", "host-b", "host-c", "host-d"]
      .map((host) => run.interval(host).from)
      .toSorted((a, b) => a - b);
    for (const [index, start] of starts.slice(1).entries()) expect(start - starts[index]!).toBeGreaterThanOrEqual(199);
  });
});

describe("a graph of nodes and edges", () => {
  test("scatters what one node gives and gathers it by handles", async () => {
    const run = await example("scatter-gather.json");
    expect([run.code, run.summary.status]).toEqual([0, "completed"]);
    run.expectTogether("scan-left", "scan-right");
    run.expectInOrder("list", ["scan-left", "scan-right"], "report");
    expect(run.summary.steps["report"]!.output).toMatchObject({ report: "scan-left saw a,b; scan-right saw a,b" });
    expect(run.summary.steps["alert"]).toMatchObject({ status: "skipped", skipReason: "branch_not_taken" });
  });

  test("follows an error edge when a scan fails, and completes", async () => {
    const text = readFileSync(join(examples, "scatter-gather.json"), "utf8");
    const file = bench.write("scan-fails.json", text.replace("sleep 0.3; echo", "test $BRAID_STEP = scan-left; echo"));
    const run = await recordRun(bench, file);
    expect([run.code, run.summary.status]).toEqual([0, "completed"]);
    expect(run.statuses).toMatchObject({ "scan-right": "failed", report: "skipped", alert: "completed" });
    expect(run.summary.steps["alert"]!.triggeredBy).toEqual(["scan-right"]);
  });
});

/** The example with some words replaced, beside a copy of the programs that it calls. */
function blockVariant(name: string, replacements: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(examples, "parallel-block.yaml"), "utf8");
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`the example no longer says \`${from}\``);
    text = text.replace(from, to);
  }
  mkdirSync(join(bench.directory, "bin"), { recursive: true });
  cpSync(join(examples, "bin"), join(bench.directory, "bin"), { recursive: true });
  return bench.write(`block-${name}.yaml`, text);
}

/** The process id that the stand-in of a step wrote first. */
function processOf(run: RecordedRun, step: string): number {
  const line = run.log(step).find((text) => text.startsWith("process "));
  if (line === undefined) throw new Error(`\`${step}\` did not say its process id`);
  return Number(line.split(" ")[1]);
}

describe("a parallel block", () => {
  const deployments = ["deploy-api", "deploy-worker", "deploy-web"];

  test("runs its members together, between the step before and the step after", async () => {
    const run = await example("parallel-block.yaml");
    expectCompleted(run);
    run.expectTogether(...deployments);
    run.expectInOrder("Validate", deployments, "Verify");
    expect(run.summary.steps["deploy-all-services"]).toMatchObject({ counts: { total: 3, completed: 3 } });
  });

  test("fail_all ends the processes of the others and fails at once", async () => {
    const file = blockVariant("fail-all", {});
    const run = await recordRun(bench, file, { env: { FAIL_APP: "worker", SYNC_SECONDS: "45" } });
    expect(run.code).toBe(1);
    expect(run.statuses).toEqual({
      Validate: "completed",
      "deploy-all-services": "failed",
      "deploy-api": "canceled",
      "deploy-worker": "failed",
      "deploy-web": "canceled",
      Verify: "skipped",
    });
    for (const step of ["deploy-api", "deploy-web"]) {
      expect(run.summary.steps[step]!.cause).toBe("scope_failed");
      // Far from the 45 s that the program wanted, on a machine however slow.
      expect(run.interval(step).to - run.interval(step).from).toBeLessThan(20_000);
      expect(hasRunningMembers(processOf(run, step))).toBe(false);
    }
  });

  test("continue runs every member to its end and then reports every failure", async () => {
    const file = blockVariant("continue", { "on_failure: fail_all": "on_failure: continue" });
    const run = await recordRun(bench, file, { env: { FAIL_APP: "api worker" } });
    expect(run.code).toBe(1);
    expect(run.statuses).toMatchObject({
      "deploy-all-services": "failed",
      "deploy-api": "failed",
      "deploy-worker": "failed",
      "deploy-web": "completed",
      Verify: "skipped",
    });
    expect(run.log("deploy-web")).toContain("synced: apps sync --app web");
    // Failures stand in the order in which they happened, and which of the two is first is chance.
    expect(new Set(run.summary.failures.map(({ step }) => step))).toEqual(new Set(["deploy-api", "deploy-worker"]));
  });

  test("complete_running lets what runs finish and starts nothing more", async () => {
    const file = blockVariant("complete-running", {
      "on_failure: fail_all": "on_failure: complete_running\n      max_concurrent: 2",
    });
    const run = await recordRun(bench, file, { env: { FAIL_APP: "api", SYNC_SECONDS: "3" } });
    expect(run.code).toBe(1);
    expect(run.statuses).toMatchObject({
      "deploy-all-services": "failed",
      "deploy-api": "failed",
      "deploy-worker": "completed",
      "deploy-web": "skipped",
      Verify: "skipped",
    });
    expect(run.summary.steps["deploy-web"]!.skipReason).toBe("scope_failed");
    expect(run.hasRun("deploy-web")).toBe(false);
    expect(run.log("deploy-worker")).toContain("synced: apps sync --app worker");
  });

  test("complete_running with a cap of one starts nothing at all after a first failure", async () => {
    const file = blockVariant("complete-running-one", {
      "on_failure: fail_all": "on_failure: complete_running\n      max_concurrent: 1",
    });
    const run = await recordRun(bench, file, { env: { FAIL_APP: "api" } });
    expect(run.statuses).toMatchObject({ "deploy-api": "failed", "deploy-worker": "skipped", "deploy-web": "skipped" });
  });

  test("its timeout ends the processes of its members", async () => {
    const file = blockVariant("timeout", { "timeout: 600": "timeout: 1" });
    const run = await recordRun(bench, file, { env: { SYNC_SECONDS: "45" } });
    expect(run.code).toBe(1);
    expect(run.summary.steps["deploy-all-services"]).toMatchObject({ status: "failed", error: { code: "timeout" } });
    for (const step of deployments) {
      expect(run.summary.steps[step]).toMatchObject({ status: "canceled", cause: "scope_timeout" });
      expect(hasRunningMembers(processOf(run, step))).toBe(false);
    }
  });

  test("its cap holds", async () => {
    const file = blockVariant("cap", { "timeout: 600": "max_concurrent: 2" });
    const run = await recordRun(bench, file);
    expectCompleted(run);
    run.expectTogether("deploy-api", "deploy-worker");
    expect(run.mostAtOnce).toBe(2);
  });
});

describe("workflows in code", () => {
  test("a list without dependencies runs in order, each step with the result of the one before", async () => {
    const run = await example("sequential-flow.ts");
    expectCompleted(run);
    run.expectInOrder("step1", "step2", "step3");
    expect(run.summary.output).toEqual({ step1_done: true, step2_done: true, step3_done: true });
  });

  test("two branches run together and their results meet", async () => {
    const run = await example("parallel-flow.ts");
    expectCompleted(run);
    run.expectTogether("analyze_sentiment", "analyze_topics");
    const branches = ["analyze_sentiment", "analyze_topics"];
    run.expectInOrder("fetch_data", branches, "merge_analysis", "save_results");
    expect(run.summary.output).toEqual({
      data: "fetched content",
      sentiment: "positive",
      topics: ["elixir", "databases"],
      analysis_complete: true,
    });
  });

  test("a list turned into a graph runs its middle at the same time", async () => {
    const run = await example("diamond-flow.ts");
    expectCompleted(run);
    run.expectTogether("step2", "step3");
    run.expectInOrder("step1", ["step2", "step3"], "step4");
    expect(run.summary.output).toEqual({ step1_done: true, step2_done: true, step3_done: true, step4_done: true });
  });

  test("three questions are asked together before the call that needs their answers", async () => {
    const run = await example("request-flow.ts");
    expectCompleted(run);
    const questions = ["select_model", "validate_request", "check_quota"];
    run.expectTogether(...questions);
    run.expectInOrder("receive_request", questions, "call_llm", "publish_result");
    expect(run.summary.output).toEqual({ model: "small", answer: "Hello." });
  });
});

describe("the release", () => {
  test("a build starts when its own check is done, while another check still runs", async () => {
    const run = await example("release.yaml");
    expect([run.code, run.summary.status, run.summary.toleratedFailures]).toEqual([0, "completed", 0]);
    run.expectTogether("lint", "unit-tests", "audit");
    run.expectInOrder("lint", "build-web");
    expect(run.interval("build-web").from).toBeLessThan(run.interval("unit-tests").to);
    run.expectInOrder(["lint", "unit-tests"], "build-api");
    run.expectInOrder(["build-api", "build-web"], "deploy", "smoke-test", "announce", "clean-up");
    expect(run.statuses["rollback"]).toBe("skipped");
    expect(run.summary.output).toEqual({
      version: "1.4.2",
      images: ["api:1.4.2-494443413", "web:1.4.2-494443413"],
    });
  });

  test("at most two regions are deployed at a time", async () => {
    const run = await example("release.yaml");
    run.expectTogether(["deploy", 0], ["deploy", 1]);
    const firstEnd = Math.min(run.interval("deploy", 0).to, run.interval("deploy", 1).to);
    expect(run.interval("deploy", 2).from).toBeGreaterThanOrEqual(firstEnd);
  });

  test("a failing smoke test is handled by the rollback, and the run completes", async () => {
    const run = await example("release.yaml", { args: ["--input", "broken=true", "--input", "version=2.0.0"] });
    expect([run.code, run.summary.status]).toEqual([0, "completed"]);
    expect(run.statuses).toMatchObject({ "smoke-test": "failed", rollback: "completed", announce: "skipped" });
    expect(run.summary.steps["rollback"]!.triggeredBy).toEqual(["smoke-test"]);
    run.expectInOrder("smoke-test", "rollback", "clean-up");
  });
});

describe("the two tastes of the README", () => {
  test("the file runs lint beside the tests, then publishes two regions at a time", async () => {
    const run = await example("site.yaml");
    expect([run.code, run.statuses["roll-back"]]).toEqual([0, "skipped"]);
    run.expectInOrder("install", ["test", "lint"], "publish", "clean-up");
    expect(run.interval("publish", 2).from).toBeGreaterThanOrEqual(
      Math.min(run.interval("publish", 0).to, run.interval("publish", 1).to),
    );
    expect(run.log("test")).toEqual(["tested with a warm cache"]);
    expect(run.log("clean-up")).toEqual(["the run was completed"]);
  });

  test("the module publishes every region", async () => {
    const run = await example("site.ts");
    expectCompleted(run);
    expect(run.summary.output).toEqual(["published in eu", "published in us", "published in ap"]);
  });
});

describe("programs that use the engine", () => {
  test("one runs a workflow in its own process", async () => {
    const { runOnce } = await import("../examples/engine/run-in-process.ts");
    expect(await runOnce()).toEqual({ files: ["0-small-cat.png", "1-small-dog.png", "2-small-owl.png"] });
  });

  test("one starts a run, follows it, and approves what waits", async () => {
    const { startAndFollow } = await import("../examples/engine/workers.ts");
    const seen = await startAndFollow(`sqlite:${join(bench.directory, "workers.db")}`);
    expect(seen.filter((line) => line.startsWith("step.completed"))).toEqual([
      "step.completed collect",
      "step.completed sign-off",
      "step.completed send",
    ]);
    expect(seen.at(-1)).toBe("completed");
  });

  test("one brings a step type of its own, whose failures say what they are", async () => {
    const { forecast } = await import("../examples/engine/step-type.ts");
    expect(await forecast("Oslo")).toMatchObject({ status: "completed", output: -3 });
    expect(await forecast("Atlantis")).toMatchObject({
      status: "failed",
      error: { code: "unknown_city" },
      steps: { now: { attempts: 1 } },
    });
  });
});

import type { Plan } from "@braid/core";
import type { LogLine, PublicTraceEvent } from "@braid/engine";
import { describe, expect, test } from "vitest";
import { fakeStream } from "../testing/fake-io.ts";
import { planOf, traceOf } from "../testing/trace.ts";
import { applyTrace } from "./apply-trace.ts";
import { createLineReporter } from "./line-reporter.ts";
import type { LineReporterOptions } from "./line-reporter.ts";
import { createRunView } from "./run-view.ts";

interface Told extends Partial<LineReporterOptions> {
  /** They come just before the end of the attempt they belong to. */
  readonly lines?: readonly Partial<LogLine>[];
}

/** What the reporter writes for a trace. */
function report(plan: Plan, trace: readonly PublicTraceEvent[], { lines = [], ...options }: Told = {}): string {
  const output = fakeStream();
  const reporter = createLineReporter({
    runId: "run-1",
    output,
    style: { colors: false, unicode: true },
    logs: "full",
    isGithub: false,
    ...options,
  });
  const view = createRunView(plan);
  reporter.begin(view);
  for (const line of lines) {
    reporter.log({ runId: "run-1", step: 0, task: -1, attempt: 1, at: 0, stream: "stdout", text: "", ...line });
  }
  for (const event of trace) {
    const { line, node } = applyTrace(view, event);
    reporter.changed(line, node);
  }
  reporter.end();
  return output.text();
}

const plan = planOf(`
name: release
steps:
  - { id: build, run: "true", dependsOn: [] }
  - { id: test, run: "true", dependsOn: [build], retry: { maxAttempts: 2, delay: 2s, jitter: 0, backoff: fixed } }
  - { id: deploy, run: "true", dependsOn: [test] }
`);

test("writes one line per change, with the time since the start and the step", () => {
  expect(report(plan, traceOf(plan))).toBe(
    `   0.00s  run run-1 of release started: 3 steps
   0.00s  ● build  started
   1.00s  ✓ build  completed in 1.0s
   1.00s  ● test   started
   2.00s  ✓ test   completed in 1.0s
   2.00s  ● deploy started
   3.00s  ✓ deploy completed in 1.0s
`,
  );
});

test("says what failed, what comes again and what was lost because of it", () => {
  expect(report(plan, traceOf(plan, { test: { fails: true } }))).toContain(
    `   2.00s  ◦ test   attempt 1 failed: exit_code: simulated failure; again in 2.0s
   4.00s  ● test   attempt 2 started
   5.00s  ✗ test   failed after 4.0s: exit_code: simulated failure
   5.00s  - deploy skipped: upstream failed (test)
`,
  );
});

test("names a hidden group nowhere, and a step of a retried run once", () => {
  const grouped = planOf(`
name: grouped
steps:
  - { id: a, run: "true", parallelGroup: 1 }
  - { id: b, run: "true", parallelGroup: 2 }
  - { id: c, run: "true" }
`);
  const first = traceOf(grouped, { a: { fails: true } });
  expect(report(grouped, first)).toMatch(/- c skipped: upstream failed\n$/);
  const again = { seq: 90, runId: "run-1", at: "1970-01-01T00:01:00.000Z", task: 0, attempt: 2, data: {} };
  const retried = [
    { ...again, type: "run.started", step: null },
    { ...again, type: "step.ready", step: "a" },
    { ...again, type: "task.started", step: "a" },
    { ...again, type: "step.started", step: "a" },
  ];
  expect(report(grouped, [...first, ...retried])).toMatch(/ {3}0\.00s {2}● a started\n$/);
  expect(report(grouped, [...first, ...retried])).not.toContain("attempt 2 started");
});

test("names the items of a map that fail, and not those that go well", () => {
  const map = planOf(`
name: map
inputs: { items: { type: array } }
steps: [{ id: each, run: "true", forEach: { items: "\${{ inputs.items }}", tolerateFailures: 100% } }]
`);
  const text = report(map, traceOf(map, { each: { items: 3, fails: true } }));
  expect(text).toContain("✗ each[2] attempt 1 failed: exit_code: simulated failure");
  expect(report(map, traceOf(map, { each: { items: 3 } })).split("\n")).toHaveLength(4);
});

describe("the log of a step", () => {
  const logs = [
    { text: "compiling\u001b[2J" },
    { text: "::set-output name=x::forged" },
    { step: 1, text: "one" },
    { step: 1, attempt: 2, text: "two" },
  ];

  test("is written in one piece when its attempt ends", () => {
    expect(report(plan, traceOf(plan), { lines: logs })).toContain(
      `   0.00s  ● build  started
          │ compiling
          │ ::set-output name=x::forged
   1.00s  ✓ build  completed in 1.0s
`,
    );
  });

  test("is named after the item it is of", () => {
    const map = planOf(`
name: map
inputs: { items: { type: array } }
steps: [{ id: each, run: "true", forEach: { items: "\${{ inputs.items }}" } }]
`);
    const text = report(map, traceOf(map, { each: { items: 2 } }), { lines: [{ task: 1, text: "hello" }] });
    expect(text).toContain("          │ each[1]\n          │ hello\n");
  });

  test("is written for failures alone with `errors`, each attempt for itself", () => {
    const text = report(plan, traceOf(plan, { test: { fails: true } }), { lines: logs, logs: "errors" });
    expect(text).not.toContain("compiling");
    expect(text).toMatch(/│ one\n.*attempt 1 failed[\s\S]*│ two\n.*failed after/);
  });

  test("is not written with `none`", () => {
    expect(report(plan, traceOf(plan, { build: { fails: true } }), { lines: logs, logs: "none" })).not.toContain("│");
  });

  test("is a group under GitHub Actions, in which commands of the step have no effect", () => {
    const text = report(plan, traceOf(plan), { lines: logs, isGithub: true });
    const [, token] = /::group::build\n::stop-commands::([\w-]+)\n/.exec(text) ?? [];
    expect(token).toMatch(/^[\w-]{20,}$/);
    expect(text).toContain(`compiling\n::set-output name=x::forged\n::${token}::\n::endgroup::\n`);
  });
});

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeTerminal } from "../testing/fake-terminal.ts";
import type { FakeTerminal } from "../testing/fake-terminal.ts";
import { planOf, traceOf } from "../testing/trace.ts";
import { applyTrace } from "./apply-trace.ts";
import { createLiveReporter } from "./live-reporter.ts";
import type { LiveReporterOptions } from "./live-reporter.ts";
import type { Reporter } from "./reporter.ts";
import { createRunView } from "./run-view.ts";
import type { RunView } from "./run-view.ts";

const steps = Array.from({ length: 30 }, (_, index) => `  - { id: step-${index}, run: "true" }`).join("\n");
const plan = planOf(`name: many\nsteps:\n${steps}`);
const trace = traceOf(plan);

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

function start(
  terminal: FakeTerminal,
  options: Partial<LiveReporterOptions> = {},
): { readonly reporter: Reporter; readonly view: RunView } {
  const view = createRunView(plan);
  const reporter = createLiveReporter({
    runId: "run-1",
    output: terminal,
    style: { colors: false, unicode: true },
    logs: "errors",
    now: () => Date.now(),
    ...options,
  });
  reporter.begin(view);
  return { reporter, view };
}

function feed({ reporter, view }: ReturnType<typeof start>, count: number, from = 0): void {
  for (const event of trace.slice(from, from + count)) {
    const { line, node } = applyTrace(view, event);
    reporter.changed(line, node);
  }
}

test("repaints at most ten times a second, however much happens", () => {
  const terminal = fakeTerminal({ columns: 80, rows: 40 });
  const running = start(terminal);
  const before = terminal.writes();
  for (let millisecond = 0; millisecond < 1000; millisecond += 10) {
    feed(running, 1, millisecond / 10);
    vi.advanceTimersByTime(10);
  }
  expect(terminal.writes() - before).toBeLessThanOrEqual(11);
  expect(terminal.writes() - before).toBeGreaterThanOrEqual(8);
  running.reporter.end();
});

test("keeps its clocks going while nothing happens", () => {
  const terminal = fakeTerminal({ columns: 80, rows: 40 });
  const running = start(terminal);
  feed(running, 6);
  vi.advanceTimersByTime(5000);
  expect(terminal.lines().join("\n")).toMatch(/running +step-0 +(4\.9|5\.0)s/);
  running.reporter.end();
});

test("fits a small screen, follows its size, and leaves one last picture and the cursor", () => {
  const terminal = fakeTerminal({ columns: 60, rows: 10 });
  const running = start(terminal);
  feed(running, trace.length / 2);
  vi.advanceTimersByTime(200);
  expect(terminal.lines().length).toBeLessThanOrEqual(10);
  terminal.resize(60, 14);
  vi.advanceTimersByTime(200);
  expect(terminal.lines()).toHaveLength(14);
  // What a lower screen has pushed off can never be reached again; what it shows is one whole picture.
  terminal.resize(60, 6);
  vi.advanceTimersByTime(200);
  feed(running, trace.length, trace.length / 2);
  running.reporter.end();
  expect(terminal.isCursorVisible()).toBe(true);
  expect(terminal.lines().slice(-6)[0]).toBe("many  completed  30.0s  30 of 30 steps settled");
  const writes = terminal.writes();
  vi.advanceTimersByTime(10_000);
  expect(terminal.writes()).toBe(writes);
});

test("says what Ctrl-C did, below the table", () => {
  const terminal = fakeTerminal({ columns: 80, rows: 40 });
  const running = start(terminal);
  running.reporter.notice("canceling: press Ctrl-C again to kill");
  vi.advanceTimersByTime(200);
  expect(terminal.lines().at(-2)).toBe("canceling: press Ctrl-C again to kill");
  running.reporter.end();
});

test("writes whole logs above the table if it is asked to", () => {
  const terminal = fakeTerminal({ columns: 80, rows: 12 });
  const running = start(terminal, { logs: "full" });
  running.reporter.log({ runId: "run-1", step: 0, task: -1, attempt: 1, at: 0, stream: "stdout", text: "hello" });
  feed(running, 12);
  vi.advanceTimersByTime(300);
  running.reporter.end();
  const lines = terminal.lines();
  expect(lines.slice(0, 3)).toEqual(["          │ step-0", "          │ hello", expect.stringMatching(/^many/)]);
});

test("gives the cursor back when the process ends in the middle", () => {
  const terminal = fakeTerminal({ columns: 80, rows: 12 });
  const running = start(terminal);
  expect(terminal.isCursorVisible()).toBe(false);
  for (const listener of process.listeners("exit").slice(-1)) (listener as () => void)();
  expect(terminal.isCursorVisible()).toBe(true);
  running.reporter.end();
});

function countListeners(): number {
  return process.listenerCount("exit") + process.listenerCount("SIGTSTP") + process.listenerCount("SIGCONT");
}

test("leaves no listener behind", () => {
  const before = countListeners();
  const running = start(fakeTerminal({ columns: 80, rows: 12 }));
  expect(countListeners()).toBe(before + 3);
  running.reporter.end();
  expect(countListeners()).toBe(before);
});

import type { LogLine } from "@braid/engine";
import { expect, test } from "vitest";
import { LogBuffer } from "./log-buffer.ts";

function line(text: string, more: Partial<LogLine> = {}): LogLine {
  return { runId: "r", step: 0, task: 0, attempt: 1, at: 0, stream: "stdout", text, ...more };
}

test("keeps the lines of each attempt apart and gives them once", () => {
  const buffer = new LogBuffer();
  buffer.add(line("a"));
  buffer.add(line("other attempt", { attempt: 2 }));
  buffer.add(line("other item", { task: 1 }));
  buffer.add(line("b"));
  expect(buffer.take(0, 0, 1).lines.map(({ text }) => text)).toEqual(["a", "b"]);
  expect(buffer.take(0, 0, 1).lines).toEqual([]);
  expect(buffer.take(0, 1, 1).lines).toHaveLength(1);
});

test("finds the log of an ordinary step, whose task has no number of its own", () => {
  const buffer = new LogBuffer();
  buffer.add(line("a", { task: -1 }));
  expect(buffer.take(0, 0, 1).lines).toHaveLength(1);
});

test("keeps the end of a log that is too long, and counts the rest", () => {
  const buffer = new LogBuffer(10);
  for (let index = 0; index < 95; index += 1) buffer.add(line(String(index)));
  const { lines, dropped } = buffer.take(0, 0, 1);
  expect(lines.at(-1)?.text).toBe("94");
  expect(lines.length).toBeGreaterThanOrEqual(10);
  expect(lines.length + dropped).toBe(95);
  expect(lines[0]?.text).toBe(String(dropped));
});

import { expect, test } from "vitest";
import { isWellFormed } from "../payload/storable-text.ts";
import { leftOutMark } from "../process/output-capture.ts";
import { fitStreams } from "./fit-output.ts";

const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text));

test("leaves alone what fits", () => {
  expect(fitStreams("a", "b", 6)).toEqual({ stdout: "a", stderr: "b", isTruncated: false });
});

test.each([
  { name: "plain text", stdout: "x".repeat(5_000), stderr: "y".repeat(5_000) },
  { name: "one long stream", stdout: "x".repeat(5_000), stderr: "short" },
  { name: "the other long stream", stdout: "", stderr: "y".repeat(5_000) },
  { name: "characters that JSON escapes", stdout: "\u0001".repeat(5_000), stderr: '"\\\n'.repeat(2_000) },
  {
    name: "characters that differ from place to place",
    stdout: `${"x".repeat(4_000)}${"\u0001".repeat(4_000)}`,
    stderr: "😀é".repeat(3_000),
  },
])("cuts $name to the room there is", ({ stdout, stderr }) => {
  const fitted = fitStreams(stdout, stderr, 2_000);
  expect(fitted.isTruncated).toBe(true);
  const bytes = jsonBytes(fitted.stdout) + jsonBytes(fitted.stderr);
  expect(bytes).toBeLessThanOrEqual(2_000);
  expect(bytes).toBeGreaterThan(1_000);
  for (const text of [fitted.stdout, fitted.stderr]) expect(isWellFormed(text)).toBe(true);
});

test("keeps a short stream whole beside a long one", () => {
  const { stdout, stderr } = fitStreams("x".repeat(5_000), "the reason", 2_000);
  expect(stderr).toBe("the reason");
  expect(stdout).toContain(leftOutMark);
  expect(jsonBytes(stdout)).toBeGreaterThan(1_800);
});

test("leaves whole lines on both sides of the cut", () => {
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
  const { stdout } = fitStreams(`${lines.join("\n")}\n`, "", 1_000);
  const kept = stdout
    .split(leftOutMark)
    .flatMap((part) => part.split("\n"))
    .filter((line) => line !== "");
  expect(kept.length).toBeGreaterThan(50);
  expect(kept.filter((line) => !lines.includes(line))).toEqual([]);
});

test("leaves only the mark where there is no room", () => {
  expect(fitStreams("x".repeat(100), "", 10).stdout).toBe(leftOutMark);
});

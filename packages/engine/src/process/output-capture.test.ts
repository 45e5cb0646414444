import { expect, test } from "vitest";
import { leftOutMark, OutputCapture } from "./output-capture.ts";

function captured(maxBytes: number, chunks: readonly string[]): { text: string; isTruncated: boolean } {
  const capture = new OutputCapture(maxBytes);
  for (const chunk of chunks) capture.add(Buffer.from(chunk));
  return capture.finish();
}

test("keeps everything up to the limit", () => {
  expect(captured(8, ["abcd", "", "efgh"])).toEqual({ text: "abcdefgh", isTruncated: false });
  expect(captured(8, [])).toEqual({ text: "", isTruncated: false });
});

test("keeps the same halves whatever the chunks are", () => {
  const text = "0123456789abcdefghijklmnopqrstuvwxyz";
  const expected = { text: `0123${leftOutMark}wxyz`, isTruncated: true };
  for (let size = 1; size <= text.length; size += 1) {
    const chunks: string[] = [];
    for (let at = 0; at < text.length; at += size) chunks.push(text.slice(at, at + size));
    expect(captured(8, chunks)).toEqual(expected);
  }
});

test("cuts between characters", () => {
  for (const maxBytes of [8, 9, 10, 11, 12, 13, 14, 15]) {
    const { text } = captured(maxBytes, ["aé€😀".repeat(20)]);
    expect(text).not.toContain("\ufffd");
    expect(text).toContain(leftOutMark);
  }
});

test("does not grow with the number of chunks", () => {
  const capture = new OutputCapture(4_096);
  const chunk = Buffer.from("x");
  for (let count = 0; count < 200_000; count += 1) capture.add(chunk);
  expect(capture.finish().text).toHaveLength(4_096 + leftOutMark.length);
});

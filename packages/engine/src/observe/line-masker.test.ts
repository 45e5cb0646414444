import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createLineMasker } from "./line-masker.ts";
import { createMasker } from "./mask.ts";

const masker = createMasker(["secret-ü-value"]);

function lines(chunks: readonly (Uint8Array | string)[], secrets = masker): readonly string[] {
  const given: string[] = [];
  const stream = createLineMasker(secrets, (line) => given.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return given;
}

test("gives on the same masked lines wherever the chunks are cut", () => {
  const bytes = Buffer.from("one secret-ü-value\r\n\r\ntwo 😀 secret-ü-valuesecret-ü-value\nlast secret-ü-value");
  const expected = ["one ***", "", "two 😀 ***", "last ***"];
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      expect(lines(places.slice(1).map((end, index) => bytes.subarray(places[index], end)))).toEqual(expected);
    }),
  );
  expect(lines([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
});

test("takes text and bytes in turn", () => {
  expect(lines(["a", Buffer.from("é\n").subarray(0, 1), Buffer.from("é\n").subarray(1), "b"])).toEqual(["aé", "b"]);
});

test.each([
  { name: "only the last state of a progress bar", text: "1%\r50%\r100%\r\nnext\n", expected: ["100%", "next"] },
  { name: "an empty line that was drawn over", text: "x\r\n\r\r\n", expected: ["x", ""] },
  {
    name: "colours, but no other sequences",
    text: "\u001b[1;31mred\u001b[0m\u001b[2K\u001b[10;5Hx\u001b[?25l\n",
    expected: ["\u001b[1;31mred\u001b[0mx"],
  },
  {
    name: "no window titles or links",
    text: "\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\u009d0;y\u009cb\n",
    expected: ["alinkb"],
  },
  {
    name: "nothing of a sequence without an end",
    text: "a\u001b]0;hidden\nb\u001bPhidden\nc\u001b\n",
    expected: ["a", "b", "c"],
  },
  {
    name: "no other control characters",
    text: "a\0b\u0008c\u007fd\u0085e\u202ef\u2066g\th\n",
    expected: ["a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg\th"],
  },
  { name: "no halves of characters", text: "a\ud800b\n", expected: ["a\ufffdb"] },
  {
    name: "a secret without the colours that were put into it",
    text: "\u001b[1msecret-\u001b[31mü-val\u001b[0mue end\n",
    expected: ["*** end"],
  },
])("gives on $name", ({ text, expected }) => {
  expect(lines([text])).toEqual(expected);
});

test("keeps the last state of a bar that draws over itself for ever", () => {
  expect(lines([...Array.from({ length: 20_000 }, (_, index) => `\rstep ${index}`), "\r", "done"])).toEqual(["done"]);
});

test("gives on a long line in pieces without showing a secret at any cut", () => {
  for (let shift = 0; shift < 20; shift += 1) {
    const text = `${"x".repeat(65_536 - shift)}secret-ü-value${"y".repeat(70_000)}`;
    const pieces = lines([text.slice(0, 65_540), text.slice(65_540)]);
    expect(pieces.length).toBeGreaterThan(1);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(65_536 + masker.longestSecret);
    expect(pieces.join("")).toBe(`${"x".repeat(65_536 - shift)}***${"y".repeat(70_000)}`);
  }
});

test("does not cut a long line inside a character", () => {
  const text = "😀".repeat(70_000);
  expect(lines([`x${text}`]).join("")).toBe(`x${text}`);
});

test("gives on a long line of nothing but secrets as masks", () => {
  const pieces = lines(["secret-ü-value".repeat(20_000)]);
  expect(pieces.join("").replaceAll("*", "")).toBe("");
});

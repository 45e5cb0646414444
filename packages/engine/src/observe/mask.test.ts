import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { createMasker } from "./mask.ts";

const secret = "s3cr3t/pa+ss w&rd=é";
const masker = createMasker([secret]);

test("masks every place of a secret", () => {
  expect(masker.maskText(`a${secret}b${secret}${secret}c ${secret}`)).toBe("a***b***c ***");
  expect(masker.maskText("nothing here")).toBe("nothing here");
  expect(masker.maskText("s3cr3t/pa+ss w&rd=e")).toBe("s3cr3t/pa+ss w&rd=e");
});

test.each([
  { name: "JSON", text: JSON.stringify({ secret: `${secret}"\n` }) },
  { name: "JSON in ASCII", text: String.raw`"s3cr3t/pa+ss w&rd=\u00e9"` },
  { name: "JSON with escaped slashes", text: String.raw`"s3cr3t\/pa+ss w&rd=é"` },
  { name: "a URL", text: `https://x/?q=${encodeURIComponent(secret)}` },
  { name: "a URL in lower case", text: encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase()) },
  { name: "a form", text: new URLSearchParams({ secret }).toString() },
])("masks a secret in $name", ({ text }) => {
  const masked = masker.maskText(text);
  expect(masked).toContain("***");
  expect(masked).not.toContain("cr3t");
});

test.each([0, 1, 2, 3, 4])("masks a secret in base64 after %i other bytes", (before) => {
  for (const after of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before, "x"), Buffer.from(secret), Buffer.alloc(after, "y")]);
    for (const encoding of ["base64", "base64url"] as const) {
      const masked = masker.maskText(bytes.toString(encoding));
      expect(masked).toContain("***");
      // What is left around the mask holds bits of the neighbours, and at most six of the secret.
      expect(masked.replaceAll(/[*=]/g, "").length).toBeLessThanOrEqual(Math.ceil((before + after) * 1.34) + 2);
    }
  }
});

test("masks a long secret that a tool broke into lines of base64", () => {
  const long = "0123456789abcdef".repeat(10);
  const broken = execFileSync("base64", { input: long, encoding: "utf8" });
  expect(broken.trim().split("\n").length).toBeGreaterThan(1);
  expect(createMasker([long]).maskText(broken)).toMatch(/^(?:\*{3}\n?)+$/);
});

test("masks every line of a secret with several lines, but not the short ones", () => {
  const key = createMasker(["{\r\n  line one\n}\nab\nline two\n"]);
  expect(key.maskText("x line two y line one { } ab")).toBe("x *** y *** { } ab");
  expect(key.maskText("line one\n}\nab\nline two\n")).toBe("***\n}\nab\n***\n");
});

test("masks a secret that was read with its line end", () => {
  expect(createMasker(["token-1\n"]).maskText("token-1")).toBe("***");
});

test("does not mask what is too short to be a secret", () => {
  const short = createMasker(["", "a", "abc", " x "]);
  expect(short.maskText("abcabc a x")).toBe("abcabc a x");
  expect(short.longestSecret).toBe(0);
});

test("masks secrets that overlap as one", () => {
  const overlapping = createMasker(["abcdef", "defghi", "bcde", "zzzz"]);
  expect(overlapping.maskText("1abcdefghi2 zzzzzzz xabcdex")).toBe("1***2 *** xa***x");
});

test("finds a secret that ends inside the beginning of a longer one", () => {
  expect(createMasker(["aaaab", "aaaaaaac"]).maskText("aaaaaaab")).toBe("aaa***");
});

test("masks keys, texts and numbers of JSON and copies only what changes", () => {
  const pin = createMasker(["8675309", "token"]);
  const clean = { a: [1, null, true, "x"] };
  const value = { clean, "a token": "my token", number: 8675309, list: ["ok", "token"] };
  const masked = pin.maskJson(value);
  expect(masked).toEqual({ clean, "a ***": "my ***", number: "***", list: ["ok", "***"] });
  expect((masked as { clean: unknown }).clean).toBe(clean);
  expect(pin.maskJson(clean)).toBe(clean);
});

test("says whether the JSON of a value holds a secret", () => {
  const quoted = createMasker(['pass"word']);
  expect(quoted.contains(JSON.stringify({ a: 'xpass"word' }))).toBe(true);
  expect(quoted.contains(JSON.stringify({ a: "password" }))).toBe(false);
});

test("accepts secrets that are not well-formed", () => {
  expect(createMasker(["ab\ud800cd"]).maskText("x ab\ud800cd y")).toBe("x *** y");
});

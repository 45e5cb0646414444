import { execFileSync } from "node:child_process";
import { mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createOutputFile, type OutputFile, parseOutputs } from "./output-file.ts";

let file: OutputFile;

beforeEach(async () => {
  file = await createOutputFile();
});

afterEach(async () => {
  await file.remove();
});

test.each([
  { text: "", values: {} },
  { text: "a=1\n\nb = x \nc=x=y<<z\n", values: null },
  { text: "a=1\n\nb=  x \nc=x=y<<z\nd=", values: { a: "1", b: "  x ", c: "x=y<<z", d: "" } },
  { text: "a=1\na=2\n", values: { a: "2" } },
  {
    text: "text<<EOF\none\ntwo=2\n\nEOF\nnext=1\nempty<< END\nEND",
    values: { text: "one\ntwo=2\n", next: "1", empty: "" },
  },
])("reads $text", ({ text, values }) => {
  const parsed = parseOutputs(text);
  expect(parsed.ok ? Object.fromEntries(parsed.values) : null).toEqual(values);
});

test.each([
  { text: "a=1\nnonsense\n", message: "line 2 is neither `key=value` nor `key<<END`" },
  { text: "a b=1", message: "line 1 has the key `a b`" },
  { text: "=1", message: "line 1 has the key ``" },
  { text: "exitCode=0", message: "line 1 sets `exitCode`, which Braid sets itself" },
  { text: "\nstdout<<X\nX", message: "line 2 sets `stdout`" },
  { text: "__proto__=1", message: "sets `__proto__`, which is not allowed" },
  { text: "constructor=1", message: "sets `constructor`" },
  { text: "a<<EOF\none\n", message: "line 1 begins a value with `<<EOF` that no line `EOF` ends" },
  { text: "a<<\n", message: "line 1 begins a value with `<<`" },
])("refuses $text", ({ text, message }) => {
  expect(parseOutputs(text)).toMatchObject({ ok: false, message: expect.stringContaining(message) as string });
});

test("reads many values in linear time", () => {
  const parsed = parseOutputs(Array.from({ length: 60_000 }, (_, index) => `k${index}<<E\nv\nE\n`).join(""));
  expect(parsed.ok && parsed.values.size).toBe(60_000);
});

test("has no values when the program wrote no file", async () => {
  expect(await file.read()).toEqual({ ok: true, values: new Map() });
});

test("is readable by this user alone and gone after it is removed", async () => {
  expect((await stat(dirname(file.path))).mode & 0o077).toBe(0);
  await writeFile(file.path, "a=1\n");
  expect(await file.read()).toEqual({ ok: true, values: new Map([["a", "1"]]) });
  await file.remove();
  await expect(stat(dirname(file.path))).rejects.toThrow("ENOENT");
});

test.each([
  { name: "a link", make: (path: string) => symlink("/etc/hostname", path), message: "could not be read" },
  { name: "a directory", make: (path: string) => mkdir(path), message: "is not a plain file" },
  {
    name: "a pipe",
    make: (path: string) => Promise.resolve(execFileSync("mkfifo", [path])),
    message: "is not a plain file",
  },
  {
    name: "a file that is too large",
    make: (path: string) => writeFile(path, "x".repeat(1_048_577)),
    message: "is 1048577 bytes",
  },
])("refuses $name in place of the file", async ({ make, message }) => {
  await make(file.path);
  expect(await file.read()).toMatchObject({ ok: false, message: expect.stringContaining(message) as string });
});

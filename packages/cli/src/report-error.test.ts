import { describe, expect, test } from "vitest";
import { CliError, UsageError } from "./cli-error.ts";
import { reportError } from "./report-error.ts";
import { fakeIo } from "./testing/fake-io.ts";

function report(error: unknown, isDebug = false): { readonly code: number; readonly text: string } {
  const io = fakeIo({ isDebug });
  return { code: reportError(io, error), text: io.stderr.text() };
}

const withCode = (code: string): Error => Object.assign(new Error("cannot"), { code });

test.each([
  [new UsageError("no such file", "Did you mean `x`?"), 2, "braid: no such file\nDid you mean `x`?\n"],
  [new CliError("it broke"), 3, "braid: it broke\n"],
  [withCode("invalid_input"), 2, "braid: cannot\n"],
  [withCode("store_busy"), 3, "braid: cannot\n"],
  [
    "thrown text",
    3,
    "braid: thrown text\nThis is a fault of the program; run again with --debug to see where it happened.\n",
  ],
])("%s ends with its own code and one line", (error, code, text) => {
  expect(report(error)).toEqual({ code, text });
});

test("a message of several lines with control characters becomes one line", () => {
  expect(report(new CliError("first\nsecond\u001b[2J")).text).toBe("braid: first second\n");
});

describe("with --debug", () => {
  test("the stack is shown, and what caused it", () => {
    const { text } = report(new CliError("outer", { cause: new Error("inner") }), true);
    expect(text).toMatch(/^braid: outer\nCliError: outer\n +at [\s\S]*caused by Error: inner\n +at /);
  });
});

import { expect, test } from "vitest";
import type { OutputStream } from "../io.ts";
import { canRepaint, styleOf } from "./style.ts";
import type { ColorChoice } from "./style.ts";

function stream(isTerminal: boolean): OutputStream {
  return { isTerminal, columns: 80, rows: 24, isBroken: false, write: () => {}, onResize: () => () => {} };
}

interface Case {
  readonly env: Readonly<Record<string, string>>;
  readonly choice?: ColorChoice;
  readonly onTerminal: boolean;
  readonly onPipe: boolean;
}

const cases: readonly Case[] = [
  { env: {}, onTerminal: true, onPipe: false },
  { env: { NO_COLOR: "1" }, onTerminal: false, onPipe: false },
  { env: { NO_COLOR: "" }, onTerminal: true, onPipe: false },
  { env: { FORCE_COLOR: "1" }, onTerminal: true, onPipe: true },
  { env: { FORCE_COLOR: "0" }, onTerminal: false, onPipe: false },
  { env: { FORCE_COLOR: "1", NO_COLOR: "1" }, onTerminal: true, onPipe: true },
  { env: { CLICOLOR_FORCE: "1" }, onTerminal: true, onPipe: true },
  { env: { CLICOLOR_FORCE: "1", NO_COLOR: "1" }, onTerminal: false, onPipe: false },
  { env: { CLICOLOR: "0" }, onTerminal: false, onPipe: false },
  { env: { TERM: "dumb" }, onTerminal: false, onPipe: false },
  { env: { GITHUB_ACTIONS: "true" }, onTerminal: true, onPipe: true },
  { env: { NO_COLOR: "1" }, choice: "always", onTerminal: true, onPipe: true },
  { env: { FORCE_COLOR: "1" }, choice: "never", onTerminal: false, onPipe: false },
];

test.each(cases)("colors with $env and --color $choice: terminal $onTerminal, pipe $onPipe", (each) => {
  const choice = each.choice ?? "auto";
  expect(styleOf({ env: each.env }, stream(true), choice).colors).toBe(each.onTerminal);
  expect(styleOf({ env: each.env }, stream(false), choice).colors).toBe(each.onPipe);
});

test.each([
  [{}, true],
  [{ LANG: "en_US.UTF-8" }, true],
  [{ LANG: "C" }, false],
  [{ LANG: "C", LC_ALL: "C.UTF-8" }, true],
  [{ TERM: "linux", LANG: "en_US.UTF-8" }, false],
] as const)("marks with %j are Unicode: %s", (env, unicode) => {
  expect(styleOf({ env }, stream(true), "auto").unicode).toBe(unicode);
});

test.each([
  [{}, true],
  [{ TERM: "dumb" }, false],
  [{ CI: "true" }, false],
  [{ CI: "false" }, true],
] as const)("a terminal with %j is repainted: %s", (env, isRepainted) => {
  expect(canRepaint({ env }, stream(true))).toBe(isRepainted);
});

test("a pipe is never repainted", () => {
  expect(canRepaint({ env: {} }, stream(false))).toBe(false);
});

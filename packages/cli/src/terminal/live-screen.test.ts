import { expect, test } from "vitest";
import { fakeTerminal } from "../testing/fake-terminal.ts";
import { LiveScreen } from "./live-screen.ts";

test("paints over its last picture, also when it has become smaller", () => {
  const terminal = fakeTerminal({ columns: 20, rows: 10 });
  terminal.write("before\n");
  const screen = new LiveScreen(terminal);
  screen.paint(["one", "two long", "three"]);
  screen.paint(["ONE", "TWO"]);
  expect(terminal.lines()).toEqual(["before", "ONE", "TWO", ""]);
});

test("puts text above that stays", () => {
  const terminal = fakeTerminal({ columns: 20, rows: 10 });
  const screen = new LiveScreen(terminal);
  screen.paint(["one", "two"]);
  screen.paint(["one", "two"], "log line 1\nlog line 2\n");
  screen.paint(["ONE", "TWO"]);
  expect(terminal.lines()).toEqual(["log line 1", "log line 2", "ONE", "TWO", ""]);
});

test("hides the cursor while it paints and gives it back once", () => {
  const terminal = fakeTerminal({ columns: 20, rows: 10 });
  const screen = new LiveScreen(terminal);
  expect(terminal.isCursorVisible()).toBe(true);
  screen.paint(["one"]);
  expect(terminal.isCursorVisible()).toBe(false);
  screen.close();
  const writes = terminal.writes();
  screen.close();
  expect(terminal.isCursorVisible()).toBe(true);
  expect(terminal.writes()).toBe(writes);
});

test("paints again after it was closed, below its last picture", () => {
  const terminal = fakeTerminal({ columns: 20, rows: 10 });
  const screen = new LiveScreen(terminal);
  screen.paint(["one"]);
  screen.close();
  screen.paint(["two"]);
  expect(terminal.lines()).toEqual(["one", "two", ""]);
  expect(terminal.isCursorVisible()).toBe(false);
});

test("sends one picture in one write", () => {
  const terminal = fakeTerminal({ columns: 20, rows: 10 });
  new LiveScreen(terminal).paint(["one", "two"], "above\n");
  expect(terminal.writes()).toBe(1);
});

test("goes up by the lines that a narrower terminal has made of its picture", () => {
  let sent = "";
  const output = { ...fakeTerminal({ columns: 40, rows: 24 }), write: (text: string) => (sent = text) };
  const screen = new LiveScreen(output);
  screen.paint(["x".repeat(30), "y".repeat(10)]);
  output.columns = 12;
  screen.paint(["z"]);
  expect(sent).toContain("\u001b[4A");
});

test("never goes up more than a screen", () => {
  let sent = "";
  const output = { ...fakeTerminal({ columns: 40, rows: 24 }), write: (text: string) => (sent = text) };
  const screen = new LiveScreen(output);
  screen.paint(Array.from({ length: 20 }, (_, index) => `line ${index}`));
  output.rows = 8;
  screen.paint(["z"]);
  expect(sent).toContain("\u001b[7A");
});

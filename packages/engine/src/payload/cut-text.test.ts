import { expect, test } from "vitest";
import { dropBrokenEnd, dropBrokenStart } from "./cut-text.ts";

test("drops the piece of a line", () => {
  expect(dropBrokenEnd("one\ntwo\nthree fo")).toBe("one\ntwo\n");
  expect(dropBrokenStart("ne two\ntwo\nthree")).toBe("two\nthree");
});

test("drops the piece of a word where there is no line, or none near", () => {
  expect(dropBrokenEnd('{"token": "abc')).toBe('{"token": "');
  expect(dropBrokenStart('bc", "x": 1}')).toBe('", "x": 1}');
  const long = "word ".repeat(5_000);
  expect(dropBrokenEnd(`line\n${long}abc`)).toBe(`line\n${long}`);
  expect(dropBrokenStart(`abc ${long}\nline`)).toBe(` ${long}\nline`);
});

test("keeps a text that has neither lines nor words", () => {
  const long = "x".repeat(1_000);
  for (const text of ["", "abc", long]) {
    expect(dropBrokenEnd(text)).toBe(text);
    expect(dropBrokenStart(text)).toBe(text);
  }
  expect(dropBrokenEnd(`a ${long}`)).toBe(`a ${long}`);
  expect(dropBrokenStart(`${long} a`)).toBe(`${long} a`);
});

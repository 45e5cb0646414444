import { expect, test } from "vitest";
import { toStorableText } from "./storable-text.ts";

test("leaves text alone that can be stored", () => {
  expect(toStorableText("a\nü😀")).toBe("a\nü😀");
});

test("replaces NUL and halves of characters", () => {
  expect(toStorableText("a\0b\ud800c")).toBe("a\ufffdb\ufffdc");
});

test("cuts without leaving half a character", () => {
  expect(toStorableText("ab😀cd", 4)).toBe("ab\ufffd…");
  expect(toStorableText("abcd", 4)).toBe("abcd");
});

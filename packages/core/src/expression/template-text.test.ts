import { expect, test } from "vitest";
import { findExpressionEnd, isTemplate, splitTemplate } from "./template-text.ts";

test("takes only strings with an expression for templates", () => {
  expect(isTemplate("v${{ inputs.v }}")).toBe(true);
  expect(isTemplate("$HOME ${x} {{ y }} $ {{")).toBe(false);
});

test("splits a string into literal text and expressions, with the place of each source", () => {
  expect(splitTemplate("a ${{ inputs.x }}-${{env.Y}} b").slices).toEqual([
    { kind: "text", text: "a " },
    { kind: "expression", source: " inputs.x ", offset: 5 },
    { kind: "text", text: "-" },
    { kind: "expression", source: "env.Y", offset: 21 },
    { kind: "text", text: " b" },
  ]);
});

test("does not end an expression at braces inside its strings", () => {
  const { slices } = splitTemplate("${{ fromJSON('{\"a\":{}}').a }}!");
  expect(slices).toEqual([
    { kind: "expression", source: " fromJSON('{\"a\":{}}').a ", offset: 3 },
    { kind: "text", text: "!" },
  ]);
});

test("reads a doubled quote as part of the string", () => {
  const text = "${{ 'it''s }} here' }}";
  expect(findExpressionEnd(text, 3)).toBe(text.length - 2);
});

test("says where an expression starts that never ends", () => {
  expect(splitTemplate("ab ${{ inputs.x }").unclosedAt).toBe(3);
  expect(splitTemplate("${{ it's }}").unclosedAt).toBe(0);
  expect(splitTemplate("${{ a }} ${{").unclosedAt).toBe(9);
});

test("takes the first closing braces as the end", () => {
  expect(splitTemplate("${{ a }}}}").slices.at(-1)).toEqual({ kind: "text", text: "}}" });
});

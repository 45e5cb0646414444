import type { JsonValue } from "@braid/core";
import { PatternSearch, type TextRange } from "./pattern-search.ts";
import { secretVariants } from "./secret-variants.ts";

/** Stands where a secret stood. */
const mask = "***";

/** Removes secrets from everything that is shown or stored. The time it takes grows with the text alone. */
export interface Masker {
  /** Length of the longest form of a secret; 0 when there is nothing to mask. */
  readonly longestSecret: number;
  /** Whether a text, or the JSON of a value, holds a secret. */
  contains(text: string): boolean;
  maskText(text: string): string;
  /**
   * Where a text that goes on later may be cut so that no part of a secret is left on either side: at `at` or near it.
   * The text has to be longer than `at` by `longestSecret` or more.
   */
  safeCut(text: string, at: number): number;
  /**
   * Masks keys, texts, and numbers whose digits are a secret. What holds no secret is not copied; keys that become the
   * same are one member.
   */
  maskJson(value: JsonValue): JsonValue;
}

/**
 * Makes the masker of one run's secrets. The forms that are found are those of `secretVariants`; a program that encodes
 * a secret in another way gets past it, so it is a safety net and not a border.
 */
export function createMasker(secrets: Iterable<string>): Masker {
  const variants = new Set<string>();
  for (const secret of secrets) for (const variant of secretVariants(secret)) variants.add(variant);
  if (variants.size === 0) return emptyMasker;
  const search = new PatternSearch(variants);
  const maskText = (text: string): string => cover(text, search);
  return {
    longestSecret: Math.max(...Array.from(variants, (variant) => variant.length)),
    contains: (text) => search.occursIn(text),
    maskText,
    safeCut: (text, at) => cutOutside(search.findRanges(text), at),
    maskJson: (value) => maskValue(value, maskText),
  };
}

const emptyMasker: Masker = {
  longestSecret: 0,
  contains: () => false,
  maskText: (text) => text,
  safeCut: (_text, at) => at,
  maskJson: (value) => value,
};

function cutOutside(ranges: readonly TextRange[], at: number): number {
  const crossed = ranges.find(({ start, end }) => start < at && end > at);
  if (crossed === undefined) return at;
  // Before the secret, or after it where the text is nothing but secrets up to here.
  return crossed.start > 0 ? crossed.start : crossed.end;
}

function cover(text: string, search: PatternSearch): string {
  const ranges = search.findRanges(text);
  if (ranges.length === 0) return text;
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of ranges) {
    parts.push(text.slice(at, start), mask);
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join("");
}

function maskValue(value: JsonValue, maskText: (text: string) => string): JsonValue {
  if (typeof value === "string") return maskText(value);
  if (typeof value === "number") return maskNumber(value, maskText);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const entries = value.map((entry: JsonValue) => maskValue(entry, maskText));
    return entries.some((entry, index) => entry !== value[index]) ? entries : value;
  }
  let isChanged = false;
  const members = Object.entries(value).map(([key, member]): [string, JsonValue] => {
    const masked: [string, JsonValue] = [maskText(key), maskValue(member, maskText)];
    isChanged ||= masked[0] !== key || masked[1] !== member;
    return masked;
  });
  return isChanged ? Object.fromEntries(members) : value;
}

function maskNumber(value: number, maskText: (text: string) => string): JsonValue {
  const text = String(value);
  const masked = maskText(text);
  return masked === text ? value : masked;
}

import { SECTIONS } from "./aliases.ts";
import type { Meaning, Section, SectionKeys } from "./aliases.ts";

/** Canonical keys of a section. */
export function sectionKeys(section: Section): readonly string[] {
  return SECTIONS[section].keys;
}

/** Every word of a section in camelCase, canonical keys first. */
export function sectionWords(section: Section): Iterable<string> {
  return WORDS.get(section)?.keys() ?? [];
}

/** What a key means in a section; undefined when it means nothing there. */
export function meaningOf(section: Section, written: string): Meaning | undefined {
  const known = WORDS.get(section);
  return known?.get(written) ?? known?.get(toCamelCase(written));
}

/** Whether a key is skipped in silence: an extension of somebody else's (`x-…`), or how a graph is drawn. */
export function isIgnored(section: Section, written: string): boolean {
  return written.startsWith("x-") || (SECTIONS[section].ignored ?? []).includes(toCamelCase(written));
}

/** Whether unknown words are skipped. */
export function isOpen(section: Section): boolean {
  return SECTIONS[section].isOpen ?? false;
}

/** Whether a key may stand without a value, so that its reader has to see that. */
export function meansSomethingEmpty(section: Section, key: string): boolean {
  return (SECTIONS[section].withoutValue ?? []).includes(key);
}

/** What to write instead of a word that people bring from elsewhere. */
export function hintFor(section: Section, written: string): string | undefined {
  const hints = SECTIONS[section].hints ?? {};
  const word = toCamelCase(written);
  return Object.hasOwn(hints, word) ? hints[word] : undefined;
}

/** Every documented spelling of a section's keys: canonical, snake_case, and the other words in both. */
export function spellings(section: Section): ReadonlyMap<string, Meaning> {
  const all = new Map<string, Meaning>();
  for (const [word, meaning] of WORDS.get(section) ?? []) {
    all.set(word, meaning);
    all.set(toSnakeCase(word), meaning);
  }
  return all;
}

/** Whether two keys are spellings of one key anywhere in a definition: how a place is found from a canonical pointer. */
export function isSameKey(written: string, canonical: string): boolean {
  if (toCamelCase(written) === canonical) return true;
  for (const section of WORDS.keys()) if (meaningOf(section, written)?.key === canonical) return true;
  return false;
}

/** `max_concurrent` and `max-concurrent` become `maxConcurrent`. */
export function toCamelCase(word: string): string {
  return word.replace(/(?<=[a-z0-9])[-_]([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());
}

/** `maxConcurrent` becomes `max_concurrent`. */
export function toSnakeCase(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Meaning of each word, by section: a canonical key means itself. */
const WORDS: ReadonlyMap<Section, ReadonlyMap<string, Meaning>> = new Map(
  (Object.keys(SECTIONS) as Section[]).map((section) => [section, wordsOf(SECTIONS[section])]),
);

function wordsOf({ keys, aliases = {} }: SectionKeys): ReadonlyMap<string, Meaning> {
  const words = new Map<string, Meaning>(keys.map((key) => [key, { key }]));
  for (const [word, meaning] of Object.entries(aliases)) {
    // A section may take the keys of another one that has the word as a key of its own.
    if (!words.has(word)) words.set(word, typeof meaning === "string" ? { key: meaning } : meaning);
  }
  return words;
}

import { z } from "zod";
import { SECTIONS } from "../aliases.ts";
import type { Meaning, Section, Unit } from "../aliases.ts";
import { spellings } from "../meaning.ts";

/** What one key may hold, and the sentence that an editor shows for it. */
export interface KeySchema {
  readonly type: z.ZodType;
  readonly about: string;
}

export function key(type: z.ZodType, about: string): KeySchema {
  return { type, about };
}

/** The keys of a section, by canonical key. */
export type Shape = { readonly [key: string]: KeySchema };

/** What a key holds whose spelling says which unit it counts in. */
const UNIT_TYPES: { readonly [U in Unit]: KeySchema } = {
  milliseconds: key(z.number().nonnegative(), "in milliseconds"),
  retries: key(z.int().nonnegative(), "as the number of attempts after the first one"),
  attempts: key(z.int().positive(), "as the number of all attempts"),
};

export interface SectionText {
  /** What an editor shows for the whole mapping. */
  readonly about: string;
  readonly required?: readonly string[];
}

/**
 * The schema of a mapping, under its own name: every documented spelling of every key. Editors complete only the canonical
 * ones, and the others point to those.
 */
export function section(name: Section, shape: Shape, { about, required = [] }: SectionText): z.ZodType {
  const { ignored = [], isOpen = false } = SECTIONS[name];
  const members: { [written: string]: z.ZodType } = {};
  for (const word of ignored) members[word] = describe(shape[word] ?? IGNORED, word, HIDDEN);
  for (const [written, meaning] of spellings(name)) {
    const described = shape[meaning.key];
    if (described === undefined) throw new Error(`The schema of \`${name}\` lacks the key \`${meaning.key}\`.`);
    if (written !== meaning.key) members[written] = alias(name, written, meaning);
    else if (required.includes(written))
      members[written] = described.type.meta({ title: titleOf(written), description: described.about });
    else members[written] = describe(described, written);
  }
  const mapping = isOpen ? z.looseObject(members) : z.strictObject(members);
  return mapping.meta({ id: name, title: titleOf(name), description: about });
}

function describe({ type, about }: KeySchema, word: string, extra: object = {}): z.ZodType {
  return type.optional().meta({ title: titleOf(word), description: about, ...extra });
}

/** Another spelling. What it holds is written once, at the canonical key. */
function alias(name: Section, written: string, { key: canonical, unit }: Meaning): z.ZodType {
  if (unit !== undefined) {
    const { type, about } = UNIT_TYPES[unit];
    return describe(key(type, `\`${canonical}\` ${about}.`), written, HIDDEN);
  }
  const about = `Another word for \`${canonical}\`.`;
  return describe(key(z.unknown(), about), written, { ...HIDDEN, $ref: `#/$defs/${name}/properties/${canonical}` });
}

const IGNORED = key(z.unknown(), "Ignored: how it is drawn.");

/** Editors that know the word leave the key out of their suggestions; others ignore it. */
const HIDDEN = { doNotSuggest: true } as const;

/** `maxConcurrent` becomes `Max concurrent`. */
function titleOf(word: string): string {
  const words = word.replaceAll("_", " ").replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

import type { JsonObject, JsonValue } from "../json.ts";
import type { Meaning, Section, Unit } from "./aliases.ts";
import { describeValue, quote } from "./describe.ts";
import {
  hintFor,
  isIgnored,
  isOpen,
  meaningOf,
  meansSomethingEmpty,
  sectionKeys,
  sectionWords,
  toCamelCase,
} from "./meaning.ts";
import { nearestName } from "./nearest.ts";
import { memberPointer } from "./pointer.ts";
import type { Reading } from "./reading.ts";

/** A written value: what it is, and how messages call it. */
export interface Field {
  readonly value: JsonValue;
  /** JSON pointer in the text. */
  readonly at: string;
  /** Start of a sentence about it: the key as written, in backticks, or `Item 2 of …`. */
  readonly label: string;
  readonly unit?: Unit;
}

/** Fields of a mapping by canonical key. */
export type Fields = ReadonlyMap<string, Field>;

export function fieldOf(value: JsonValue, at: string, label: string): Field {
  return { value, at, label };
}

/** Items of a list as fields. `kind` says how messages call an item; without it, an item of the list. */
export function itemsOf(field: Field, list: readonly JsonValue[], kind?: string): readonly Field[] {
  const [before, after] = kind === undefined ? ["Item", ` of ${field.label}`] : [kind, ""];
  return list.map((value, index) => fieldOf(value, memberPointer(field.at, index), `${before} ${index + 1}${after}`));
}

/** Members of a mapping whose keys are names that the author chose. */
export function membersOf(field: Field, object: JsonObject): readonly (readonly [name: string, member: Field])[] {
  return Object.entries(object).map(([name, value]) => [
    name,
    fieldOf(value, memberPointer(field.at, name), quote(name)),
  ]);
}

export function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/**
 * Reads the keys of a mapping: resolves every spelling, and reports unknown keys, keys that are written twice and keys
 * without a value. Undefined when the value is no mapping.
 */
export function readFields(reading: Reading, field: Field, section: Section): Fields | undefined {
  const { value, at } = field;
  if (!isObject(value)) {
    const message = `${field.label} must be a mapping, not ${describeValue(value)}.`;
    reading.error({ code: "invalid_value", message, hint: `Its keys: ${sectionKeys(section).join(", ")}.`, path: at });
    return undefined;
  }
  const fields = new Map<string, Field>();
  const guesses: { readonly key: string; readonly field: Field }[] = [];
  for (const [written, member] of Object.entries(value)) {
    const found = fieldOf(member, memberPointer(at, written), quote(written));
    const meaning = meaningOf(section, written);
    if (meaning !== undefined) {
      addField(reading, { fields, section, key: meaning.key, field: inUnit(found, meaning) });
      continue;
    }
    const guess = reportUnknown(reading, { section, written, path: found.at });
    if (guess !== undefined) guesses.push({ key: guess.key, field: inUnit(found, guess) });
  }
  // A misspelled key is read as what it probably means, so that one mistake does not make a second one out of its absence.
  for (const guess of guesses) if (!fields.has(guess.key)) fields.set(guess.key, guess.field);
  return fields;
}

function inUnit(field: Field, { unit }: Meaning): Field {
  return unit === undefined ? field : { ...field, unit };
}

interface FoundField {
  readonly fields: Map<string, Field>;
  readonly section: Section;
  readonly key: string;
  readonly field: Field;
}

function addField(reading: Reading, { fields, section, key, field }: FoundField): void {
  const first = fields.get(key);
  if (first !== undefined) {
    const message = `${first.label} and ${field.label} say the same thing, and both are written.`;
    reading.error({ code: "conflicting_keys", message, hint: "Keep one of them.", path: field.at, part: "key" });
    return;
  }
  if (field.value === null && !meansSomethingEmpty(section, key)) {
    const message = `${field.label} has no value and is ignored.`;
    reading.warning({
      code: "missing_value",
      message,
      hint: "Give it a value, or leave it out.",
      path: field.at,
      part: "key",
    });
    return;
  }
  fields.set(key, field);
}

interface UnknownKey {
  readonly section: Section;
  readonly written: string;
  readonly path: string;
}

/** Reports a key that means nothing here, and returns what it was probably meant to be. */
function reportUnknown(reading: Reading, { section, written, path }: UnknownKey): Meaning | undefined {
  if (isIgnored(section, written)) return undefined;
  const message = `${quote(written)} is not a key of ${SECTION_NAMES[section]}.`;
  const advice = hintFor(section, written);
  const nearest = advice === undefined ? nearestKey(section, written) : undefined;
  const guess = nearest === undefined ? undefined : `Did you mean ${quote(nearest)}?`;
  if (isOpen(section)) {
    if (guess !== undefined) reading.warning({ code: "unknown_key", message, hint: guess, path, part: "key" });
    return undefined;
  }
  const known = `Known keys: ${sectionKeys(section).join(", ")}. Keys that start with \`x-\` are ignored.`;
  reading.error({ code: "unknown_key", message, hint: guess ?? advice ?? known, path, part: "key" });
  return nearest === undefined ? undefined : meaningOf(section, nearest);
}

function nearestKey(section: Section, written: string): string | undefined {
  return nearestName(toCamelCase(written), sectionWords(section));
}

const SECTION_NAMES: { readonly [S in Section]: string } = {
  workflow: "a workflow",
  graph: "a workflow graph",
  defaults: "`defaults`",
  parallelConfig: "the workflow's `parallel`",
  runConcurrency: "the workflow's `concurrency`",
  secret: "a secret",
  typeBinding: "a bound step type",
  input: "an input",
  step: "a step",
  block: "a parallel block",
  forEach: "`forEach`",
  retry: "`retry`",
  rateLimit: "`rateLimit`",
  join: "`join`",
  dependency: "a dependency",
  stepConcurrency: "a step's `concurrency`",
  sleep: "`sleep`",
  approval: "`approval`",
  signal: "`signal`",
  runInput: "the input of type `run`",
  commandInput: "the input of type `command`",
  workflowInput: "the input of type `workflow`",
  node: "a node",
  nodeData: "a node's `data`",
  edge: "an edge",
  edgeData: "an edge's `data`",
  group: "a group",
};

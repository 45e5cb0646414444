import type { JsonObject, JsonValue } from "../json.ts";
import { describeValue, listNames, quote } from "./describe.ts";
import { isList, isObject } from "./fields.ts";
import type { Field } from "./fields.ts";
import { toCamelCase } from "./meaning.ts";
import { nearestName } from "./nearest.ts";
import type { Reading } from "./reading.ts";
import { isTemplate } from "./template.ts";

/** Reports that a value is not what it has to be: expected and got. */
export function reportExpected(
  reading: Reading,
  field: Field,
  expected: { readonly what: string; readonly hint?: string },
): undefined {
  const message = `${field.label} must be ${expected.what}, not ${describeValue(field.value)}.`;
  reading.error({ code: "invalid_value", message, hint: expected.hint, path: field.at });
}

/** Reports a key that has no place beside another one. */
export function reportMisplaced(
  reading: Reading,
  field: Field,
  text: { readonly problem: string; readonly hint: string },
): void {
  const message = `${field.label} ${text.problem}.`;
  reading.error({ code: "conflicting_keys", message, hint: text.hint, path: field.at, part: "key" });
}

/** A text that is not empty. */
export function readText(reading: Reading, field: Field): string | undefined {
  const { value } = field;
  if (typeof value === "string" && value.trim() !== "") return value;
  const hint = isScalar(value) && typeof value !== "string" ? `Put it in quotes: \`"${value}"\`.` : undefined;
  return reportExpected(reading, field, hint === undefined ? { what: "a text" } : { what: "a text", hint });
}

/** A text that may be empty. */
export function readAnyText(reading: Reading, field: Field): string | undefined {
  return field.value === "" ? "" : readText(reading, field);
}

export function readBoolean(reading: Reading, field: Field): boolean | undefined {
  if (typeof field.value === "boolean") return field.value;
  return reportExpected(reading, field, { what: "`true` or `false`" });
}

export interface NumberRange {
  readonly least: number;
  readonly most?: number;
}

/** Largest integer that every store can keep in a column. */
export const MAX_INTEGER = 2_147_483_647;

export function readInteger(
  reading: Reading,
  field: Field,
  { least, most = MAX_INTEGER }: NumberRange,
): number | undefined {
  const { value } = field;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === MAX_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return reportExpected(reading, field, { what: `a whole number ${range}` });
}

export function readNumber(
  reading: Reading,
  field: Field,
  { least, most = MAX_INTEGER }: NumberRange,
): number | undefined {
  const { value } = field;
  if (typeof value === "number" && value >= least && value <= most) return value;
  const range = most === MAX_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return reportExpected(reading, field, { what: `a number ${range}` });
}

/** One of a few words. snake_case and kebab-case of a word are the word. */
export function readWord<const Word extends string>(
  reading: Reading,
  field: Field,
  words: readonly Word[],
): Word | undefined {
  const { value } = field;
  const found = typeof value === "string" ? words.find((word) => toCamelCase(word) === toCamelCase(value)) : undefined;
  if (found !== undefined) return found;
  const nearest = typeof value === "string" ? nearestName(value, words) : undefined;
  const what = words.length === 1 ? listNames(words) : listNames(words, "or");
  return reportExpected(reading, field, {
    what,
    ...(nearest === undefined ? {} : { hint: `Did you mean ${quote(nearest)}?` }),
  });
}

export function readObject(reading: Reading, field: Field): JsonObject | undefined {
  if (isObject(field.value)) return field.value;
  return reportExpected(reading, field, { what: "a mapping" });
}

export function readList(reading: Reading, field: Field): readonly JsonValue[] | undefined {
  if (isList(field.value)) return field.value;
  return reportExpected(reading, field, { what: "a list" });
}

/**
 * Any JSON value where the model also takes a function of the builder. Only code can name one: a text that could would call
 * functions its author never saw.
 */
export function readData(reading: Reading, field: Field): JsonValue | undefined {
  if (!isObject(field.value) || !Object.hasOwn(field.value, "$function")) return field.value;
  const message = `${field.label} has the key \`$function\`, which only workflows written in TypeScript can use.`;
  reading.error({ code: "invalid_value", message, hint: "Write a template: `${{ … }}`.", path: field.at });
  return undefined;
}

/** A condition: a text, or a constant. */
export function readCondition(reading: Reading, field: Field): string | undefined {
  if (typeof field.value === "boolean") return `\${{ ${field.value} }}`;
  if (typeof field.value === "string" && field.value.trim() !== "") return field.value;
  return reportExpected(reading, field, { what: "a condition such as `${{ inputs.deploy }}`" });
}

/** Names that shells and operating systems take for a variable. */
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reports a name that cannot be that of an environment variable. */
export function checkVariableName(reading: Reading, name: string, path: string): void {
  if (VARIABLE_NAME.test(name)) return;
  const message = `${quote(name)} cannot be the name of an environment variable.`;
  const hint = "Use letters, digits and `_`, and no digit at the start.";
  reading.error({ code: "invalid_value", message, hint, path, part: "key" });
}

/** Whether a value can be written into a flag, a variable or a label. */
export function isScalar(value: JsonValue): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** A template or a constant that has to be a text. */
export function readTemplateText(reading: Reading, field: Field): string | undefined {
  return isTemplate(field.value) ? field.value : readText(reading, field);
}

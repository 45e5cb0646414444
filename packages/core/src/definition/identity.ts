import { isRefusedKey } from "./copy-json.ts";
import { quote } from "./describe.ts";
import type { Field } from "./fields.ts";
import type { Reading } from "./reading.ts";
import { readText } from "./values.ts";

const MAX_ID_LENGTH = 128;
const MAX_NAME_LENGTH = 256;

const ID = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** Text that stays on its line and cannot steer a terminal. */
const ONE_LINE = /^[^\p{Control}\p{Line_Separator}\p{Paragraph_Separator}\p{Bidi_Control}]+$/u;

/** What a step is called: `id` in references, keys and commands, `name` for people. Either may be used in `dependsOn`. */
export interface Identity {
  readonly id: string;
  readonly name: string;
}

export interface WrittenIdentity {
  readonly id: Field | undefined;
  readonly name: Field | undefined;
}

/**
 * The identity of a step. Without an `id` it is made from the name; `fallback` is asked only where that gives nothing, and
 * may give nothing itself.
 */
export function readIdentity(
  reading: Reading,
  written: WrittenIdentity,
  fallback: () => string | undefined,
): Identity | undefined {
  const name = written.name && readName(reading, written.name);
  const id = written.id && readId(reading, written.id);
  if (id !== undefined) return { id, name: name ?? id };
  const made = (name === undefined ? "" : idFromName(name)) || (wasRefused(written) ? undefined : fallback());
  return made === undefined ? undefined : { id: made, name: name ?? made };
}

/** An id or a name that is no text has a message of its own. */
function wasRefused({ id, name }: WrittenIdentity): boolean {
  return [id, name].some((field) => field !== undefined && typeof field.value !== "string");
}

/** `Deploy API` becomes `deploy-api`; a name that can be an id stays as it is. Empty when no letter or digit is left. */
function idFromName(name: string): string {
  if (ID.test(name) && name.length <= MAX_ID_LENGTH && !isRefusedKey(name)) return name;
  const words = name
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "")
    .toLowerCase()
    .split(/[^a-z0-9_]+/);
  const id = words
    .filter((word) => word !== "")
    .join("-")
    .slice(0, MAX_ID_LENGTH);
  return isRefusedKey(id) ? `${id}-step` : id;
}

function readId(reading: Reading, field: Field): string | undefined {
  const id = readText(reading, field);
  if (id === undefined) return undefined;
  const problem = problemOfId(id);
  if (problem !== undefined) {
    const hint = "Use letters, digits, `-` and `_`; a text for people belongs into `name`.";
    reading.error({
      code: "invalid_value",
      message: `${quote(id)} cannot be an id: ${problem}.`,
      hint,
      path: field.at,
    });
  }
  // A refused id still is what other steps mean, so that they are not reported for naming it.
  return id;
}

function problemOfId(id: string): string | undefined {
  if (isRefusedKey(id)) return "the name is reserved";
  if (id.length > MAX_ID_LENGTH) return `it is longer than ${MAX_ID_LENGTH} characters`;
  if (id.includes(".")) return "a dot separates a step from its output in expressions";
  if (id.includes("/")) return "a `/` separates a workflow from its steps";
  return ID.test(id) ? undefined : "only letters, digits, `-` and `_` are allowed, and no `-` at the start";
}

function readName(reading: Reading, field: Field): string | undefined {
  const name = readText(reading, field);
  if (name === undefined) return undefined;
  if (!ONE_LINE.test(name) || name.length > MAX_NAME_LENGTH) {
    const message = `${field.label} must be one line of at most ${MAX_NAME_LENGTH} printable characters.`;
    reading.error({ code: "invalid_value", message, path: field.at });
  }
  return name.trim();
}

/** The name of a workflow, which is also part of addresses. */
export function readWorkflowName(reading: Reading, field: Field): string | undefined {
  const name = readName(reading, field);
  if (name === undefined || isWorkflowName(name)) return name;
  const message = `${quote(name)} cannot be the name of a workflow: it is part of addresses.`;
  reading.error({ code: "invalid_value", message, hint: "Leave out `/` and `\\`.", path: field.at });
  return undefined;
}

function isWorkflowName(name: string): boolean {
  return !/[/\\]/.test(name) && name !== "." && name !== ".." && !isRefusedKey(name);
}

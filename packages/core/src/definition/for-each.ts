import type { JsonValue } from "../json.ts";
import type { FailureMode } from "../plan/plan.ts";
import { describeValue, quote } from "./describe.ts";
import { isList, isObject, readFields } from "./fields.ts";
import type { Field } from "./fields.ts";
import { readCap, readRateLimit } from "./limits.ts";
import type { MapDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { isTemplate } from "./template.ts";
import { readInteger, readText, readWord, reportExpected } from "./values.ts";
import { withoutUndefined } from "./without-undefined.ts";
import { wordList } from "./word-list.ts";

export const FAILURE_MODES: readonly FailureMode[] = ["fail_all", "complete_running", "continue"];

/** Names that already mean something in expressions. */
const TAKEN_NAMES = new Set(
  wordList("inputs env secrets steps run index context error errors deps prev true false null"),
);

/** The items that a step runs for: a list or a template, or a mapping with `items` and limits. */
export function readForEach(reading: Reading, field: Field | undefined): MapDefinition | undefined {
  if (field === undefined) return undefined;
  if (!isObject(field.value)) {
    const items = readItems(reading, field);
    return items === undefined ? undefined : { items };
  }
  const fields = readFields(reading, field, "forEach");
  if (fields === undefined) return undefined;
  const written = fields.get("items");
  if (written === undefined) {
    const message = `${field.label} does not say what to run for.`;
    reading.error({ code: "missing_value", message, hint: "Add `items`: a list or a template.", path: field.at });
  }
  const items = written && readItems(reading, written);
  const as = fields.get("as");
  const mode = fields.get("onFailure");
  const tolerate = fields.get("tolerateFailures");
  return withoutUndefined({
    items: items ?? [],
    as: as && readItemName(reading, as),
    maxConcurrent: readCap(reading, fields.get("maxConcurrent")),
    rateLimit: readRateLimit(reading, fields.get("rateLimit")),
    mode: mode && readWord(reading, mode, FAILURE_MODES),
    tolerate: tolerate && readTolerance(reading, tolerate),
  });
}

function readItems(reading: Reading, field: Field): JsonValue | undefined {
  if (isList(field.value) || isTemplate(field.value)) return field.value;
  const hint =
    typeof field.value === "string" && field.value !== ""
      ? `Write \`\${{ ${field.value.slice(0, 60)} }}\` if this is an expression.`
      : "For instance `[eu, us]`, or `${{ inputs.regions }}`.";
  return reportExpected(reading, field, { what: "a list or a template that gives one", hint });
}

function readItemName(reading: Reading, field: Field): string | undefined {
  const name = readText(reading, field);
  if (name === undefined) return undefined;
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !TAKEN_NAMES.has(name)) return name;
  const message = TAKEN_NAMES.has(name)
    ? `${field.label} cannot be ${quote(name)}: that name already means something in expressions.`
    : `${field.label} must be a name of letters, digits and \`_\`, not ${describeValue(name)}.`;
  reading.error({ code: "invalid_value", message, hint: "For instance `as: region`.", path: field.at });
  return undefined;
}

/** Items that may fail: a number of them, or a share such as `10%`. */
function readTolerance(reading: Reading, field: Field): MapDefinition["tolerate"] {
  const { value } = field;
  if (typeof value !== "string") {
    const items = readInteger(reading, field, { least: 0 });
    return items === undefined ? undefined : { kind: "items", value: items };
  }
  const percent = /^(\d{1,3}(?:\.\d{1,6})?)\s?%$/.exec(value)?.[1];
  if (percent !== undefined && Number(percent) <= 100) return { kind: "percent", value: Number(percent) };
  return reportExpected(reading, field, { what: "a number of items or a share such as `10%`" });
}

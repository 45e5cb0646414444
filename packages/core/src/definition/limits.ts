import type { RateLimit } from "../plan/plan.ts";
import { readMilliseconds } from "./duration.ts";
import { isObject, readFields } from "./fields.ts";
import type { Field } from "./fields.ts";
import type { Definition, StepDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readInteger, readTemplateText, readWord, reportExpected } from "./values.ts";

/** A cap on what runs at the same time. */
export function readCap(reading: Reading, field: Field | undefined): number | undefined {
  return field === undefined ? undefined : readInteger(reading, field, { least: 1 });
}

/** A rate: a number of starts per second, or `{count, per, burst}`. */
export function readRateLimit(reading: Reading, field: Field | undefined): RateLimit | undefined {
  if (field === undefined) return undefined;
  if (isObject(field.value)) return readRateMapping(reading, field);
  if (typeof field.value === "number" && field.value > 0) return ratePerSecond(field.value);
  return reportExpected(reading, field, {
    what: "a number of starts per second above 0, or a mapping",
    hint: "For instance `rateLimit: 5`, or `rateLimit: {count: 100, per: 1m, burst: 10}`.",
  });
}

function readRateMapping(reading: Reading, field: Field): RateLimit | undefined {
  const fields = readFields(reading, field, "rateLimit");
  const count = fields?.get("count");
  if (fields === undefined) return undefined;
  if (count === undefined) {
    const message = `${field.label} does not say how many starts it allows.`;
    reading.error({ code: "missing_value", message, hint: "Add `count`.", path: field.at });
    return undefined;
  }
  const per = fields.get("per");
  const burst = fields.get("burst");
  return {
    count: readInteger(reading, count, { least: 1 }) ?? 1,
    perMs: (per === undefined ? 1000 : readMilliseconds(reading, per, 1)) ?? 1000,
    burst: (burst === undefined ? 1 : readInteger(reading, burst, { least: 1 })) ?? 1,
  };
}

/** Longest period looked at, in seconds: for a rate of two decimals the figures are exact. */
const MAX_PERIOD = 1000;

/** Whole starts in a whole number of seconds that make a rate: 0.5 is one start in two seconds. */
function ratePerSecond(rate: number): RateLimit {
  for (let seconds = 1; seconds <= MAX_PERIOD; seconds += 1) {
    const count = Math.round(rate * seconds);
    if (count >= 1 && Math.abs(count - rate * seconds) < 1e-9 * seconds)
      return { count, perMs: seconds * 1000, burst: 1 };
  }
  return { count: 1, perMs: Math.max(1, Math.round(1000 / rate)), burst: 1 };
}

/** Limit over the runs of a workflow. Without a group, its name is the workflow's. */
export function readRunConcurrency(
  reading: Reading,
  field: Field | undefined,
  name: string,
): Definition["concurrency"] {
  if (field === undefined) return undefined;
  const fields = readFields(reading, field, "runConcurrency");
  if (fields === undefined) return undefined;
  const group = fields.get("group");
  const onConflict = fields.get("onConflict");
  return {
    group: (group === undefined ? name : readTemplateText(reading, group)) ?? name,
    max: readCap(reading, fields.get("max")) ?? 1,
    onConflict:
      (onConflict === undefined ? "queue" : readWord(reading, onConflict, ["queue", "cancelRunning", "reject"])) ??
      "queue",
  };
}

/** Limit over all steps, of any run, that share a key. */
export function readStepConcurrency(reading: Reading, field: Field | undefined): StepDefinition["concurrency"] {
  if (field === undefined) return undefined;
  const fields = readFields(reading, field, "stepConcurrency");
  if (fields === undefined) return undefined;
  const key = fields.get("key");
  if (key === undefined) {
    const message = `${field.label} needs a \`key\`: steps with the same key share the limit.`;
    reading.error({ code: "missing_value", message, hint: "For instance `{key: database, max: 2}`.", path: field.at });
    return undefined;
  }
  const text = readTemplateText(reading, key);
  return text === undefined ? undefined : { key: text, max: readCap(reading, fields.get("max")) ?? 1 };
}

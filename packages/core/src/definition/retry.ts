import { isList, isObject, itemsOf, readFields } from "./fields.ts";
import type { Field } from "./fields.ts";
import { readMilliseconds } from "./duration.ts";
import type { RetryDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readInteger, readNumber, readText, readWord, reportExpected } from "./values.ts";
import { withoutUndefined } from "./without-undefined.ts";

/** More attempts than anybody waits for. */
const MAX_ATTEMPTS = 1_000_000;

/** How often and how fast a failed task is repeated: a number of retries, or a mapping. */
export function readRetry(reading: Reading, field: Field | undefined): RetryDefinition | undefined {
  if (field === undefined) return undefined;
  if (isObject(field.value) && field.unit === undefined) return readRetryMapping(reading, field);
  if (typeof field.value !== "number") {
    const what = field.unit === undefined ? "a number of retries or a mapping" : "a number";
    return reportExpected(reading, field, { what, hint: "For instance `retry: {maxAttempts: 3, delay: 2s}`." });
  }
  const maxAttempts = readAttempts(reading, field, "retries");
  return withoutUndefined({ maxAttempts });
}

function readRetryMapping(reading: Reading, field: Field): RetryDefinition | undefined {
  const fields = readFields(reading, field, "retry");
  if (fields === undefined) return undefined;
  const duration = (key: string) => {
    const found = fields.get(key);
    return found && readMilliseconds(reading, found, 0);
  };
  const maxAttempts = fields.get("maxAttempts");
  const backoff = fields.get("backoff");
  const factor = fields.get("factor");
  const jitter = fields.get("jitter");
  const on = fields.get("on");
  return withoutUndefined({
    maxAttempts: maxAttempts && readAttempts(reading, maxAttempts, "attempts"),
    delay: duration("delay"),
    backoff: backoff && readWord(reading, backoff, ["fixed", "linear", "exponential"]),
    factor: factor && readNumber(reading, factor, { least: 1, most: 1000 }),
    maxDelay: duration("maxDelay"),
    jitter: jitter && readNumber(reading, jitter, { least: 0, most: 1 }),
    on: on && readCodes(reading, on),
  });
}

/** All attempts, the first one included; a number of retries counts only those after it. */
function readAttempts(reading: Reading, field: Field, unit: "retries" | "attempts"): number | undefined {
  if ((field.unit ?? unit) === "attempts") return readInteger(reading, field, { least: 1, most: MAX_ATTEMPTS });
  const retries = readInteger(reading, field, { least: 0, most: MAX_ATTEMPTS - 1 });
  return retries === undefined ? undefined : retries + 1;
}

/** Error codes that are worth another attempt. */
function readCodes(reading: Reading, field: Field): readonly string[] | undefined {
  const list = isList(field.value) ? itemsOf(field, field.value) : [field];
  return list.flatMap((item) => readText(reading, item) ?? []);
}

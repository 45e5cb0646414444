import type { Field } from "./fields.ts";
import type { Duration } from "./model.ts";
import type { Reading } from "./reading.ts";
import { isTemplate } from "./template.ts";
import { reportExpected } from "./values.ts";

const UNITS: readonly (readonly [name: string, milliseconds: number])[] = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** A hundred years: what is longer is a mistake, and sums of instants and durations stay exact. */
const MAX_DURATION_MS = 36_525 * 86_400_000;

const AMOUNT = String.raw`\d{1,15}(?:\.\d{1,9})?`;

/** `1h30m`: each unit once, from long to short. */
const SHORT = String.raw`^(?=\d)${UNITS.map(([name]) => `(?:(${AMOUNT})${name})?`).join("")}$`;

/** `P1DT2H30M`, without years and months, which have no fixed length. */
const ISO = String.raw`^P(?=[\dT])(?:(${AMOUNT})W)?(?:(${AMOUNT})D)?(?:T(?=\d)(?:(${AMOUNT})H)?(?:(${AMOUNT})M)?(?:(${AMOUNT})S)?)?$`;

const SECONDS = `^${AMOUNT}$`;

const SHORT_FORM = new RegExp(SHORT);
const ISO_FORM = new RegExp(ISO);
const SECONDS_FORM = new RegExp(SECONDS);

/** Source of a regular expression that fits every text that is a duration. */
export const DURATION_PATTERN = [SHORT, ISO, SECONDS].join("|");

/**
 * Milliseconds of a duration: `500ms`, `2s`, `5m`, `1h`, `1d`, `1h30m`, ISO 8601 such as `PT5M`, or a number of seconds, also
 * as text. Undefined when it is none, negative, or longer than a hundred years.
 *
 * @example
 * parseDuration("1h30m") // 5_400_000
 */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === "number") return toMilliseconds(value * 1000);
  if (SECONDS_FORM.test(value)) return toMilliseconds(Number(value) * 1000);
  const amounts = (SHORT_FORM.exec(value) ?? ISO_FORM.exec(value))?.slice(1);
  if (amounts === undefined) return undefined;
  const parts = amounts.map((amount, index) => Number(amount ?? 0) * (UNITS[index]?.[1] ?? 0));
  return toMilliseconds(parts.reduce((sum, part) => sum + part, 0));
}

/** Whole milliseconds; a fraction of one counts as one, so that nothing positive becomes nothing. */
function toMilliseconds(milliseconds: number): number | undefined {
  if (!(milliseconds >= 0 && milliseconds <= MAX_DURATION_MS)) return undefined;
  const rounded = Math.round(milliseconds);
  return rounded === 0 && milliseconds > 0 ? 1 : rounded;
}

const EXAMPLES = "Durations: `500ms`, `2s`, `5m`, `1h`, `1d`, `1h30m`, `PT5M`, or a number of seconds.";

/** A constant duration in milliseconds. `least` is 1 where nothing would be a mistake. */
export function readMilliseconds(reading: Reading, field: Field, least: 0 | 1): number | undefined {
  const { value, unit } = field;
  if (unit === "milliseconds") {
    const milliseconds = typeof value === "number" ? toMilliseconds(value) : undefined;
    if (milliseconds !== undefined && milliseconds >= least) return milliseconds;
    return reportExpected(reading, field, { what: "a number of milliseconds" });
  }
  const milliseconds = typeof value === "number" || typeof value === "string" ? parseDuration(value) : undefined;
  if (milliseconds !== undefined && milliseconds >= least) return milliseconds;
  const what = least === 0 ? "a duration" : "a duration longer than nothing";
  return reportExpected(reading, field, { what, hint: EXAMPLES });
}

/** A duration in milliseconds, or a template that gives one. */
export function readDuration(reading: Reading, field: Field, least: 0 | 1): Duration | undefined {
  return isTemplate(field.value) && field.unit === undefined ? field.value : readMilliseconds(reading, field, least);
}

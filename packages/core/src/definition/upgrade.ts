import type { JsonObject } from "../json.ts";
import type { Field } from "./fields.ts";
import { isObject } from "./fields.ts";
import { meaningOf } from "./meaning.ts";
import type { Reading } from "./reading.ts";
import { reportExpected } from "./values.ts";

/** Turns the written form of one version into that of the next. Pure: what was stored stays as it was. */
export type Upgrade = (written: JsonObject) => JsonObject;

/** `UPGRADES[n]` turns version n + 1 into version n + 2. Version 1 is the first, so there is none yet. */
const UPGRADES: readonly Upgrade[] = [];

/**
 * Brings a written definition to the current version. Undefined when its version is not one, or newer than this build:
 * reading it all the same would run something other than what its author meant.
 */
export function upgradeDefinition(
  reading: Reading,
  field: Field,
  upgrades: readonly Upgrade[] = UPGRADES,
): Field | undefined {
  if (!isObject(field.value)) return field;
  const { value } = field;
  const key = Object.keys(value).find((candidate) => isVersionKey(candidate) && value[candidate] !== null);
  const version = key === undefined ? upgrades.length + 1 : value[key];
  const at = `${field.at}/${key}`;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
    const written = { value: version ?? null, at, label: "`definitionVersion`" };
    return reportExpected(reading, written, { what: "a whole number of at least 1" });
  }
  if (version > upgrades.length + 1) {
    const message = `This definition has version ${version}, and the newest that is known here is ${upgrades.length + 1}.`;
    reading.error({ code: "unsupported_version", message, hint: "Use a newer release of Braid.", path: at });
    return undefined;
  }
  const upgraded = upgrades.slice(version - 1).reduce((written, upgrade) => upgrade(written), value);
  return { ...field, value: upgraded };
}

/** The key has to be read before the keys around it: they are those of its version. */
function isVersionKey(key: string): boolean {
  return meaningOf("workflow", key)?.key === "definitionVersion";
}

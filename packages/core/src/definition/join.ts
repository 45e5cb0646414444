import { isObject, readFields } from "./fields.ts";
import type { Field } from "./fields.ts";
import type { StepDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readBoolean, readInteger, readWord } from "./values.ts";

const KINDS = ["all", "any", "first", "settled", "quorum"] as const;

/** When a step with several dependencies may start: a word, or `{quorum: n}`. */
export function readJoin(reading: Reading, field: Field | undefined): StepDefinition["join"] {
  if (field === undefined) return undefined;
  if (isObject(field.value)) return readQuorum(reading, field);
  const kind = readWord(reading, field, KINDS);
  if (kind !== "quorum") return kind === undefined ? undefined : { kind, quorum: 0, cancelRest: kind === "first" };
  return reportCount(reading, field);
}

function readQuorum(reading: Reading, field: Field): StepDefinition["join"] {
  const fields = readFields(reading, field, "join");
  const quorum = fields?.get("quorum");
  if (fields === undefined) return undefined;
  if (quorum === undefined) return reportCount(reading, field);
  const cancelRest = fields.get("cancelRest");
  return {
    kind: "quorum",
    quorum: readInteger(reading, quorum, { least: 1 }) ?? 1,
    cancelRest: (cancelRest === undefined ? false : readBoolean(reading, cancelRest)) ?? false,
  };
}

function reportCount(reading: Reading, field: Field): undefined {
  const message = `${field.label} does not say how many dependencies make the quorum.`;
  reading.error({ code: "missing_value", message, hint: "Write `join: {quorum: 2}`.", path: field.at });
}

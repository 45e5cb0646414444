import { isList, isObject, itemsOf, readFields } from "./fields.ts";
import type { Field } from "./fields.ts";
import type { DependencyDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readText, readWord, reportExpected } from "./values.ts";

/** End of a reference that asks for the failure of a step. */
const ERROR_SUFFIX = ".error";

const EXAMPLES = "For instance `dependsOn: [build, test]`, `lint.error`, or `{step: deploy, on: failure}`.";

/** What a step waits for: one entry or a list of them. */
export function readDependencies(
  reading: Reading,
  field: Field | undefined,
): readonly DependencyDefinition[] | undefined {
  if (field === undefined) return undefined;
  const { value } = field;
  if (!isList(value) && !isObject(value) && typeof value !== "string") {
    return reportExpected(reading, field, { what: "a step or a list of steps", hint: EXAMPLES });
  }
  const entries = isList(value) ? itemsOf(field, value) : [field];
  return entries.flatMap((entry) => readDependency(reading, entry) ?? []);
}

function readDependency(reading: Reading, field: Field): DependencyDefinition | undefined {
  if (isObject(field.value)) return readDependencyMapping(reading, field);
  const text = readText(reading, field);
  if (text === undefined) return undefined;
  if (text.endsWith(ERROR_SUFFIX) && text.length > ERROR_SUFFIX.length) {
    return { ref: text.slice(0, -ERROR_SUFFIX.length), on: "failure", at: field.at };
  }
  return { ref: text, on: "success", at: field.at };
}

function readDependencyMapping(reading: Reading, field: Field): DependencyDefinition | undefined {
  const fields = readFields(reading, field, "dependency");
  const step = fields?.get("step");
  if (fields === undefined) return undefined;
  if (step === undefined) {
    const message = `${field.label} does not name a step.`;
    reading.error({ code: "missing_value", message, hint: EXAMPLES, path: field.at });
    return undefined;
  }
  const ref = readText(reading, step);
  const on = fields.get("on");
  const port = fields.get("port");
  if (ref === undefined) return undefined;
  const portName = port && readText(reading, port);
  return {
    ref,
    on: (on === undefined ? "success" : readWord(reading, on, ["success", "failure", "settled"])) ?? "success",
    ...(portName === undefined ? {} : { port: portName }),
    at: field.at,
  };
}

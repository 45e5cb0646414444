import type { JsonValue } from "../json.ts";
import { copyJson } from "./copy-json.ts";
import { describeValue } from "./describe.ts";
import { fieldOf, isObject, readFields } from "./fields.ts";
import type { Field } from "./fields.ts";
import type { Parsed } from "./front-end.ts";
import { NO_INPUTS } from "./inputs.ts";
import type { Definition } from "./model.ts";
import { startReading } from "./reading.ts";
import type { LocatePart, Reading } from "./reading.ts";
import { readSomeSteps } from "./step.ts";
import { upgradeDefinition } from "./upgrade.ts";
import { readWord } from "./values.ts";
import { readFrame, readInputsOr } from "./workflow.ts";
import { withoutUndefined } from "./without-undefined.ts";

export interface ParseOptions {
  /** Name of a workflow that has none written: the name of its file, for instance. Default `workflow`. */
  readonly defaultName?: string;
}

/**
 * `Parsed` with what could be read in spite of errors. It is good for further checks only, so that a misspelled key and a
 * missing dependency are reported together.
 */
export interface ParsedInPart extends Parsed {
  readonly partial: Definition | null;
}

/** Reads one form of a definition from JSON that has been copied and upgraded. */
export type ReadForm = (reading: Reading, field: Field, defaultName: string) => Definition | undefined;

/**
 * Turns a plain object, as a YAML or JSON file gives it, into a `Definition`: every spelling resolved, durations in
 * milliseconds, everything that is wrong with it reported at once. Never throws on JSON.
 *
 * @example
 * normalize({ name: "release", steps: [{ id: "build", run: "make" }] }).definition?.steps[0]?.id // "build"
 */
export function normalize(value: unknown, locate?: LocatePart, options: ParseOptions = {}): ParsedInPart {
  const reading = startReading(locate);
  return readDefinition({ reading, locate, defaultName: options.defaultName }, value, () => readSteppedWorkflow);
}

export interface DefinitionContext {
  readonly reading: Reading;
  readonly locate: LocatePart | undefined;
  readonly defaultName: string | undefined;
}

/** What every front end does around its own form: copy, upgrade, read, and gather the diagnostics. */
export function readDefinition(
  context: DefinitionContext,
  value: unknown,
  chooseForm: (value: JsonValue) => ReadForm,
): ParsedInPart {
  const { reading, locate = () => undefined, defaultName = "workflow" } = context;
  const partial = readChecked(reading, value, (field) => chooseForm(field.value)(reading, field, defaultName)) ?? null;
  return { definition: reading.hasErrors() ? null : partial, partial, diagnostics: reading.finish(), locate };
}

function readChecked(
  reading: Reading,
  value: unknown,
  read: (field: Field) => Definition | undefined,
): Definition | undefined {
  const json = copyJson(reading, value);
  if (json === undefined) return undefined;
  if (!isObject(json)) {
    const message = `A workflow must be a mapping with \`steps\`, not ${describeValue(json)}.`;
    reading.error({
      code: "invalid_value",
      message,
      hint: "For instance `steps: [{id: build, run: make}]`.",
      path: "",
    });
    return undefined;
  }
  const upgraded = upgradeDefinition(reading, fieldOf(json, "", "A workflow"));
  return upgraded && read(upgraded);
}

/** Reads the form with a list of steps. */
export function readSteppedWorkflow(reading: Reading, field: Field, defaultName: string): Definition | undefined {
  const fields = readFields(reading, field, "workflow");
  if (fields === undefined) return undefined;
  const steps = fields.get("steps");
  const order = fields.get("mode");
  if (steps === undefined) {
    const message = "The workflow has no `steps`.";
    reading.error({
      code: "missing_value",
      message,
      hint: "For instance `steps: [{id: build, run: make}]`.",
      path: "",
    });
  }
  return withoutUndefined({
    ...readFrame(reading, fields, defaultName),
    inputs: readInputsOr(reading, fields, NO_INPUTS),
    order: order && readWord(reading, order, ["sequential", "graph"]),
    steps: steps === undefined ? [] : readSomeSteps(reading, steps),
    pools: {},
  });
}

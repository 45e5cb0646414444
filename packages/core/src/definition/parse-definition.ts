import type { JsonValue } from "../json.ts";
import { isObject } from "./fields.ts";
import { readGraph } from "./graph.ts";
import { readDefinition, readSteppedWorkflow } from "./normalize.ts";
import type { ParsedInPart, ParseOptions, ReadForm } from "./normalize.ts";
import { startReading } from "./reading.ts";
import type { LocatePart } from "./reading.ts";

/** A mapping with `nodes` is a graph. */
export function chooseForm(value: JsonValue): ReadForm {
  return isObject(value) && Object.hasOwn(value, "nodes") ? readGraph : readSteppedWorkflow;
}

/** Reads a workflow from a plain object: as a graph when it has `nodes`, else in the form with steps. Never throws on JSON. */
export function parseDefinition(value: unknown, locate?: LocatePart, options: ParseOptions = {}): ParsedInPart {
  const reading = startReading(locate);
  return readDefinition({ reading, locate, defaultName: options.defaultName }, value, chooseForm);
}

/** Reads a graph of nodes and edges from a plain object. Never throws on JSON. */
export function parseGraph(value: unknown, locate?: LocatePart, options: ParseOptions = {}): ParsedInPart {
  const reading = startReading(locate);
  return readDefinition({ reading, locate, defaultName: options.defaultName }, value, () => readGraph);
}

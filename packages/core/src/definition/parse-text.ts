import { findJsonError } from "./json-error.ts";
import { readDefinition } from "./normalize.ts";
import type { DefinitionContext, ParsedInPart, ParseOptions } from "./normalize.ts";
import { chooseForm } from "./parse-definition.ts";
import { startReading } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { openSource } from "./source.ts";
import type { Source } from "./source.ts";
import { locateIn, readSourceValue } from "./source-value.ts";

/**
 * Reads a workflow from YAML 1.2, in the form with steps or as a graph. Every diagnostic has a line and a column. Never
 * throws, whatever the text: it is at most a MiB, a hundred levels deep, and without aliases, merge keys and further documents.
 *
 * @example
 * parseYaml("steps:\n  - run: make\n").definition?.steps.length // 1
 */
export function parseYaml(text: string, options: ParseOptions = {}): ParsedInPart {
  return parseSource(openSource(text), options, () => undefined);
}

/** Reads a workflow from JSON text, with the caps and places of `parseYaml`. */
export function parseJson(text: string, options: ParseOptions = {}): ParsedInPart {
  return parseSource(openSource(text), options, (reading, source) => checkJson(reading, source, text));
}

function parseSource(
  source: Source,
  options: ParseOptions,
  check: (reading: Reading, source: Source) => void,
): ParsedInPart {
  const locate = locateIn(source);
  const reading = startReading(locate);
  for (const problem of source.problems) reading.error({ ...problem, path: "" });
  if (source.isWhole) check(reading, source);
  const context: DefinitionContext = { reading, locate, defaultName: options.defaultName };
  if (source.isWhole && source.root !== null)
    return readDefinition(context, readSourceValue(reading, source), chooseForm);
  if (source.isWhole) reportEmpty(reading);
  return { definition: null, partial: null, diagnostics: reading.finish(), locate };
}

function reportEmpty(reading: Reading): void {
  const message = "The text is empty: it holds no workflow.";
  const place = { line: 1, column: 1 };
  reading.error({ code: "missing_value", message, hint: "Start with `steps:` and a list below it.", path: "", place });
}

/** YAML reads more than JSON: comments, words without quotes, commas at the end. */
function checkJson(reading: Reading, source: Source, text: string): void {
  if (source.root === null) return;
  const offset = findJsonError(text);
  if (offset === undefined) return;
  const hint = "It would be YAML: give the file that ending, or write it as JSON asks for.";
  reading.error({ code: "yaml_syntax", message: "This is not JSON.", hint, path: "", place: source.placeAt(offset) });
}

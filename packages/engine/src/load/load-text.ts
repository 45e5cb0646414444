import { parseDefinition, parseYaml } from "@braid/core";
import type { Definition, Parsed } from "@braid/core";
import { InvalidDefinition } from "../runtime/errors.ts";

/**
 * The definition of a workflow file. Throws `InvalidDefinition`, whose `diagnostics` say line and column.
 *
 * @example
 * const result = await engine.run(loadYaml("steps: [{id: hello, run: echo hello}]"));
 */
export function loadYaml(text: string): Definition {
  return definitionOf(parseYaml(text));
}

/** The definition of a JSON graph (`nodes` and `edges`), or of any definition that has been parsed already. */
export function loadGraph(value: unknown): Definition {
  return definitionOf(parseDefinition(value));
}

function definitionOf({ definition, diagnostics }: Parsed): Definition {
  if (definition === null) throw new InvalidDefinition("of this text", diagnostics);
  return definition;
}

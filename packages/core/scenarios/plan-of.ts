import { parse } from "yaml";
import { parseDefinition } from "../src/definition/parse-definition.ts";
import { compile } from "../src/plan/compile.ts";
import type { Plan } from "../src/index.ts";
import type { Scenario } from "./scenario.ts";

/** Inputs that the conditions of scenarios name. */
const INPUTS = "inputs: {yes: {}, no: {}, x: {}, never: {}}";

/** The plan of a scenario's workflow. */
export function planOf(scenario: Scenario): Plan {
  const value = parse(`name: scenario\n${isGraph(scenario) ? "" : INPUTS}${scenario.workflow}`) as unknown;
  const parsed = parseDefinition(value);
  if (parsed.definition === null) throw new Error(JSON.stringify(parsed.diagnostics, null, 2));
  const compiled = compile(parsed.definition, { types: null });
  if (compiled.plan === null) throw new Error(JSON.stringify(compiled.diagnostics, null, 2));
  return compiled.plan;
}

const isGraph = (scenario: Scenario): boolean => scenario.workflow.includes("nodes:");

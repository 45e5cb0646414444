import type { Definition } from "../../definition/model.ts";
import { parseDefinition } from "../../definition/parse-definition.ts";
import { compile } from "../compile.ts";
import type { CompileOptions } from "../compile.ts";
import type { Plan } from "../plan.ts";

/** What a file would hold, as a plain object, in the form with steps or as a graph; a list is its `steps`. */
export type Written = readonly object[] | { readonly [key: string]: unknown };

/** The definition of a workflow that is written as it would be in a file. */
export function define(written: Written): Definition {
  const file = Array.isArray(written) ? { steps: written as readonly object[] } : (written as object);
  const { definition, diagnostics } = parseDefinition({ name: "example", ...file });
  if (definition === null) throw new Error(diagnostics.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  return definition;
}

/** The plan of a workflow without errors. */
export function planOf(written: Written, options?: CompileOptions): Plan {
  const { plan, diagnostics } = compile(define(written), options);
  if (plan === null) throw new Error(diagnostics.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  return plan;
}

/** Code and path of everything that is wrong, warnings marked, such as `cycle /steps/0` or `ambiguous_order? /steps/1`. */
export function problemsOf(written: Written, options?: CompileOptions): readonly string[] {
  const { diagnostics } = compile(define(written), options);
  return diagnostics.map(({ code, severity, path }) => `${code}${severity === "warning" ? "?" : ""} ${path}`);
}

/** Message and hint of the only thing that is wrong. */
export function problemOf(written: Written, options?: CompileOptions): string {
  const { diagnostics } = compile(define(written), options);
  const [only] = diagnostics;
  if (only === undefined || diagnostics.length > 1) {
    throw new Error(`expected one problem, got ${diagnostics.length}: ${problemsOf(written, options).join(", ")}`);
  }
  return only.hint === undefined ? only.message : `${only.message} ${only.hint}`;
}

/** The edges of a plan as `from -> to (on, origin)`, or `from -> to (origin)` for order edges. */
export function edgesIn(plan: Plan): readonly string[] {
  return plan.edges.map(({ from, to, on, origin }) => {
    const ends = `${plan.steps[from]!.id} -> ${plan.steps[to]!.id}`;
    return on === "order" ? `${ends} (${origin})` : `${ends} (${on}, ${origin})`;
  });
}

import type { Plan } from "../plan/plan.ts";
import type { Definition } from "./model.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** Turns a JSON pointer into a place of the text, or undefined where there is no text. */
export type Locate = (pointer: string) => { readonly line: number; readonly column: number } | undefined;

/** What a front end (YAML, JSON graph, object) makes. `definition` is null when there was an error. */
export interface Parsed {
  readonly definition: Definition | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly locate: Locate;
}

/** `plan` is null when there was an error. Warnings come with a plan. */
export interface Compiled {
  readonly plan: Plan | null;
  readonly diagnostics: readonly Diagnostic[];
}

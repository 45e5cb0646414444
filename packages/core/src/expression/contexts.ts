import { nearestName } from "./nearest-name.ts";

/** The contexts that every expression may name. Whether one has a value is decided where the expression stands. */
export const CONTEXT_NAMES = [
  "inputs",
  "env",
  "secrets",
  "steps",
  "run",
  "item",
  "index",
  "context",
  "error",
  "errors",
] as const;

/** The members of `steps.<id>`; `outputs` is another spelling of `output`. */
export const STEP_MEMBERS: readonly string[] = ["output", "outputs", "status", "error"];

/** Names of other systems, and of keys of the definition, with what to write here. */
const replacements: ReadonlyMap<string, string> = new Map([
  ["input", "write `inputs.<name>`"],
  ["vars", "write `inputs.<name>`"],
  ["variables", "write `inputs.<name>`"],
  ["parameters", "write `inputs.<name>`"],
  ["params", "write `inputs.<name>`"],
  ["needs", "write `steps.<id>.output`"],
  ["deps", "write `steps.<id>.output`"],
  ["dependencies", "write `steps.<id>.output`"],
  ["step", "write `steps.<id>.output`"],
  ["jobs", "write `steps.<id>.output`"],
  ["outputs", "write `steps.<id>.output`"],
  ["output", "write `steps.<id>.output`"],
  ["matrix", "write `item`, inside a step with `forEach`"],
  ["strategy", "write `index`, inside a step with `forEach`"],
  ["github", "write `run.<name>` for the run, or declare an input"],
  ["job", "write `run.<name>` for the run, or `steps.<id>.status` for a step"],
  ["runner", "expressions know nothing of the machine: read it in the step"],
  ["workflow", "write `run.<name>`"],
  ["secret", "write `secrets.<NAME>`"],
]);

/** What an author who wrote an unknown context name probably meant. */
export function contextHint(name: string, known: readonly string[]): string {
  const replacement = replacements.get(name.toLowerCase());
  if (replacement !== undefined) return replacement;
  const near = nearestName(name, known);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  return `known names: ${known.map((context) => `\`${context}\``).join(", ")}; a text is written in single quotes`;
}

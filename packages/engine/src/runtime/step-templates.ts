import { scriptReferences } from "@braid/core";
import type { JsonObject, JsonValue, PlanStep } from "@braid/core";
import { splitCommand } from "../steps/split-command.ts";
import { joinReads, parseValue, parseWhen, readsOf } from "./templates.ts";
import type { ParsedValue, Reads } from "./templates.ts";

/** What a step runs: words, a script whose expressions have become variables, or nothing of the kind. */
export type Program =
  | { readonly kind: "none" }
  | { readonly kind: "words"; readonly words: ParsedValue }
  | { readonly kind: "script"; readonly script: ReturnType<typeof scriptReferences> }
  | { readonly kind: "invalid"; readonly message: string };

/** Payload templates of a step, parsed once per plan. */
export interface PayloadTemplates {
  readonly with: ParsedValue | null;
  readonly params: ParsedValue | null;
  readonly program: Program;
  readonly shell: ParsedValue | null;
  readonly workingDirectory: ParsedValue | null;
  readonly env: JsonObject;
  readonly reads: Reads;
  /** Whether there is nothing to evaluate at all, as with most functions. */
  readonly isEmpty: boolean;
}

/** Control templates of a step, by the names of `PlanControl`. */
export interface ControlTemplates {
  readonly when: ParsedValue | null;
  readonly items: ParsedValue | null;
  readonly startDelay: ParsedValue | null;
  readonly sleep: ParsedValue | null;
  readonly timeout: ParsedValue | null;
  readonly deadline: ParsedValue | null;
  readonly concurrencyKey: ParsedValue | null;
  readonly signal: ParsedValue | null;
  readonly workflow: ParsedValue | null;
  readonly childInput: ParsedValue | null;
  readonly reads: Reads;
}

export function parsePayload(step: PlanStep): PayloadTemplates {
  const { payload, control } = step.host;
  const as = control.as;
  const env = payload.env ?? {};
  const parsed = {
    with: optional(payload.with, as),
    params: optional(payload.params, as),
    shell: optional(payload.shell, as),
    workingDirectory: optional(payload.workingDirectory, as),
  };
  const program = parseProgram(step);
  const values = [...Object.values(parsed), parseValue(env, as), program.kind === "words" ? program.words : null];
  const reads = joinReads(values.filter((value) => value !== null));
  const isEmpty = program.kind === "none" && Object.keys(payload).length === 0;
  if (program.kind !== "script") return { ...parsed, program, env, reads, isEmpty };
  const ofScript = readsOf(program.script.references);
  const steps = new Set([...reads.steps, ...ofScript.steps]);
  return { ...parsed, program, env, reads: { steps, context: reads.context || ofScript.context }, isEmpty };
}

/**
 * The text of a `command` is split before its templates are evaluated, and a script gets values only through variables:
 * so no value can become a second word, a script, or code.
 */
function parseProgram(step: PlanStep): Program {
  const { payload, control } = step.host;
  const options = control.as === undefined ? {} : { extraContexts: [control.as] };
  const script = (text: string): Program => {
    const found = scriptReferences(text, options);
    const error = found.problems.find(({ severity }) => severity === "error");
    return error === undefined ? { kind: "script", script: found } : { kind: "invalid", message: error.message };
  };
  if (payload.run !== undefined) return script(payload.run);
  if (payload.command === undefined) return { kind: "none" };
  if (typeof payload.command !== "string") {
    return { kind: "words", words: parseValue([...payload.command], control.as) };
  }
  const split = splitCommand(payload.command);
  switch (split.kind) {
    case "invalid":
      return split;
    case "shell":
      return script(split.script);
    case "argv":
      return { kind: "words", words: parseValue(split.words, control.as) };
    default:
      return split satisfies never;
  }
}

export function parseControl(step: PlanStep): ControlTemplates {
  const { control } = step.host;
  const as = control.as;
  const parsed = {
    when: control.when === undefined ? null : parseWhen(control.when, as),
    items: optional(control.items, as),
    startDelay: optional(control.startDelay, as),
    sleep: optional(control.sleep, as),
    timeout: optional(control.timeout, as),
    deadline: optional(control.deadline, as),
    concurrencyKey: optional(control.concurrencyKey, as),
    signal: optional(control.signal, as),
    workflow: optional(control.workflow, as),
    childInput: optional(control.childInput, as),
  };
  return { ...parsed, reads: joinReads(Object.values(parsed).filter((value) => value !== null)) };
}

function optional(
  value: JsonValue | { readonly $function: string } | undefined,
  as: string | undefined,
): ParsedValue | null {
  return value === undefined ? null : parseValue(value, as);
}

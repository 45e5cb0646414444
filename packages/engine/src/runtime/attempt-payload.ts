import { resolve } from "node:path";
import { evaluateText } from "@braid/core";
import type { JsonObject } from "@braid/core";
import type { EvaluatedPayload } from "../steps/step-type.ts";
import { evaluate } from "./evaluate.ts";
import type { Evaluated } from "./evaluated.ts";
import type { ReadValues } from "./outputs.ts";
import type { Handler } from "./registry.ts";
import type { RunView } from "./run-view.ts";
import type { Sight } from "./sight.ts";
import type { StepScope } from "./step-scope.ts";
import type { PayloadTemplates, Program } from "./step-templates.ts";
import { NO_READS } from "./templates.ts";
import type { ParsedValue } from "./templates.ts";

/** The payload of an attempt, or which part of it has no value. */
export type Prepared = Evaluated<EvaluatedPayload>;

export interface PayloadNeeds {
  readonly view: RunView;
  readonly sight: Sight;
  readonly handler: Handler;
}

export interface PayloadParts {
  readonly view: RunView;
  readonly sight: Sight;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/**
 * Asks for the rows that the payload is made of. A handler of its author's own may read its dependencies and the context
 * beside it.
 */
export function needPayload({ view, sight, handler }: PayloadNeeds, need: ReadValues): void {
  const { reads } = view.run.info.payload(sight.step);
  if (handler.readsAll) view.needForFunction(sight, need);
  if (!handler.readsAll || reads !== NO_READS) view.need(sight, reads, need);
}

/** Evaluates what a handler gets, from data that is immutable since the step's join fired. */
export function evaluatePayload(parts: PayloadParts): Prepared {
  const { view, sight, inheritedEnv, timeoutMs } = parts;
  const templates = view.run.info.payload(sight.step);
  const directory = directoryOf(view.run.facts.meta);
  if (templates.isEmpty && isEmpty(view.run.info.plan.host.env)) {
    return { ok: true, value: { env: {}, workingDirectory: directory, timeoutMs, inheritedEnv } };
  }
  const scope = view.scope(sight, { reads: templates.reads, env: templates.env });
  const env = evaluateEnv({ ...view.run.info.plan.host.env, ...templates.env }, scope);
  if (!env.ok) return env;
  const program = evaluateProgram(templates.program, scope);
  if (!program.ok) return program;
  const payload: Mutable<EvaluatedPayload> = {
    env: { ...env.value, ...program.value.env },
    workingDirectory: directory,
    timeoutMs,
    inheritedEnv,
    ...program.value.parts,
  };
  const rest = evaluateRest(templates, scope);
  if (!rest.ok) return rest;
  const { workingDirectory, ...others } = rest.value;
  Object.assign(payload, others);
  if (workingDirectory !== undefined) payload.workingDirectory = resolve(directory, workingDirectory);
  return { ok: true, value: payload };
}

function evaluateEnv(declared: JsonObject, scope: StepScope): Evaluated<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(declared)) {
    const text = scope.variable(value);
    if (!text.ok) return { ok: false, message: `\`env.${name}\`: ${text.message}` };
    env[name] = text.value;
  }
  return { ok: true, value: env };
}

interface EvaluatedProgram {
  readonly parts: Pick<EvaluatedPayload, "run" | "command">;
  /** Values of the expressions in a script. */
  readonly env: Record<string, string>;
}

function evaluateProgram(program: Program, scope: StepScope): Evaluated<EvaluatedProgram> {
  switch (program.kind) {
    case "none":
      return { ok: true, value: { parts: {}, env: {} } };
    case "invalid":
      return { ok: false, message: program.message };
    case "words": {
      const words = evaluate(program.words, { scope });
      if (!words.ok) return { ok: false, message: `\`command\`: ${words.message}` };
      const command = (words.value as readonly unknown[]).map(textOf);
      return { ok: true, value: { parts: { command }, env: {} } };
    }
    case "script": {
      const env: Record<string, string> = {};
      for (const [name, template] of Object.entries(program.script.env)) {
        const text = evaluateText(template, scope);
        if (!text.ok) return { ok: false, message: `\`run\`: ${text.message}` };
        env[name] = text.value;
      }
      return { ok: true, value: { parts: { run: program.script.script }, env } };
    }
    default:
      return program satisfies never;
  }
}

/** A word that is one whole expression may be of any type; a program gets texts. */
function textOf(word: unknown): string {
  if (typeof word === "string") return word;
  return word === null ? "" : JSON.stringify(word);
}

type Rest = Pick<EvaluatedPayload, "with" | "params" | "shell"> & { readonly workingDirectory?: string };

function evaluateRest(templates: PayloadTemplates, scope: StepScope): Evaluated<Rest> {
  const rest: Record<string, unknown> = {};
  for (const name of ["with", "params", "shell", "workingDirectory"] as const) {
    const template: ParsedValue | null = templates[name];
    if (template === null) continue;
    const result = evaluate(template, { scope });
    if (!result.ok) return { ok: false, message: `\`${name}\`: ${result.message}` };
    rest[name] = result.value;
  }
  for (const name of ["shell", "workingDirectory"]) {
    if (rest[name] !== undefined && typeof rest[name] !== "string")
      return { ok: false, message: `\`${name}\` is not a text` };
  }
  return { ok: true, value: rest };
}

/** The directory of the workflow's file, where programs run unless the step names another. */
function directoryOf(meta: JsonObject): string {
  const { directory } = meta;
  return typeof directory === "string" ? directory : process.cwd();
}

function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false;
  return true;
}

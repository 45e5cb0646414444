import type { JsonValue, RunEvent, StepError } from "@braid/core";
import { encodePayload } from "../payload/codec.ts";
import type { PayloadWrite } from "../store/run-commit.ts";
import { evaluate, evaluateDuration, evaluateName, evaluateWhen } from "./evaluate.ts";
import type { Evaluator } from "./evaluate.ts";
import type { Evaluated } from "./evaluated.ts";
import { functionInput } from "./function-input.ts";
import type { PlanInfo } from "./plan-info.ts";
import type { RunView } from "./run-view.ts";
import type { Sight } from "./sight.ts";
import type { ControlTemplates } from "./step-templates.ts";
import { NO_READS, joinReads } from "./templates.ts";
import type { ParsedValue, Reads } from "./templates.ts";
import type { ValueKey } from "./value-cache.ts";

/**
 * Control expressions: what the worker that commits evaluates for the kernel, once, in the batch that asks for it. They
 * see what the step sees, and no secrets, because what they give is stored.
 */

type StepEvaluated = Extract<RunEvent, { readonly type: "step.evaluated" }>;
type RunEvaluated = Extract<RunEvent, { readonly type: "run.evaluated" }>;

export type FunctionTable = ReadonlyMap<string, (input: never) => unknown>;

/** The answer to an `evaluate` command, with the values that are stored along with it. */
export interface ControlAnswer {
  readonly event: StepEvaluated | RunEvaluated;
  readonly payload: PayloadWrite | null;
  readonly runOutput: { readonly output: JsonValue } | null;
  readonly bytes: number;
}

export interface ControlRequest {
  readonly view: RunView;
  /** -1 for the run's output. */
  readonly step: number;
  readonly task: number;
  readonly at: number;
  readonly functions: FunctionTable;
  readonly maxPayloadBytes: number;
}

/** Names of functions that an evaluation calls; a process that lacks one leaves it to another. */
export function functionsOf(info: PlanInfo, step: number): readonly string[] {
  const values: readonly (ParsedValue | null)[] = step < 0 ? [info.output] : valuesOf(info.control(step));
  return values.flatMap((value) => (value?.kind === "function" ? [value.name] : []));
}

function valuesOf(control: ControlTemplates): readonly (ParsedValue | null)[] {
  const { reads: _reads, ...values } = control;
  return Object.values(values);
}

/** Rows that the evaluation needs. */
export function controlKeys({ view, step, task }: Pick<ControlRequest, "view" | "step" | "task">): readonly ValueKey[] {
  const { info } = view.run;
  const sight = view.sight(step, task);
  if (functionsOf(info, step).length > 0) return view.keysOfFunction(sight);
  return view.keysOf(sight, step < 0 ? joinReads([info.output]) : info.control(step).reads);
}

/** Evaluates what the command asks for. */
export function answerControl(request: ControlRequest): ControlAnswer {
  const sight = request.view.sight(request.step, request.task);
  return request.step < 0 ? answerOutput(request, sight) : answerStep(request, sight);
}

function evaluatorFor({ view, functions }: ControlRequest, sight: Sight, reads: Reads): Evaluator {
  const call = (name: string): unknown => functions.get(name)!(functionInput(view, sight) as never);
  return { scope: view.scope(sight, { reads }), call };
}

function answerOutput(request: ControlRequest, sight: Sight): ControlAnswer {
  const { at, view, maxPayloadBytes } = request;
  const { output } = view.run.info;
  const reads = output.kind === "template" ? output.reads : NO_READS;
  const result = evaluate(output, evaluatorFor(request, sight, reads));
  const encoded = result.ok ? encodePayload(result.value, { maxBytes: maxPayloadBytes }) : result;
  if (!encoded.ok) {
    const code = result.ok ? "payload_invalid" : "condition_error";
    const error = { code, message: `\`output\` of the workflow: ${encoded.message}` };
    return { event: { type: "run.evaluated", at, error }, payload: null, runOutput: null, bytes: 0 };
  }
  const runOutput = { output: encoded.value };
  return { event: { type: "run.evaluated", at }, payload: null, runOutput, bytes: encoded.json.length };
}

type Found = Pick<StepEvaluated, "items" | "startDelayMs" | "sleepMs" | "timeoutMs" | "deadlineMs" | "signal">;

/** Carries the first thing that has no value out of the sequence of evaluations of one step. */
class ControlFailure extends Error {
  readonly failure: StepError;

  constructor(failure: StepError) {
    super(failure.message);
    this.failure = failure;
  }
}

function answerStep(request: ControlRequest, sight: Sight): ControlAnswer {
  const { step, task, at } = request;
  const head = { type: "step.evaluated", at, step, task } as const;
  try {
    const control = request.view.run.info.control(step);
    const evaluator = evaluatorFor(request, sight, control.reads);
    if (task < 0 && control.when !== null && !need("when", evaluateWhen(control.when, evaluator))) {
      return { event: { ...head, when: false }, payload: null, runOutput: null, bytes: 0 };
    }
    const values = task < 0 ? stepValues(request, evaluator) : { found: {}, write: {}, bytes: 0 };
    const isOfItems = request.view.run.info.step(step).evaluatesItems;
    const action = task < 0 === isOfItems ? { found: {}, write: {}, bytes: 0 } : actionValues(request, evaluator);
    const write = { ...values.write, ...action.write };
    return {
      event: { ...head, ...values.found, ...action.found },
      payload: Object.keys(write).length === 0 ? null : { step, task, ...write },
      runOutput: null,
      bytes: values.bytes + action.bytes,
    };
  } catch (error) {
    if (!(error instanceof ControlFailure)) throw error;
    return { event: { ...head, error: error.failure }, payload: null, runOutput: null, bytes: 0 };
  }
}

interface Values {
  readonly found: Found;
  readonly write: Pick<PayloadWrite, "items" | "childInput">;
  readonly bytes: number;
}

/** What is evaluated once for the step, whatever it does. */
function stepValues(request: ControlRequest, evaluator: Evaluator): Values {
  const control = request.view.run.info.control(request.step);
  const found: { -readonly [Key in keyof Found]: Found[Key] } = {};
  for (const [name, key] of [
    ["startDelay", "startDelayMs"],
    ["timeout", "timeoutMs"],
    ["deadline", "deadlineMs"],
  ] as const) {
    const template = control[name];
    if (template !== null) found[key] = need(name, evaluateDuration(template, evaluator));
  }
  if (control.items === null) return { found, write: {}, bytes: 0 };
  const items = encodeItems(need("forEach", evaluate(control.items, evaluator)), request.maxPayloadBytes);
  found.items = items.values.length;
  return { found, write: { items: items.values }, bytes: items.bytes };
}

/** What the action itself evaluates: for a map, once for each item. */
function actionValues({ view, step, maxPayloadBytes }: ControlRequest, evaluator: Evaluator): Values {
  const { sleep, signal, workflow, childInput } = view.run.info.control(step);
  const found: { -readonly [Key in keyof Found]: Found[Key] } = {};
  if (sleep !== null) found.sleepMs = need("sleep", evaluateDuration(sleep, evaluator));
  if (signal !== null) found.signal = need("signal", evaluateName(signal, evaluator));
  if (workflow === null) return { found, write: {}, bytes: 0 };
  const name = need("workflow", evaluateName(workflow, evaluator));
  const input = childInput === null ? {} : need("with", evaluate(childInput, evaluator));
  const encoded = encodePayload({ workflow: name, input: input ?? {} }, { maxBytes: maxPayloadBytes });
  if (!encoded.ok) throw new ControlFailure({ code: "payload_invalid", message: `\`with\`: ${encoded.message}` });
  return { found, write: { childInput: encoded.value }, bytes: encoded.json.length };
}

function encodeItems(
  value: unknown,
  maxBytes: number,
): { readonly values: readonly JsonValue[]; readonly bytes: number } {
  if (!Array.isArray(value)) {
    throw new ControlFailure({ code: "condition_error", message: "`forEach` does not give a list of items." });
  }
  const values: JsonValue[] = [];
  let bytes = 2;
  for (const [index, item] of value.entries()) {
    const encoded = encodePayload(item, { maxBytes });
    if (!encoded.ok) {
      throw new ControlFailure({
        code: "payload_invalid",
        message: `Item ${index} of \`forEach\`: ${encoded.message}`,
      });
    }
    values.push(encoded.value);
    bytes += encoded.json.length + 1;
  }
  return { values, bytes };
}

function need<Value>(name: string, result: Evaluated<Value>): Value {
  if (result.ok) return result.value;
  throw new ControlFailure({ code: "condition_error", message: `\`${name}\`: ${result.message}` });
}

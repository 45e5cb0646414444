import type { JsonObject, JsonValue, RunEvent, StepError } from "@braid/core";
import type { Masker } from "../observe/mask.ts";
import { encodePayload } from "../payload/codec.ts";
import { toStorableText } from "../payload/storable-text.ts";
import type { StepResult } from "../steps/step-type.ts";
import type { PayloadWrite, TaskKey } from "../store/run-commit.ts";
import { messageOf } from "./errors.ts";
import { freezeJson } from "./freeze-json.ts";
import type { CachedRun } from "./run-cache.ts";
import { RunView } from "./run-view.ts";
import { schemaCheck } from "./schema-check.ts";
import type { ValueCache } from "./value-cache.ts";
import { ValueReader } from "./value-reader.ts";

/** Characters of an error's message and code that are kept. */
const MOST_MESSAGE = 8_000;
const MOST_CODE = 100;

/** What an attempt reports. */
export interface AttemptEnd {
  readonly event: RunEvent;
  readonly payload: PayloadWrite | null;
  readonly bytes: number;
}

export interface ResultParts {
  readonly run: CachedRun;
  readonly key: TaskKey;
  readonly at: number;
  readonly values: ValueCache;
  readonly maxPayloadBytes: number;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly masker: Masker;
}

/** The failure of an attempt: a `StepFailure` says its own code, anything else is `handler_error`. */
export function describeFailure(
  error: unknown,
  masker: Masker | null,
): { readonly error: StepError; readonly retryable?: boolean; readonly retryAfterMs?: number } {
  const text = (value: string, most: number): string => toStorableText(masker?.maskText(value) ?? value, most);
  const message = text(messageOf(error), MOST_MESSAGE);
  if (!isStepFailure(error)) return { error: { code: "handler_error", message } };
  const { retryable, retryAfterMs } = error;
  return {
    error: { code: text(error.code, MOST_CODE), message },
    ...(retryable === undefined ? {} : { retryable }),
    ...(retryAfterMs === undefined || !(retryAfterMs >= 0) ? {} : { retryAfterMs: Math.min(retryAfterMs, 1e10) }),
  };
}

/** By its shape, because a handler may come with its own copy of this package. */
function isStepFailure(error: unknown): error is { code: string; retryable?: boolean; retryAfterMs?: number } {
  return error instanceof Error && error.name === "StepFailure" && "code" in error && typeof error.code === "string";
}

/**
 * From what a handler gave to what is stored: JSON that every store keeps, without secrets, that fits the step's
 * schema, and with it the step's shard of the shared context. What does not hold fails the attempt.
 */
export function completeResult(result: StepResult, parts: ResultParts): AttemptEnd | Promise<AttemptEnd> {
  const { run, key, masker, maxPayloadBytes } = parts;
  const encoded = encodePayload(result?.output, { maxBytes: maxPayloadBytes });
  if (!encoded.ok) return failed(parts, "payload_invalid", `The output is not valid. ${encoded.message}`);
  const output = freezeJson(masker.maskJson(encoded.value));
  const made: Made = { output, bytes: encoded.json.length, activePorts: portsOf(result) };
  const { outputSchema, set } = run.info.step(key.step).host;
  const hasShard = set !== null && key.task < 0;
  return outputSchema === null && !hasShard
    ? completed(parts, made, null)
    : finish(parts, made, { outputSchema, hasShard });
}

interface Made {
  readonly output: JsonValue;
  readonly bytes: number;
  readonly activePorts: readonly string[] | null;
}

async function finish(
  parts: ResultParts,
  made: Made,
  wanted: { readonly outputSchema: JsonObject | null; readonly hasShard: boolean },
): Promise<AttemptEnd> {
  if (wanted.outputSchema !== null) {
    const check = await schemaCheck(wanted.outputSchema);
    const problems = check(made.output);
    if (problems.length > 0)
      return failed(parts, "output_invalid", `The output does not fit its schema: ${problems.join("; ")}.`);
  }
  if (!wanted.hasShard) return completed(parts, made, null);
  const { run, key, inheritedEnv } = parts;
  const view = new RunView(new ValueReader(run, parts.values), { inheritedEnv, secrets: null });
  const sight = view.sight(key.step, key.task);
  const missing = view.reader.missing(view.keysOfSet(sight));
  if (missing.length > 0) await view.reader.fill(missing);
  const shard = view.evaluateSet(sight, () => made.output);
  if (!shard.ok) return failed(parts, "input_unresolved", `\`set\`: ${shard.message}`);
  const encoded = encodePayload(shard.value, { maxBytes: parts.maxPayloadBytes });
  if (!encoded.ok) return failed(parts, "payload_invalid", `\`set\` is not valid. ${encoded.message}`);
  const patch = { value: freezeJson(encoded.value as JsonObject), bytes: encoded.json.length };
  return completed(parts, made, patch);
}

function completed(
  { at, key }: ResultParts,
  { output, bytes, activePorts }: Made,
  patch: { readonly value: JsonObject; readonly bytes: number } | null,
): AttemptEnd {
  const { step, task, attempt } = key;
  const event = { type: "task.completed", at, step, task, attempt } as const;
  return {
    event: activePorts === null ? event : { ...event, activePorts },
    payload: patch === null ? { step, task, output } : { step, task, output, patch: patch.value },
    bytes: bytes + (patch?.bytes ?? 0),
  };
}

/** What was made once will be made again: none of these is worth another attempt. */
function failed({ at, key, masker }: ResultParts, code: string, text: string): AttemptEnd {
  const message = toStorableText(masker.maskText(text), MOST_MESSAGE);
  const error = { code, message };
  const retry = code === "output_invalid" ? {} : { retryable: false };
  return { event: { type: "task.failed", at, ...key, error, ...retry }, payload: null, bytes: 0 };
}

function portsOf(result: StepResult): readonly string[] | null {
  const ports: unknown = result?.activePorts;
  if (!Array.isArray(ports)) return null;
  return ports
    .filter((port): port is string => typeof port === "string")
    .map((port) => toStorableText(port, MOST_CODE));
}

import type { JsonObject, JsonValue, PlanStep } from "@braid/core";
import { UsageError } from "../cli-error.ts";

/** What a simulation assumes about one step. Whatever is absent comes from the seed. */
export interface StepScenario {
  readonly durationMs?: number;
  /** Fails every attempt. */
  readonly fails?: boolean;
  /** Fails this many attempts and then completes. */
  readonly failures?: number;
  /** Items of a map. */
  readonly items?: number;
  /** What the condition gives. */
  readonly when?: boolean;
}

export interface Scenario {
  readonly seed: number;
  readonly steps: ReadonlyMap<string, StepScenario>;
}

const defaultItems = 3;
/** Without a duration a step takes between these, evenly on a logarithmic scale: most are short, some are long. */
const shortestMs = 200;
const longestMs = 10_000;

const keys = ["duration", "fails", "failures", "items", "when"];

/**
 * Reads `--durations`: a duration per step id, or an object with `duration`, `fails`, `failures`, `items` and `when`.
 * `parseDuration` is the definition's own reader of durations.
 */
export function readScenarios(
  file: JsonObject,
  stepIds: ReadonlySet<string>,
  parseDuration: (value: JsonValue) => number | undefined,
): ReadonlyMap<string, StepScenario> {
  return new Map(
    Object.entries(file).map(([id, value]) => {
      if (!stepIds.has(id)) throw new UsageError(`--durations: the workflow has no step \`${id}\``);
      return [id, readScenario(id, value, parseDuration)];
    }),
  );
}

function readScenario(
  id: string,
  value: JsonValue,
  parseDuration: (value: JsonValue) => number | undefined,
): StepScenario {
  const duration = (text: JsonValue): number => {
    const ms = parseDuration(text);
    if (ms === undefined)
      throw new UsageError(
        `--durations: step \`${id}\` needs a duration such as \`2s\`, got \`${JSON.stringify(text)}\``,
      );
    return ms;
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { durationMs: duration(value) };
  const fields = value as JsonObject;
  const unknown = Object.keys(fields).find((key) => !keys.includes(key));
  if (unknown !== undefined)
    throw new UsageError(
      `--durations: step \`${id}\` has the unknown key \`${unknown}\`; known are ${keys.join(", ")}`,
    );
  const { fails, failures, items, when } = fields;
  return {
    ...(fields["duration"] === undefined ? {} : { durationMs: duration(fields["duration"]) }),
    ...(fails === undefined ? {} : { fails: fails === true }),
    ...(typeof failures === "number" ? { failures } : {}),
    ...(typeof items === "number" ? { items } : {}),
    ...(when === undefined ? {} : { when: when === true }),
  };
}

/** Milliseconds that one attempt takes. The same seed gives the same durations, whatever order they are asked in. */
export function durationOf(scenario: Scenario, step: PlanStep, task: number): number {
  const given = scenario.steps.get(step.id)?.durationMs;
  if (given !== undefined) return given;
  const share = hashToUnit(`${scenario.seed}/${step.id}/${task}`);
  const ms = shortestMs * (longestMs / shortestMs) ** share;
  return Math.round(ms / 10) * 10;
}

export function itemsOf(scenario: Scenario, step: PlanStep): number {
  return scenario.steps.get(step.id)?.items ?? defaultItems;
}

export function failsAt(scenario: Scenario, step: PlanStep, attempt: number): boolean {
  const { fails, failures } = scenario.steps.get(step.id) ?? {};
  return fails === true || attempt <= (failures ?? 0);
}

/** FNV-1a with a final mix, as a number from 0 up to 1. */
function hashToUnit(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

import type { JsonObject, JsonValue } from "@braid/core";
import type { SeededRandom } from "./seeded-random.ts";

/** Name of the step type whose behavior is in its `with`. */
export const SIMULATED_TYPE = "simulated";

/**
 * What an attempt of a simulated step does: takes so long, then succeeds or fails; the first attempts may do otherwise.
 */
export interface Behavior {
  readonly ms: number;
  /** Attempts that fail before one succeeds; -1: all do. */
  readonly failures: number;
  /** Whether it ends when it is told to stop. */
  readonly heeds: boolean;
}

/** A random workflow as a file would give it, of steps of every kind. Its child is a workflow of the name `child`. */
export function randomWorkflow(random: SeededRandom, name: string): JsonObject {
  const ids: string[] = [];
  const steps = listOf(random, { ids, depth: 0, size: random.integer(2, 8) });
  return {
    name,
    steps,
    onFailure: random.pick(["fail_all", "complete_running", "continue"]),
    ...(random.chance(0.3) ? { parallel: { maxConcurrent: random.integer(1, 4) } } : {}),
    ...(random.chance(0.15) ? { timeout: "20s" } : {}),
    ...(random.chance(0.3) ? { finally: [{ id: "tidy", ...task(random) }] } : {}),
    ...(random.chance(0.3) ? { output: { status: "${{ run.status }}" } } : {}),
    ...(random.chance(0.3) ? { concurrency: group(random) } : {}),
  };
}

function group(random: SeededRandom): JsonObject {
  return { group: "one", max: random.integer(1, 2), onConflict: random.pick(["queue", "queue", "cancelRunning"]) };
}

/** A small workflow that others start as a child. */
export function childWorkflow(random: SeededRandom): JsonObject {
  return {
    name: "child",
    steps: [
      { id: "work", ...task(random) },
      { id: "more", ...task(random) },
    ],
    output: "${{ steps.more.output }}",
  };
}

interface List {
  readonly ids: string[];
  readonly depth: number;
  readonly size: number;
}

function listOf(random: SeededRandom, { ids, depth, size }: List): JsonValue[] {
  const own: string[] = [];
  const steps: JsonValue[] = [];
  for (let index = 0; index < size; index += 1) {
    const id = `s${ids.length}`;
    ids.push(id);
    const doing = action(random, { ids, depth });
    steps.push({ id, ...dependencies(random, own), ...doing, ...common(random, "parallel" in doing) });
    own.push(id);
  }
  return steps;
}

function dependencies(random: SeededRandom, before: readonly string[]): JsonObject {
  const chosen = before.filter(() => random.chance(1.5 / (before.length + 1))).slice(0, 3);
  const dependsOn = chosen.map((step): JsonValue => {
    if (random.chance(0.75)) return step;
    return { step, on: random.pick(["failure", "settled"]) };
  });
  if (dependsOn.length < 2 || random.chance(0.6)) return { dependsOn };
  const join = random.pick<JsonValue>(["any", "first", "settled", { quorum: 1, cancelRest: random.chance(0.5) }]);
  return { dependsOn, join };
}

function action(random: SeededRandom, { ids, depth }: Omit<List, "size">): JsonObject {
  const kind = random.next();
  if (kind < 0.55) return task(random);
  if (kind < 0.7) return mapOf(random);
  if (kind < 0.76) return { sleep: `${random.integer(1, 3_000)}ms` };
  if (kind < 0.8) return { signal: random.pick(["red", "green"]) };
  if (kind < 0.83) return { approval: "Go on?" };
  if (kind < 0.88) return { workflow: "child", with: {} };
  if (kind < 0.92 || depth > 0) return {};
  const steps = listOf(random, { ids, depth: depth + 1, size: random.integer(1, 3) });
  return {
    parallel: {
      steps,
      onFailure: random.pick(["fail_all", "complete_running", "continue"]),
      ...(random.chance(0.3) ? { maxConcurrent: 1 } : {}),
      ...(random.chance(0.2) ? { timeout: "5s" } : {}),
    },
  };
}

function task(random: SeededRandom): JsonObject {
  return {
    type: SIMULATED_TYPE,
    with: behavior(random),
    ...(random.chance(0.4)
      ? { retry: { maxAttempts: random.integer(2, 3), delay: `${random.integer(1, 500)}ms` } }
      : {}),
    ...(random.chance(0.15) ? { timeout: "1500ms" } : {}),
  };
}

function mapOf(random: SeededRandom): JsonObject {
  const items = Array.from({ length: random.integer(0, 6) }, (_, index) => index);
  const forEach = {
    items,
    ...(random.chance(0.4) ? { maxConcurrent: random.integer(1, 3) } : {}),
    ...(random.chance(0.3) ? { tolerateFailures: 1 } : {}),
    ...(random.chance(0.4) ? { onFailure: random.pick(["fail_all", "complete_running", "continue"]) } : {}),
  };
  return { ...task(random), forEach };
}

function behavior(random: SeededRandom): JsonObject {
  const failures = random.pick([0, 0, 0, 0, 1, 2, -1]);
  const ms = random.chance(0.05) ? random.integer(20_000, 40_000) : random.integer(0, 2_000);
  return { ms, failures, heeds: random.chance(0.9) };
}

function common(random: SeededRandom, isBlock: boolean): JsonObject {
  return {
    ...(random.chance(0.1) ? { continueOnError: true } : {}),
    ...(random.chance(0.08) ? { when: random.pick(["false", "true"]) } : {}),
    ...(!isBlock && random.chance(0.08) ? { startDelay: `${random.integer(1, 800)}ms` } : {}),
    ...(random.chance(0.1) ? { priority: random.integer(1, 5) } : {}),
  };
}

import type { SeededRandom } from "@braid/engine/testing";
import { queueNames } from "../settings.ts";
import { task } from "./spec.ts";
import type { Action, Need, StepSpec, WorkflowSpec } from "./spec.ts";

/** A random graph of steps of every kind. Whatever finishes first, its run ends in one way only. */
export function randomSpec(random: SeededRandom, name: string): WorkflowSpec {
  const steps: StepSpec[] = [];
  const size = random.integer(3, 9);
  for (let index = 0; index < size; index += 1) steps.push(step(random, `s${index}`, steps));
  return {
    name,
    mode: random.pick(["fail_all", "complete_running", "continue", "continue"]),
    steps,
    ...(random.chance(0.3) ? { maxConcurrent: random.integer(1, 4) } : {}),
    ...(random.chance(0.2) ? { finally: [{ id: "tidy", needs: [], action: task(30) }] } : {}),
  };
}

function step(random: SeededRandom, id: string, before: readonly StepSpec[]): StepSpec {
  const needs = before
    .filter(() => random.chance(1.6 / (before.length + 1)))
    .slice(0, 3)
    .map(({ id: source }): Need => ({ step: source, on: random.pick(["success", "success", "success", "settled"]) }));
  const [first] = needs;
  // A handler of a failure hangs on it alone, so that it starts whenever there is one.
  if (first !== undefined && random.chance(0.15)) {
    return { id, needs: [{ step: first.step, on: "failure" }], action: task(random.integer(0, 200)) };
  }
  const areSuccesses = needs.every(({ on }) => on === "success");
  return {
    id,
    needs,
    action: action(random),
    ...(needs.length > 1 && areSuccesses && random.chance(0.3) ? { join: "any" as const } : {}),
    ...(random.chance(0.12) ? { when: random.chance(0.5) } : {}),
    ...(random.chance(0.15) ? { isTolerated: true } : {}),
    ...(random.chance(0.1) ? { startDelayMs: random.integer(50, 600) } : {}),
    ...(random.chance(0.2) ? { priority: random.integer(1, 5) } : {}),
  };
}

function action(random: SeededRandom): Action {
  const kind = random.next();
  if (kind < 0.05) return { kind: "join" };
  if (kind < 0.12) return { kind: "sleep", ms: random.integer(50, 1_500) };
  if (kind < 0.17) return { kind: "signal", name: random.pick(["go", "on"]) };
  if (kind < 0.22) return { kind: "child", workflow: random.pick(["child-good", "child-good", "child-bad"]) };
  const ms = random.pick([0, 20, 60, 120, 250, 600]);
  const failures = random.pick([0, 0, 0, 0, 0, 1, 2, -1]);
  const base = task(ms, {
    failures,
    maxAttempts: failures > 0 ? failures + random.integer(1, 2) : random.integer(1, 2),
    retryDelayMs: random.integer(1, 400),
    queue: random.pick(queueNames),
  });
  if (kind < 0.32) return { ...base, failures: 0, maxAttempts: 1, ...items(random) };
  if (kind < 0.38) return { ...base, type: random.pick(["narrow", "rated"]) };
  if (kind < 0.44) return { ...base, key: random.pick(["red", "blue"]) };
  return base;
}

function items(random: SeededRandom): Pick<Extract<Action, { kind: "task" }>, "items" | "tolerates" | "mapConcurrent"> {
  const count = random.integer(0, 6);
  return {
    items: Array.from({ length: count }, () => ({ ms: random.integer(0, 200), fails: random.chance(0.12) })),
    ...(random.chance(0.5) ? { tolerates: random.integer(1, 2) } : {}),
    ...(random.chance(0.5) ? { mapConcurrent: random.integer(1, 3) } : {}),
  };
}

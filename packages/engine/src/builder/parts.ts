import type { JsonObject } from "@braid/core";
import type { ChildWorkflow } from "./built-workflow.ts";

/**
 * What one call of the builder added, and all before it. Lists of steps share what they have in common, so that a list of n
 * steps costs n, although every call answers a new one.
 */
export interface Part {
  readonly before: Part | null;
  /** As a file would write it; null where only functions were added. */
  readonly step: JsonObject | null;
  readonly functions: readonly (readonly [name: string, run: (context: never) => unknown])[];
  readonly children: readonly ChildWorkflow<unknown>[];
}

export interface Collected {
  readonly steps: readonly JsonObject[];
  readonly functions: ReadonlyMap<string, (context: never) => unknown>;
  readonly children: readonly ChildWorkflow<unknown>[];
}

/** All parts up to this one, in the order in which they were added. */
export function collect(last: Part | null): Collected {
  const parts: Part[] = [];
  for (let part = last; part !== null; part = part.before) parts.push(part);
  parts.reverse();
  return {
    steps: parts.flatMap(({ step }) => (step === null ? [] : [step])),
    functions: new Map(parts.flatMap(({ functions }) => functions)),
    children: parts.flatMap(({ children }) => children),
  };
}

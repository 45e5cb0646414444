import * as fc from "fast-check";
import { expect, test } from "vitest";
import { driveBoth } from "./agreement.ts";
import { EVERY_CONTROL } from "./drive.ts";
import { EVERYTHING, FLAT } from "./random-plan.ts";
import type { Features } from "./random-plan.ts";
import { courses, settings, TIMEOUT_MS } from "./settings.ts";

/** Narrow kinds of plans go deeper into their own rules than plans that may hold everything. */
const cases: readonly { readonly name: string; readonly features: Features; readonly share: number }[] = [
  { name: "flat graphs of tasks", features: FLAT, share: 1 },
  {
    name: "flat graphs of every kind",
    features: { ...EVERYTHING, depth: 0, maps: false, limits: false, phases: false },
    share: 1,
  },
  {
    name: "blocks, groups, hooks and limits",
    features: { ...EVERYTHING, maxSteps: 6, maps: false },
    share: 1,
  },
  { name: "maps", features: { ...EVERYTHING, maxSteps: 5, depth: 1 }, share: 1 },
];

test.each(cases)(
  "the kernel does what the naive model says: $name",
  ({ features, share }) => {
    const property = fc.property(courses(features, { ...EVERY_CONTROL, maxRetries: 0 }), driveBoth);
    fc.assert(property, settings(share));
  },
  TIMEOUT_MS,
);

test.each(cases)(
  "the kernel does what the naive model says when runs are retried: $name",
  ({ features, share }) => {
    fc.assert(fc.property(courses(features), driveBoth), settings(share / 2));
  },
  TIMEOUT_MS,
);

test("random plans hold every kind of step, join, edge and mode", () => {
  const seen = new Set<string>();
  for (const { plan } of fc.sample(courses(EVERYTHING), { numRuns: 300, seed: 1 })) {
    for (const { kind, join, isMap, whenUnmet, onError } of plan.steps) {
      for (const fact of [kind, join.kind, isMap ? "map" : kind, whenUnmet, onError]) seen.add(fact);
    }
    for (const { on } of plan.edges) seen.add(on);
    for (const { mode } of plan.scopes) seen.add(mode);
  }
  const wanted =
    "task join sleep signal approval child block phase pool map all any first quorum settled skip skipBranch fail continue " +
    "skipDependents success failure order fail_all complete_running";
  expect(wanted.split(" ").filter((fact) => !seen.has(fact))).toEqual([]);
});

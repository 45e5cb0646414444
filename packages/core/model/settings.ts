import * as fc from "fast-check";
import { buildPlan } from "./build-plan.ts";
import { EVERY_CONTROL } from "./drive.ts";
import type { Course } from "./drive.ts";
import type { HostOptions } from "./host.ts";
import { randomPlan } from "./random-plan.ts";
import type { Features } from "./random-plan.ts";

/** `FC_RUNS` asks for more cases than a quick check has; `FC_SEED` for a course that was reported. */
const { FC_RUNS, FC_SEED, FC_PATH } = process.env;

/** Few cases in a quick check, and always the same ones; with `FC_RUNS` new ones every time. */
export function settings(share = 1): fc.Parameters<unknown> {
  return {
    numRuns: Math.ceil(Number(FC_RUNS ?? 500) * share),
    ...(FC_SEED === undefined ? (FC_RUNS === undefined ? { seed: 1 } : {}) : { seed: Number(FC_SEED) }),
    ...(FC_PATH === undefined ? {} : { path: FC_PATH }),
  };
}

/** Enough time for ten thousand cases on a slow machine. */
export const TIMEOUT_MS = 600_000;

/** Numbers that decide what a host does next. */
export const randomNumbers = fc.array(fc.nat({ max: 0xffff }), { maxLength: 300, size: "max" });

/** A plan, and the numbers that decide what happens to a run of it. */
export function courses(features: Features, options: HostOptions = EVERY_CONTROL): fc.Arbitrary<Course> {
  return fc
    .record({
      spec: randomPlan(features),
      numbers: randomNumbers,
    })
    .map(({ spec, numbers }) => {
      const course: Course = { plan: buildPlan(spec), numbers, options };
      // The error of a failing case tells the plan and the events; the numbers behind them would only hide it.
      return Object.assign(course, { [fc.toStringMethod]: () => `run of ${course.plan.steps.length} steps` });
    });
}

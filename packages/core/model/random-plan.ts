import * as fc from "fast-check";
import type { FailureMode, RateLimit } from "../src/plan/plan.ts";
import type { BodySpec, DependencySpec, ListSpec, MapSpec, PlanSpec, StepSpec } from "./plan-spec.ts";

/** What a random plan may hold. Narrow ones find a basic disagreement in a plan that a person can read. */
export interface Features {
  readonly maxSteps: number;
  readonly depth: number;
  readonly kinds: readonly StepSpec["kind"][];
  readonly joins: boolean;
  readonly conditions: boolean;
  readonly retries: boolean;
  readonly times: boolean;
  readonly maps: boolean;
  readonly limits: boolean;
  readonly phases: boolean;
  /** Whether only what no order of events can change is wanted: `all` and `settled` joins, mode `continue`, no cuts. */
  readonly isCalm: boolean;
}

export const EVERYTHING: Features = {
  maxSteps: 9,
  depth: 2,
  kinds: ["task", "join", "sleep", "signal", "approval", "child"],
  joins: true,
  conditions: true,
  retries: true,
  times: true,
  maps: true,
  limits: true,
  phases: true,
  isCalm: false,
};

export const FLAT: Features = {
  maxSteps: 8,
  depth: 0,
  kinds: ["task"],
  joins: true,
  conditions: false,
  retries: false,
  times: false,
  maps: false,
  limits: false,
  phases: false,
  isCalm: false,
};

/** The first value is what a value shrinks to, and half of all values. */
const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: others.length + 1, arbitrary: fc.constant(usual) }, ...others.map((other) => fc.constant(other)));

const rarely = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const rate: fc.Arbitrary<RateLimit> = fc.record({
  count: fc.integer({ min: 1, max: 2 }),
  perMs: fc.constant(100),
  burst: fc.integer({ min: 1, max: 3 }),
});

const anyMode = mostly("fail_all" as const, "complete_running" as const, "continue" as const);

/** Plans of up to about fourteen steps. */
export function randomPlan(features: Features): fc.Arbitrary<PlanSpec> {
  const { limits, phases, times } = features;
  const beside = phases ? fc.option(list({ ...features, depth: 0, maxSteps: 2 }), { freq: 2 }) : fc.constant(null);
  return fc.record({
    steps: list(features),
    onSuccess: beside,
    onFailure: beside,
    finally: beside,
    hasOutput: phases ? fc.boolean() : fc.constant(false),
    maxConcurrent: mostly<number | null>(null, 1, 2, 3),
    rateLimit: limits ? fc.option(rate, { freq: 6 }) : fc.constant(null),
    timeoutMs: times ? rarely<number | null>(null, 60, 250) : fc.constant(null),
    mode: modeOf(features),
  });
}

function list(features: Features): fc.Arbitrary<ListSpec> {
  const pool = fc.record({
    maxConcurrent: mostly<number | null>(null, 1, 2),
    rateLimit: fc.option(rate, { freq: 2 }),
  });
  return fc.record({
    order: mostly<"graph" | "sequence">("graph", "sequence"),
    pools: features.limits ? fc.array(pool, { maxLength: 2, size: "max" }) : fc.constant([]),
    steps: fc.array(step(features), {
      minLength: features.depth > 0 ? 1 : 0,
      maxLength: features.maxSteps,
      size: "max",
    }),
  });
}

const dependency: fc.Arbitrary<DependencySpec> = fc.record({
  pick: fc.nat({ max: 15 }),
  on: mostly("success" as const, "success" as const, "failure" as const, "settled" as const, "order" as const),
  port: rarely<string | null>(null, "left", "right"),
});

function step(features: Features): fc.Arbitrary<StepSpec> {
  const { conditions, joins, retries, times, maps, isCalm } = features;
  const [usual, ...others] = features.kinds;
  return fc.record({
    kind: mostly<StepSpec["kind"]>(usual ?? "task", ...others),
    late: fc.nat({ max: 6 }),
    deps: fc.array(dependency, { maxLength: 4, size: "max" }),
    join: joins
      ? fc.record({
          kind: isCalm
            ? mostly<StepSpec["join"]["kind"]>("all", "settled")
            : mostly<StepSpec["join"]["kind"]>("all", "any", "first", "quorum", "settled"),
          quorum: fc.nat({ max: 3 }),
          cancelRest: fc.boolean(),
        })
      : fc.constant({ kind: "all" as const, quorum: 0, cancelRest: false }),
    evaluates: conditions ? mostly(false, true) : fc.constant(false),
    whenUnmet: isCalm ? fc.constant("skip") : mostly<StepSpec["whenUnmet"]>("skip", "skipBranch", "fail"),
    onError: isCalm ? rarely("fail", "continue") : rarely<StepSpec["onError"]>("fail", "continue", "skipDependents"),
    maxAttempts: retries ? mostly(1, 2, 3, 4) : fc.constant(1),
    retryDelayMs: mostly(0, 30),
    retryOn: rarely<readonly string[] | null>(null, ["exit_code"], ["child_failed", "handler_error"]),
    backoff: mostly<StepSpec["backoff"]>("fixed", "linear", "exponential"),
    priority: rarely(0, 1, -1),
    rank: fc.nat({ max: 3 }),
    startDelayMs: times ? rarely(0, 20) : fc.constant(0),
    sleepMs: mostly(25, 0, 70),
    timeoutMs: times ? rarely<number | null>(null, 50) : fc.constant(null),
    deadlineMs: times ? rarely<number | null>(null, 40, 90) : fc.constant(null),
    pool: features.limits ? fc.option(fc.nat({ max: 1 }), { freq: 3 }) : fc.constant(null),
    map: maps ? fc.option(map(features), { freq: 4 }) : fc.constant(null),
    body: features.depth > 0 ? rarely2(body(features)) : fc.constant(null),
  });
}

const rarely2 = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const modeOf = ({ isCalm }: Features): fc.Arbitrary<FailureMode> => (isCalm ? fc.constant("continue") : anyMode);

function map(features: Features): fc.Arbitrary<MapSpec> {
  return fc.record({
    maxConcurrent: mostly<number | null>(null, 1, 2),
    rateLimit: features.limits ? fc.option(rate, { freq: 4 }) : fc.constant(null),
    mode: modeOf(features),
    tolerate: fc.option(
      fc.oneof(
        fc.record({ kind: fc.constant("items" as const), value: fc.nat({ max: 2 }) }),
        fc.record({ kind: fc.constant("percent" as const), value: fc.constantFrom(0, 25, 50, 100) }),
      ),
      { freq: 2 },
    ),
    evaluatesItems: fc.boolean(),
  });
}

function body(features: Features): fc.Arbitrary<BodySpec> {
  const { limits, times } = features;
  return fc.record({
    isGroup: fc.boolean(),
    list: list({ ...features, depth: features.depth - 1, maxSteps: 3 }),
    maxConcurrent: mostly<number | null>(null, 1, 2),
    rateLimit: limits ? fc.option(rate, { freq: 6 }) : fc.constant(null),
    timeoutMs: times ? rarely<number | null>(null, 40, 120) : fc.constant(null),
    mode: modeOf(features),
  });
}

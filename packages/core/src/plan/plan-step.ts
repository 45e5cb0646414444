import type { Definition, StepDefinition } from "../definition/model.ts";
import { withoutUndefined } from "../definition/without-undefined.ts";
import { isTemplate } from "../expression/index.ts";
import type { LoweredAction } from "./action.ts";
import type { DraftStep } from "./draft.ts";
import type { PlanControl, PlanJoin, PlanStep, PlanStepHost, StepKind } from "./plan.ts";
import { DEFAULT_RETRY, retryPolicyOf } from "./retry-policy.ts";

/** What the rest of `compile` has found out about a step. */
export interface StepFacts {
  readonly scope: number;
  readonly slots: number;
  readonly body: number | null;
  readonly incoming: readonly number[];
  readonly outgoing: readonly number[];
  readonly rank: number;
  readonly priority: number;
  readonly reads: readonly number[];
}

/** Queue of steps that name none. */
const DEFAULT_QUEUE = "default";

const ALL: PlanJoin = { kind: "all", quorum: 0, cancelRest: false };

/** What every hidden step has, and where an author's step begins. */
const BASE = {
  isMap: false,
  join: ALL,
  whenUnmet: "skip",
  onError: "fail",
  retry: DEFAULT_RETRY,
  evaluates: false,
  evaluatesItems: false,
  startDelayMs: 0,
  sleepMs: 0,
  timeoutMs: null,
  deadlineMs: null,
  signal: null,
} as const satisfies Partial<PlanStep>;

const BASE_HOST: PlanStepHost = {
  description: null,
  handler: "",
  queue: DEFAULT_QUEUE,
  control: {},
  payload: {},
  set: null,
  outputSchema: null,
  concurrency: null,
  resources: null,
  runner: null,
  groupId: null,
  reads: [],
};

export function hiddenStep({ index, id, name, hidden }: DraftStep, facts: StepFacts): PlanStep {
  const kind: StepKind = hidden === "phase" || hidden === "pool" ? hidden : "block";
  const { reads, ...place } = facts;
  return { index, id, name, kind, hidden: true, ...place, ...BASE, host: { ...BASE_HOST, reads } };
}

/** A step of the author's, with every default filled in. */
export function visibleStep(
  { index, id, name }: DraftStep,
  { step, action, defaults }: AuthoredStep,
  { reads, ...place }: StepFacts,
): PlanStep {
  const isTask = action.kind === "task";
  const isMap = step.forEach !== undefined;
  const timeout = step.timeout ?? (isTask ? defaults.timeout : undefined);
  const control = controlOf(step, action, timeout);
  return {
    index,
    id,
    name,
    kind: action.kind,
    hidden: false,
    ...place,
    ...BASE,
    isMap,
    join: step.join === undefined ? ALL : joinOf(step.join),
    whenUnmet: step.whenUnmet ?? "skip",
    onError: step.onError ?? "fail",
    retry: retryPolicyOf(step.retry, isTask ? defaults.retry : undefined),
    evaluates: isMap || hasStepControl(control) || action.isControlled,
    evaluatesItems: isMap && action.isControlled,
    startDelayMs: constantOf(step.startDelay) ?? 0,
    sleepMs: action.sleepMs,
    // The timeout of a block is its scope's.
    timeoutMs: action.kind === "block" ? null : constantOf(timeout),
    deadlineMs: constantOf(step.deadline),
    signal: action.signal,
    host: hostOf(step, { action, control, reads }),
  };
}

/** A step of the author's, and what it inherits from the workflow. */
export interface AuthoredStep {
  readonly step: StepDefinition;
  readonly action: LoweredAction;
  readonly defaults: Definition["defaults"];
}

function joinOf({ kind, quorum, cancelRest }: PlanJoin): PlanJoin {
  return {
    kind,
    quorum: kind === "quorum" ? quorum : 0,
    cancelRest: kind === "first" || (kind === "quorum" && cancelRest),
  };
}

function controlOf(step: StepDefinition, action: LoweredAction, timeout: number | string | undefined): PlanControl {
  const block = step.action.kind === "parallel" ? step.action.block : undefined;
  return withoutUndefined({
    when: step.when,
    items: step.forEach?.items,
    as: step.forEach?.as,
    startDelay: templateOf(step.startDelay),
    timeout: templateOf(block?.timeout ?? timeout),
    deadline: templateOf(step.deadline),
    concurrencyKey: isTemplate(step.concurrency?.key ?? "") ? step.concurrency?.key : undefined,
    ...action.control,
  });
}

/** Whether anything is evaluated once for the step, whatever its action. */
function hasStepControl({ when, startDelay, timeout, deadline, concurrencyKey }: PlanControl): boolean {
  return [when, startDelay, timeout, deadline, concurrencyKey].some((expression) => expression !== undefined);
}

function hostOf(
  step: StepDefinition,
  {
    action,
    control,
    reads,
  }: { readonly action: LoweredAction; readonly control: PlanControl; readonly reads: readonly number[] },
): PlanStepHost {
  return {
    description: step.description ?? null,
    handler: action.handler,
    queue: step.queue ?? DEFAULT_QUEUE,
    control,
    payload: action.payload,
    set: step.set ?? null,
    outputSchema: step.output ?? null,
    concurrency: step.concurrency ?? null,
    resources: step.resources ?? null,
    runner: step.runner ?? null,
    groupId: step.groupId ?? null,
    reads,
  };
}

function constantOf(duration: number | string | undefined): number | null {
  return typeof duration === "number" ? duration : null;
}

function templateOf(duration: number | string | undefined): string | undefined {
  return typeof duration === "string" ? duration : undefined;
}

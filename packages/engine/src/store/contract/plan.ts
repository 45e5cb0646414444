import type { Plan, PlanEdge, PlanScope, PlanStep } from "@braid/core";

/** A plan with one ordinary step after another, and the last one a map. */
export function chainPlan(workflow: string, ids: readonly string[]): Plan {
  const last = ids.length - 1;
  return {
    planVersion: 1,
    workflow,
    definitionVersion: 1,
    steps: ids.map((id, index) =>
      index === last ? { ...planStep(id, index, last), ...mapFields } : planStep(id, index, last),
    ),
    edges: ids.slice(1).map(planEdge),
    scopes: [
      { ...scopeFields, index: 0, kind: "run", owner: -1, parent: -1, members: ids.map((_, index) => index) },
      { ...scopeFields, index: 1, kind: "map", owner: last, parent: 0, members: [] },
    ],
    hasOutput: false,
    phases: { onSuccess: null, onFailure: null, finally: null },
    host: {
      description: null,
      inputs: {},
      env: {},
      secrets: {},
      output: null,
      concurrency: null,
      priority: 0,
      schedule: null,
      types: {},
    },
  };
}

const mapFields = { isMap: true, evaluates: true, body: 1, slots: 1 } as const;

const scopeFields: Pick<PlanScope, "maxConcurrent" | "rateLimit" | "timeoutMs" | "mode" | "tolerate"> = {
  maxConcurrent: null,
  rateLimit: null,
  timeoutMs: null,
  mode: "fail_all",
  tolerate: null,
};

/** The edge from the step before: edge 0 leads to step 1. */
function planEdge(_: string, index: number): PlanEdge {
  return { index, from: index, to: index + 1, on: "success", origin: "explicit", port: null };
}

function planStep(id: string, index: number, last: number): PlanStep {
  return {
    index,
    id,
    name: id,
    kind: "task",
    hidden: false,
    scope: 0,
    slots: 0,
    body: null,
    isMap: false,
    incoming: index === 0 ? [] : [index - 1],
    outgoing: index === last ? [] : [index],
    join: { kind: "all", quorum: 0, cancelRest: false },
    whenUnmet: "skip",
    onError: "fail",
    retry: { maxAttempts: 1, delayMs: 0, backoff: "fixed", factor: 1, maxDelayMs: 0, jitter: 0, on: null },
    priority: 0,
    rank: last - index + 1,
    evaluates: false,
    evaluatesItems: false,
    startDelayMs: 0,
    sleepMs: 0,
    timeoutMs: null,
    deadlineMs: null,
    signal: null,
    host: {
      description: null,
      handler: "command",
      queue: "default",
      control: {},
      payload: {},
      set: null,
      outputSchema: null,
      concurrency: null,
      resources: null,
      runner: null,
      groupId: null,
      reads: [],
    },
  };
}

import type { PlanHost, PlanStepHost } from "../src/plan/plan.ts";

/** What only hosts read: the kernel must not care, so it is the same everywhere. */

export const NO_HOST: PlanHost = {
  description: null,
  inputs: {},
  env: {},
  secrets: {},
  output: null,
  concurrency: null,
  priority: 0,
  schedule: null,
  types: {},
};

export const STEP_HOST: PlanStepHost = {
  description: null,
  handler: "work",
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
};

import { z } from "zod";

/**
 * What `--json` writes, as schemas: the one source of the JSON Schema files that are published with the package
 * (`npm run schema -w packages/cli` writes them) and of the tests that hold real output to them. Only tests load this.
 */

const instant = z.iso.datetime({ precision: 3 }).describe("ISO 8601, UTC, with milliseconds");
const anyJson = z.unknown().describe("any JSON value");
const data = z.record(z.string(), z.unknown());
const runId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const runStatus = z.enum(["queued", "running", "paused", "completed", "failed", "canceled"]);
const stepStatus = z.enum(["pending", "ready", "running", "waiting", "completed", "failed", "skipped", "canceled"]);
const edgeOn = z.enum(["success", "failure", "settled", "order"]);

const traceType = z.enum([
  ...([
    "run.queued",
    "run.started",
    "run.paused",
    "run.resumed",
    "run.completed",
    "run.failed",
    "run.canceled",
  ] as const),
  ...([
    "step.ready",
    "step.started",
    "step.waiting",
    "step.retrying",
    "step.completed",
    "step.failed",
    "step.skipped",
    "step.canceled",
    "step.progress",
  ] as const),
  ...(["task.started", "task.completed", "task.failed", "task.canceled", "task.lost"] as const),
]);

const stepError = z.strictObject({
  code: z.string(),
  message: z.string(),
  cause: z.strictObject({ step: z.string(), code: z.string(), message: z.string() }).optional(),
});

const traceEvent = z
  .strictObject({
    seq: z.int().min(1).describe("counts up from 1 without gaps in each run"),
    runId,
    at: instant,
    type: traceType,
    step: z.string().nullable().describe("step id; null where the event is about the run"),
    task: z
      .int()
      .min(0)
      .nullable()
      .describe("item of a map, or 0; null where the event is about a whole map or the run"),
    attempt: z.int().min(1).nullable(),
    data,
  })
  .describe("one state change of a run");

const log = z
  .strictObject({
    runId,
    at: instant,
    type: z.literal("log"),
    step: z.string().nullable(),
    task: z.int().min(0),
    attempt: z.int().min(0),
    data: z.strictObject({ stream: z.enum(["stdout", "stderr", "log"]), text: z.string() }),
  })
  .describe("one line of a step's log; logs are no part of the trace and have no seq");

const counts = z.strictObject({
  total: z.int(),
  completed: z.int(),
  failed: z.int(),
  skipped: z.int(),
  canceled: z.int(),
});

const stepResult = z.strictObject({
  status: stepStatus,
  attempts: z.int().min(0),
  startedAt: instant.nullable().describe("start of the first attempt"),
  finishedAt: instant.nullable(),
  durationMs: z.number().min(0).nullable(),
  skipReason: z.string().nullable(),
  cause: z.string().nullable().describe("why it was stopped"),
  tolerated: z.boolean(),
  triggeredBy: z.array(z.string()).nullable().describe("steps whose edges fired its join"),
  error: stepError.nullable(),
  output: anyJson,
  counts: counts.optional().describe("maps and blocks only"),
});

const summaryFields = {
  type: z.literal("run.summary"),
  runId,
  epoch: z.int().min(1),
  status: runStatus,
  toleratedFailures: z.int().min(0).describe("above 0 in a completed run: completed with warnings"),
  error: stepError.extend({ step: z.string().optional() }).nullable(),
  failures: z.array(
    z.strictObject({ step: z.string(), task: z.int().nullable(), code: z.string(), message: z.string() }),
  ),
  output: anyJson,
  durationMs: z.number().min(0),
  steps: z.record(z.string(), stepResult),
};
const summary = z.strictObject(summaryFields).describe("the last line: how the run ended");

const diagnostic = z.strictObject({
  code: z.string(),
  severity: z.enum(["error", "warning"]),
  message: z.string(),
  hint: z.string().optional(),
  path: z.string().describe("JSON pointer into the file"),
  line: z.int().min(1).optional(),
  column: z.int().min(1).optional(),
});
const diagnostics = z
  .strictObject({ type: z.literal("diagnostics"), diagnostics: z.array(diagnostic) })
  .describe("the file is not valid; exit code 2, nothing has run");

const accepted = z
  .strictObject({ type: z.literal("run.accepted"), runId, workflow: z.string() })
  .describe("with --detach");

const rate = z.strictObject({ count: z.number(), perMs: z.number(), burst: z.number() });
const failureMode = z.enum(["fail_all", "complete_running", "continue"]);

const plan = z.strictObject({
  type: z.literal("plan"),
  workflow: z.string(),
  steps: z.int(),
  maxConcurrent: z.int().min(1),
  edges: z.array(
    z.strictObject({
      id: z.string(),
      from: z.string(),
      to: z.string(),
      on: edgeOn,
      origin: z.enum(["explicit", "order", "group", "inferred"]),
      port: z.string().nullable(),
    }),
  ),
  levels: z.array(z.array(z.string())),
  durations: z
    .enum(["file", "past runs", "none"])
    .describe("where the times of the steps come from; none: every step counts 1"),
  criticalPath: z.array(z.string()),
  criticalPathMs: z
    .number()
    .describe("milliseconds, or a number of steps where no durations are known; so are the next two"),
  sequentialMs: z.number(),
  makespanMs: z.number(),
  speedUp: z.number(),
  formula: z.string(),
});
const dryRun = plan
  .extend({ run: z.strictObject({ input: data, timeoutMs: z.int().nullable(), mode: failureMode }) })
  .describe("with --dry-run");

const join = z.strictObject({
  kind: z.enum(["all", "any", "first", "quorum", "settled"]),
  quorum: z.int(),
  cancelRest: z.boolean(),
});
const graphMember = {
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  parent: z.string().nullable(),
  join,
  isConditional: z.boolean(),
  onError: z.enum(["fail", "continue", "skipDependents"]),
};
const graph = z.strictObject({
  workflow: z.string(),
  nodes: z.array(
    z.strictObject({
      ...graphMember,
      kind: z.enum(["task", "join", "sleep", "signal", "approval", "child"]),
      handler: z.string(),
      isMap: z.boolean(),
      groupId: z.string().nullable(),
      level: z.int(),
      rank: z.number(),
    }),
  ),
  edges: z.array(
    z.strictObject({
      id: z.string(),
      source: z.string(),
      target: z.string(),
      on: edgeOn,
      origin: z.string(),
      port: z.string().nullable(),
    }),
  ),
  groups: z.array(
    z.strictObject({
      ...graphMember,
      kind: z.enum(["block", "group", "onSuccess", "onFailure", "finally"]),
      members: z.array(z.string()),
      mode: failureMode,
      maxConcurrent: z.int().nullable(),
      rateLimit: rate.nullable(),
      timeoutMs: z.int().nullable(),
    }),
  ),
});

const listedRun = z.strictObject({
  type: z.literal("run"),
  runId,
  workflow: z.string(),
  workflowVersion: z.int(),
  status: runStatus,
  epoch: z.int(),
  toleratedFailures: z.int(),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  error: stepError.nullable(),
});

const shownRun = z.strictObject({
  ...summaryFields,
  workflow: z.string(),
  workflowVersion: z.int(),
  createdAt: instant,
  waiting: z
    .record(z.string(), z.looseObject({ kind: z.string() }))
    .describe("why each step that has not settled is not further along; `missing`: what no worker has"),
});

const storedWorkflow = z.strictObject({
  type: z.literal("workflow"),
  workflow: z.string(),
  version: z.int().min(1),
});

const control = z.strictObject({
  type: z.literal("run.control"),
  action: z.enum(["cancel", "pause", "resume", "approve", "reject"]),
  runId,
  step: z.string().optional(),
  status: runStatus.describe("of the run, once the request was written down"),
});

const simulationSummary = z.strictObject({
  type: z.literal("simulation.summary"),
  status: runStatus,
  seed: z.int(),
  makespanMs: z.number(),
  workMs: z.number(),
  peak: z.int().describe("most tasks at the same time"),
  speedUp: z.number(),
});

/** Per command, the schema of each line it writes with `--json`. */
export const outputSchemas = {
  run: z.union([traceEvent, log, summary, diagnostics, accepted, dryRun]),
  validate: diagnostics.extend({ file: z.string(), valid: z.boolean() }).describe("one line per file"),
  graph,
  plan: z.union([plan, diagnostics]),
  simulate: z.union([traceEvent, simulationSummary, diagnostics]),
  "runs-list": listedRun,
  "runs-show": shownRun,
  "runs-logs": log,
  "runs-events": traceEvent,
  "runs-control": control,
  "runs-retry": z.union([traceEvent, log, summary, accepted]),
  "workflows-apply": z.union([storedWorkflow, diagnostics]),
  "workflows-show": storedWorkflow.extend({ createdAt: instant, definition: data }),
  prune: z.strictObject({ type: z.literal("prune"), dryRun: z.boolean(), runIds: z.array(runId) }),
} as const;

export type OutputName = keyof typeof outputSchemas;

/** The JSON Schema (draft 2020-12) of one command's lines, as text for its file. */
export function jsonSchemaText(name: OutputName): string {
  const { $schema, ...schema } = z.toJSONSchema(outputSchemas[name], { target: "draft-2020-12" });
  const title = `A line of \`braid ${name === "runs-control" ? "runs cancel|pause|resume|approve|reject" : name.replace("-", " ")} --json\``;
  return `${JSON.stringify({ $schema, title, ...schema }, null, 2)}\n`;
}

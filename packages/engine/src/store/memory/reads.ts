import type { JsonObject, JsonValue, TraceEvent } from "@braid/core";
import { decodeRun, decodeStep } from "../codec.ts";
import type {
  LoadedRun,
  LogFilter,
  LogLine,
  Payload,
  PayloadRequest,
  RunFilter,
  RunSummaryRow,
  StoredSignal,
} from "../records.ts";
import { unpackTrace } from "../trace-rows.ts";
import type { MemoryData } from "./data.ts";
import { stepKey } from "./rows.ts";
import type { MemoryRun, MemoryStep } from "./rows.ts";

const inOrder = (a: MemoryStep, b: MemoryStep): number => a.step - b.step || a.task - b.task;

export function loadRun(run: MemoryRun, after: number, now: number): LoadedRun {
  const { record, version, createdAt, cells } = run;
  const rows = [...run.steps.values()].toSorted(inOrder);
  return {
    now,
    id: record.id,
    version,
    workflow: record.workflow,
    workflowVersion: record.workflowVersion,
    priority: record.priority,
    parent: record.parent === null ? null : { ...record.parent },
    meta: JSON.parse(run.meta) as JsonObject,
    createdAt,
    run: decodeRun(cells),
    steps: rows.filter((row) => row.version > after).map((row) => decodeStep(row.cells)),
    leases: rows.flatMap(({ step, task, attempt }) => {
      if (attempt?.dispatch !== "leased") return [];
      const { number, worker, token, leaseUntil } = attempt;
      return [{ step, task, attempt: number, worker: worker!, token: token!, until: leaseUntil! }];
    }),
  };
}

export function readPayload(data: MemoryData, request: PayloadRequest): Payload | null {
  const run = data.runs.get(request.runId);
  if (run === undefined) return null;
  const none = { patch: null, items: null, childInput: undefined, progress: undefined };
  if (request.kind !== "step") return { value: parsed(request.kind === "input" ? run.input : run.output), ...none };
  const payload = run.steps.get(stepKey(request.step, request.task))?.payload;
  if (payload === undefined) return null;
  return {
    value: parsed(payload.output),
    patch: (parsed(payload.patch) ?? null) as JsonObject | null,
    items: (parsed(payload.items) ?? null) as readonly JsonValue[] | null,
    childInput: parsed(payload.childInput),
    progress: parsed(payload.progress),
  };
}

/** No text is no value; the text `null` is the value null. */
function parsed(text: string | null | undefined): JsonValue | undefined {
  return text === null || text === undefined ? undefined : (JSON.parse(text) as JsonValue);
}

export function listRuns(data: MemoryData, filter: RunFilter): readonly RunSummaryRow[] {
  const { workflow, group, status, parent, before, limit } = filter;
  return [...data.runs.values()]
    .filter(
      ({ record }) =>
        (workflow === undefined || record.workflow === workflow) &&
        (group === undefined || record.group === group) &&
        (parent === undefined || record.parent?.runId === parent) &&
        (before === undefined || record.id < before),
    )
    .map(({ record, createdAt, groupPlace, cells }): RunSummaryRow => ({
      id: record.id,
      workflow: record.workflow,
      workflowVersion: record.workflowVersion,
      createdAt,
      groupPlace,
      run: decodeRun(cells),
    }))
    .filter(({ run }) => status === undefined || status.includes(run.status))
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, limit);
}

export function readTrace(run: MemoryRun, after: number, limit: number): readonly TraceEvent[] {
  const events: TraceEvent[] = [];
  for (const row of run.trace) {
    if (events.length >= limit) break;
    if (row.lastSeq > after) events.push(...unpackTrace(row).filter(({ seq }) => seq > after));
  }
  return events.slice(0, limit);
}

export function readLogs(run: MemoryRun, filter: LogFilter): readonly LogLine[] {
  const { step, task, limit, tail } = filter;
  const lines = run.logs.filter(
    (line) => (step === undefined || line.step === step) && (task === undefined || line.task === task),
  );
  if (limit === undefined || limit >= lines.length) return lines;
  return tail === true ? lines.slice(lines.length - limit) : lines.slice(0, limit);
}

export function listSignals(run: MemoryRun): readonly StoredSignal[] {
  return run.signals
    .filter(({ isUsed }) => !isUsed)
    .map(({ signal: { id, runId, name, verdict }, payload, acceptedAt }) => {
      return { id, runId, name, verdict, payload: JSON.parse(payload) as JsonValue, acceptedAt };
    });
}

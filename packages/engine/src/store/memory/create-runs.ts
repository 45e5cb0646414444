import type { CreateAnswer, NewRun, NewRunRequest } from "../records.ts";
import { dueAfter } from "../prepared-commit.ts";
import { prepareRun, unknownWorkflow } from "../prepared-run.ts";
import { NotStorable } from "../storable.ts";
import { applyRows } from "./commit.ts";
import type { MemoryData } from "./data.ts";
import type { MemoryRun } from "./rows.ts";

/** Inserts a run with its first rows, unless its id or its key is there already. */
export function createRun(data: MemoryData, request: NewRunRequest, now: number): CreateAnswer {
  try {
    return insert(data, request, now);
  } catch (error) {
    if (!(error instanceof NotStorable)) throw error;
    return { kind: "rejected", message: error.message };
  }
}

function insert(data: MemoryData, request: NewRunRequest, now: number): CreateAnswer {
  const { record, prepared, cells, input, meta } = prepareRun(request);
  const { commit } = prepared;
  // Ids are unique, so a run of that id was made by this very request, whose answer got lost.
  if (data.runs.has(record.id)) return { kind: "created", version: 1 };
  const key = record.idempotencyKey === null ? null : JSON.stringify([record.workflow, record.idempotencyKey]);
  const known = key === null ? undefined : data.keys.get(key);
  if (known !== undefined) return { kind: "exists", runId: known };
  const isKnown = data.workflows.get(record.workflow)?.some(({ version }) => version === record.workflowVersion);
  if (isKnown !== true) throw unknownWorkflow(record);
  const group = record.group === null ? null : JSON.stringify([record.workflow, record.group]);
  const groupPlace = group === null ? null : (data.groupPlaces.get(group) ?? 0) + 1;
  const run: MemoryRun = {
    record: copyRecord(record),
    groupPlace,
    createdAt: now,
    input,
    meta,
    output: null,
    version: 1,
    lastCommitId: commit.commitId,
    lastCommitVersion: 1,
    lastCancels: [],
    dueAt: dueAfter(commit, commit.run?.wakeAt ?? null, now),
    cells,
    steps: new Map(),
    trace: [],
    signals: [],
    logs: [],
  };
  applyRows(data, run, { prepared, version: 1, now });
  data.runs.set(record.id, run);
  if (key !== null) data.keys.set(key, record.id);
  if (group !== null && groupPlace !== null) data.groupPlaces.set(group, groupPlace);
  return { kind: "created", version: 1 };
}

function copyRecord(record: NewRun): MemoryRun["record"] {
  const { id, workflow, workflowVersion, priority, idempotencyKey, group, parent } = record;
  return {
    id,
    workflow,
    workflowVersion,
    priority,
    idempotencyKey,
    group,
    parent: parent === null ? null : { ...parent },
  };
}

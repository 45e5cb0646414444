import { runColumns } from "../codec.ts";
import { limitKey, parseLimitKey } from "../limits.ts";
import type { CancelAnswer, CancelRequest, CommitAnswer, Enqueue, RunCommit } from "../run-commit.ts";
import { checkTrace, dueAfter, payloadColumns, prepareCommit } from "../prepared-commit.ts";
import type { PreparedCommit, PreparedPayload } from "../prepared-commit.ts";
import { NotStorable } from "../storable.ts";
import type { MemoryData } from "./data.ts";
import { stepKey } from "./rows.ts";
import type { MemoryRun, MemoryStep, OpenAttempt } from "./rows.ts";

const wakeIndex = runColumns.findIndex(({ name }) => name === "wake_at");

/** Commits one run: everything is staged on copies first, and put in place only when nothing can go wrong any more. */
export function commitRun(data: MemoryData, commit: RunCommit, now: number): CommitAnswer {
  try {
    return apply(data, prepareCommit(commit), now);
  } catch (error) {
    if (!(error instanceof NotStorable)) throw error;
    return { kind: "rejected", message: error.message };
  }
}

function apply(data: MemoryData, prepared: PreparedCommit, now: number): CommitAnswer {
  const { commit } = prepared;
  const run = data.runs.get(commit.runId);
  if (run === undefined) return { kind: "conflict" };
  if (run.lastCommitId === commit.commitId) {
    return { kind: "repeat", version: run.lastCommitVersion, cancels: run.lastCancels };
  }
  const { expectedVersion, follows = run.lastCommitId } = commit;
  if (run.version !== expectedVersion || run.lastCommitId !== follows) return { kind: "conflict" };
  const fences = commit.fences.filter(({ step, task, token }) => {
    const attempt = run.steps.get(stepKey(step, task))?.attempt;
    return attempt?.dispatch !== "leased" || attempt.token !== token;
  });
  if (fences.length > 0) return { kind: "fenced", fences };
  checkTrace(prepared, run.trace.at(-1)?.lastSeq ?? 0);

  const cancels = applyRows(data, run, { prepared, version: run.version + 1, now });
  run.version += 1;
  run.lastCommitId = commit.commitId;
  run.lastCommitVersion = run.version;
  run.lastCancels = cancels;
  if (prepared.run !== null) run.cells = prepared.run;
  run.dueAt = dueAfter(commit, run.cells[wakeIndex] as number | null, now);
  return { kind: "accepted", version: run.version, cancels };
}

interface Applied {
  readonly prepared: PreparedCommit;
  readonly version: number;
  readonly now: number;
}

/** Writes everything but the run's own row. Throws before it has changed anything, or not at all. */
export function applyRows(
  data: MemoryData,
  run: MemoryRun,
  { prepared, version, now }: Applied,
): readonly CancelAnswer[] {
  const { commit } = prepared;
  const staged = new Map<string, MemoryStep>();
  const find = (step: number, task: number): MemoryStep | undefined => {
    const key = stepKey(step, task);
    return staged.get(key) ?? run.steps.get(key);
  };
  const stage = (row: MemoryStep): void => {
    staged.set(stepKey(row.step, row.task), row);
  };

  for (const cells of prepared.steps) {
    const [step, task] = cells as [number, number];
    const old = find(step, task);
    const { attempt, payload } = old ?? { attempt: null, payload: {} };
    stage({ runId: commit.runId, step, task, version, cells, attempt, payload });
  }
  for (const task of commit.enqueue) {
    const row = find(task.step, task.task);
    if (row === undefined) throw new NotStorable(`step ${task.step}, task ${task.task} is queued but has no row`);
    stage({ ...row, attempt: newAttempt(task, now) });
  }
  for (const { step, task, attempt } of commit.closes) {
    const row = find(step, task);
    if (row?.attempt?.number === attempt) stage({ ...row, attempt: null });
  }
  const cancels = commit.cancels.map((request) => {
    const row = find(request.step, request.task);
    const { answer, attempt } = cancel(request, row?.attempt ?? null);
    if (row !== undefined && attempt !== row.attempt) stage({ ...row, attempt });
    return answer;
  });
  for (const write of prepared.payloads) {
    const row = find(write.step, write.task);
    if (row === undefined) throw new NotStorable(`step ${write.step}, task ${write.task} has a payload but no row`);
    stage({ ...row, payload: written(row.payload, write) });
  }

  for (const row of staged.values()) data.install(run, row);
  if (prepared.runOutput !== null) run.output = prepared.runOutput;
  const used = new Set(commit.usedSignals);
  for (const each of run.signals) if (used.has(each.signal.id)) each.isUsed = true;
  if (prepared.trace !== null) run.trace.push(prepared.trace);
  return cancels;
}

function newAttempt(task: Enqueue, now: number): OpenAttempt {
  const { lease, queue, handler, priority } = task;
  return {
    dispatch: lease === null ? "queued" : "leased",
    number: task.attempt,
    queue,
    handler,
    priority,
    needs: needsOf(task),
    queuedAt: now,
    worker: lease === null ? null : lease.worker,
    token: lease === null ? null : lease.token,
    leaseUntil: lease === null ? null : now + lease.forMs,
    claimedAt: lease === null ? null : now,
    stopAsked: null,
  };
}

/** A copy, like everything that is kept. */
function needsOf(task: Enqueue): OpenAttempt["needs"] {
  const key = limitKey(task);
  return key === null ? null : { key, ...parseLimitKey(key) };
}

function cancel(
  { step, task, attempt: number, cause, ifQueued }: CancelRequest,
  attempt: OpenAttempt | null,
): { readonly answer: CancelAnswer; readonly attempt: OpenAttempt | null } {
  const key = { step, task, attempt: number };
  const dispatch = attempt?.number === number ? attempt.dispatch : null;
  if (attempt !== null && (dispatch === "queued" || dispatch === "withdrawn")) {
    return {
      answer: { ...key, outcome: "withdrawn", claimedAt: null },
      attempt: { ...attempt, dispatch: "withdrawn" },
    };
  }
  if (attempt !== null && dispatch === "leased") {
    return {
      answer: { ...key, outcome: "claimed", claimedAt: attempt.claimedAt },
      attempt: ifQueued ? attempt : { ...attempt, stopAsked: cause },
    };
  }
  return { answer: { ...key, outcome: "gone", claimedAt: null }, attempt };
}

function written(old: MemoryStep["payload"], { clear, columns }: PreparedPayload): MemoryStep["payload"] {
  const payload = clear ? {} : { ...old };
  for (const column of payloadColumns) {
    const text = columns[column];
    if (text !== undefined) payload[column] = text;
  }
  return payload;
}

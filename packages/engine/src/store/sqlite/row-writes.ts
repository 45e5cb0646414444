import type { Cell } from "../codec.ts";
import { limitKey } from "../limits.ts";
import type { Enqueue, TaskKey } from "../run-commit.ts";
import type { PreparedCommit, PreparedPayload } from "../prepared-commit.ts";
import type { HostWrite } from "./row-statements.ts";

/**
 * What a commit does to its rows, with as few statements as possible. The usual step of a run ends one attempt, keeps its
 * output and queues the next: each of these is about a row that the commit writes anyway, so one statement does both. What
 * is about another row, or would have to be done in an order, is left over for statements of its own.
 */
export interface RowWrites {
  readonly rows: readonly { readonly cells: readonly Cell[]; readonly host: HostWrite }[];
  readonly enqueue: readonly Enqueue[];
  readonly closes: readonly TaskKey[];
  readonly payloads: readonly PreparedPayload[];
}

export function rowWrites({ commit, steps, payloads }: PreparedCommit, now: number): RowWrites {
  const queued = firstOfEachRow(commit.enqueue);
  const closed = firstOfEachRow(commit.closes);
  const outputs = firstOfEachRow(payloads);
  const done = new Set<object>();
  const rows = steps.map((cells) => {
    const key = keyOf(cells[0] as number, cells[1] as number);
    const task = queued.get(key);
    // An attempt that is queued and closed by one commit is closed afterwards: which one is closed depends on the order.
    const close = task === undefined ? closed.get(key) : undefined;
    const payload = outputs.get(key);
    const output = payload === undefined ? null : onlyOutput(payload);
    if (task !== undefined) done.add(task);
    if (close !== undefined) done.add(close);
    if (payload !== undefined && output !== null) done.add(payload);
    return {
      cells,
      host: { queue: task === undefined ? null : queueCells(task, now), close: close?.attempt ?? null, output },
    };
  });
  const isLeft = (each: object): boolean => !done.has(each);
  return {
    rows,
    enqueue: commit.enqueue.filter(isLeft),
    closes: commit.closes.filter(isLeft),
    payloads: payloads.filter(isLeft),
  };
}

/** Values of `queueNames` for an attempt that is queued, or leased at once. */
export function queueCells(task: Enqueue, now: number): Cell[] {
  const { lease, attempt, queue, handler, priority } = task;
  const key = limitKey(task);
  if (lease === null) return ["queued", attempt, queue, handler, priority, now, null, null, null, null, null, key];
  const { worker, token, forMs } = lease;
  return ["leased", attempt, queue, handler, priority, now, worker, token, now + forMs, now, null, key];
}

const keyOf = (step: number, task: number): string => `${step}/${task}`;

function firstOfEachRow<Each extends { readonly step: number; readonly task: number }>(
  list: readonly Each[],
): ReadonlyMap<string, Each> {
  const first = new Map<string, Each>();
  for (const each of list) {
    const key = keyOf(each.step, each.task);
    if (!first.has(key)) first.set(key, each);
  }
  return first;
}

/** The output, if the payload writes nothing else. */
function onlyOutput({ clear, columns }: PreparedPayload): string | null {
  const { output, ...others } = columns;
  return clear || output === undefined || Object.keys(others).length > 0 ? null : output;
}

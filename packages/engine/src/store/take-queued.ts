import type { LimitRoom, Needs } from "./limits.ts";

/** Where a queued row stands in line. */
export interface QueuedPlace {
  readonly runId: string;
  readonly step: number;
  readonly task: number;
  readonly priority: number;
  readonly queuedAt: number;
}

/** Rows of one queue that all need the same, best first. */
export interface Lane<Row extends QueuedPlace> {
  /** null: nothing. */
  readonly needs: Needs | null;
  /** Its best row at first, and after each row that was taken from it the next one. */
  readonly next: () => Row | undefined;
}

/** The order in which tasks are taken: priority, then the time they were queued, then run, step and task. */
export function comparePlaces(a: QueuedPlace, b: QueuedPlace): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.queuedAt !== b.queuedAt) return a.queuedAt - b.queuedAt;
  if (a.runId !== b.runId) return a.runId < b.runId ? -1 : 1;
  return a.step - b.step || a.task - b.task;
}

/**
 * Takes rows of several lanes in the order in which they stand in line, parked or not, at most `limit`. A lane that is held
 * back is left out from then on: what one of its rows needs, all of them do, and room only gets less. So a lane costs one look,
 * however many rows stand in it, and one without places not even that.
 */
export function takeQueued<Row extends QueuedPlace>(
  lanes: readonly Lane<Row>[],
  request: {
    readonly limit: number;
    readonly room: LimitRoom;
    readonly take: (row: Row, needs: Needs | null) => void;
  },
): void {
  const { limit, room, take } = request;
  if (limit <= 0) return;
  const heads: Head<Row>[] = [];
  for (const lane of lanes) {
    const row = lane.needs === null || room.hasPlaces(lane.needs) ? lane.next() : undefined;
    if (row !== undefined) heads.push({ lane, row });
  }
  heads.sort(bestLast);
  for (let taken = 0; heads.length > 0;) {
    const { lane, row } = heads.pop()!;
    if (lane.needs !== null && !room.tryTake(lane.needs)) continue;
    take(row, lane.needs);
    taken += 1;
    if (taken === limit) return;
    const next = lane.next();
    if (next !== undefined) insert(heads, { lane, row: next });
  }
}

interface Head<Row extends QueuedPlace> {
  readonly lane: Lane<Row>;
  readonly row: Row;
}

/** The best is taken from the end, which is the cheap end of an array. */
const bestLast = (a: Head<QueuedPlace>, b: Head<QueuedPlace>): number => comparePlaces(b.row, a.row);

function insert<Row extends QueuedPlace>(heads: Head<Row>[], head: Head<Row>): void {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bestLast(heads[middle]!, head) < 0) low = middle + 1;
    else high = middle;
  }
  heads.splice(low, 0, head);
}

import { RunRow, StepRow } from "@braid/core";
import { encodeRun, encodeStep, runColumns, stepColumns } from "../codec.ts";
import type { Cell } from "../codec.ts";

/**
 * Statements that write the kernel's rows. Most columns of most rows hold what they hold in a new row, and to hand a value
 * to a statement costs as much as to store it, so these stand in the statement's text. Rows of the same shape (the columns
 * that differ) share one statement; the rows of a workflow take a few dozen shapes.
 */

/** Statements are kept as long as the connection, so there is an end to them: rows of later shapes hand over all values. */
const mostShapes = 500;

/** A statement and the values it is given. */
export interface Filled {
  readonly sql: string;
  readonly cells: Cell[];
}

/** What a commit does to a step row beside the kernel's columns, where the same statement can do it. */
export interface HostWrite {
  /** Values of `queueNames`: an attempt is queued. */
  readonly queue: readonly Cell[] | null;
  /** Number of the attempt that is closed, if it is the open one. */
  readonly close: number | null;
  readonly output: string | null;
}

export const queueNames = [
  "dispatch",
  "dispatch_attempt",
  "queue",
  "handler",
  "priority",
  "queued_at",
  "worker",
  "lease_token",
  "lease_until",
  "claimed_at",
  "stop_asked",
  "limit_key",
] as const;

/** What closing an attempt empties. Worker and token stay: they say whose report was accepted last. */
export const closeNames = ["dispatch", "lease_until", "stop_asked"] as const;

export const commitNames = ["version", "last_commit_id", "last_commit_version", "last_cancels", "due_at"] as const;

const runNames = runColumns.map(({ name }) => name);
const stepNames = stepColumns.map(({ name }) => name);
const runDefaults = encodeRun(new RunRow());
const stepDefaults = encodeStep(new StepRow(0, 0));
/** Columns that say which row it is: step and task. */
const placeCells = 2;

const assignments = (names: readonly string[]): string => names.map((name) => `${name} = ?`).join(", ");

const literal = (cell: Cell): string => {
  if (cell === null) return "null";
  return typeof cell === "string" ? `'${cell}'` : String(cell);
};

/** Marks the columns of a row that differ from the defaults, from `first` on, and collects their values. */
function differing(
  row: readonly Cell[],
  defaults: readonly Cell[],
  { first, into }: { readonly first: number; readonly into: Cell[] },
): string {
  let shape = "";
  for (let index = first; index < row.length; index += 1) {
    const cell = row[index]!;
    if (cell === defaults[index]) continue;
    shape += String.fromCharCode(firstMark + index);
    into.push(cell);
  }
  return shape;
}

const firstMark = 48;

const isMarked = (shape: string | null, index: number): boolean =>
  shape === null || shape.includes(String.fromCharCode(firstMark + index));

const texts = new Map<string, string>();

/** The statement of a shape, or null where there are too many of them. */
function findText(key: string, make: () => string): string | null {
  const known = texts.get(key);
  if (known !== undefined) return known;
  if (texts.size >= mostShapes) return null;
  const text = make();
  texts.set(key, text);
  return text;
}

/** Updates a run: what the commit says of it, and the kernel's row. */
export function runUpdate(commit: readonly Cell[], row: readonly Cell[], runId: string): Filled {
  const cells: Cell[] = [...commit];
  const shape = differing(row, runDefaults, { first: 0, into: cells });
  const sql = findText(`run ${shape}`, () => runText(shape));
  if (sql === null) return { sql: runTextOfAll, cells: [...commit, ...row, runId] };
  cells.push(runId);
  return { sql, cells };
}

function runText(shape: string | null): string {
  const set = runNames.map((name, index) => `${name} = ${isMarked(shape, index) ? "?" : literal(runDefaults[index]!)}`);
  return `update runs set ${assignments(commitNames)}, ${set.join(", ")} where id = ?`;
}

const runTextOfAll = runText(null);

/** Inserts or overwrites a step row, and does with it what `host` says. Host columns that it does not name stay as they are. */
export function stepUpsert(
  { runId, version }: { readonly runId: string; readonly version: number },
  row: readonly Cell[],
  host: HostWrite,
): Filled {
  const cells: Cell[] = [runId, version, row[0]!, row[1]!];
  const shape = differing(row, stepDefaults, { first: placeCells, into: cells });
  const variant = (host.queue === null ? 0 : 1) + (host.close === null ? 0 : 2) + (host.output === null ? 0 : 4);
  const known = findText(`step ${variant} ${shape}`, () => stepText(shape, variant));
  const sql = known ?? (stepTextsOfAll[variant] ??= stepText(null, variant));
  const values = known === null ? [runId, version, ...row] : cells;
  if (host.queue !== null) values.push(...host.queue);
  if (host.output !== null) values.push(host.output);
  if (host.close !== null) for (const _ of closeNames) values.push(host.close);
  return { sql, cells: values };
}

const stepTextsOfAll: (string | undefined)[] = [];

function stepText(shape: string | null, variant: number): string {
  const hostNames = [...((variant & 1) === 0 ? [] : queueNames), ...((variant & 4) === 0 ? [] : ["output"])];
  const values = stepNames.map((_, index) =>
    index < placeCells || isMarked(shape, index) ? "?" : literal(stepDefaults[index]!),
  );
  for (const _ of hostNames) values.push("?");
  const overwritten = ["version", ...stepNames.slice(placeCells), ...hostNames];
  const set = overwritten.map((name) => `${name} = excluded.${name}`);
  if ((variant & 2) !== 0) {
    for (const name of closeNames) set.push(`${name} = iif(dispatch_attempt = ?, null, ${name})`);
  }
  return `
insert into steps (run_id, version, ${[...stepNames, ...hostNames].join(", ")}) values (?, ?, ${values.join(", ")})
on conflict (run_id, step_index, task_index) do update set ${set.join(", ")}`;
}

import { decodeRun } from "../codec.ts";
import type { Store } from "../port.ts";
import type { MemoryData } from "./data.ts";
import type { MemoryRun } from "./rows.ts";

type PrunePolicy = Parameters<Store["prune"]>[0];

export function prune(data: MemoryData, policy: PrunePolicy, now: number): readonly string[] {
  const { olderThanMs = Infinity, keep = Infinity, workflow, dryRun } = policy;
  const roots = [...data.runs.values()]
    .filter(({ record }) => record.parent === null && (workflow === undefined || record.workflow === workflow))
    .toSorted((a, b) => (a.record.id < b.record.id ? 1 : -1));
  const expired = roots.filter((run, index) => {
    const ended = finishedAt(run);
    return ended !== null && (ended < now - olderThanMs || index >= keep);
  });
  const deleted = expired.toReversed().flatMap((run) => {
    const family = withChildren(data, run);
    return family.some((member) => finishedAt(member) === null) ? [] : family;
  });
  if (dryRun !== true) {
    for (const run of deleted) remove(data, run);
    // A rate that would allow any start is the same as none.
    for (const [name, tat] of data.rates) if (tat <= now) data.rates.delete(name);
  }
  return deleted.map(({ record }) => record.id);
}

const finishedAt = ({ cells }: MemoryRun): number | null => decodeRun(cells).finishedAt;

/** A run and everything below it, in order of their ids. */
function withChildren(data: MemoryData, run: MemoryRun): MemoryRun[] {
  const family = [run];
  // The list grows while it is read: children of children are found when their parents are reached.
  for (const member of family) {
    for (const other of data.runs.values()) {
      if (other.record.parent?.runId === member.record.id) family.push(other);
    }
  }
  return family.toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1));
}

function remove(data: MemoryData, run: MemoryRun): void {
  for (const row of run.steps.values()) data.removeFromIndexes(row);
  const { id, workflow, idempotencyKey } = run.record;
  data.runs.delete(id);
  if (idempotencyKey !== null) data.keys.delete(JSON.stringify([workflow, idempotencyKey]));
}

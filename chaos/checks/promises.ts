import type { JournalEntry } from "../journal.ts";
import type { Evidence } from "./evidence.ts";
import type { Violation } from "./violation.ts";

/** By how much the instant of an event may be ahead of the store's clock: a slow answer's way. */
const aheadMs = 2_000;

/** I7 and I8: everything that was acknowledged is there, once. */
export function checkPromises(evidence: Evidence): readonly Violation[] {
  return [
    ...evidence.journal.flatMap((entry) => checkEntry(evidence, entry)),
    ...checkCommits(evidence),
    ...checkKeys(evidence),
    ...checkChildren(evidence),
  ];
}

function checkEntry({ runs, signals }: Evidence, entry: JournalEntry): readonly Violation[] {
  const run = runs.get(entry.run)?.run;
  const broken = (invariant: string, text: string): readonly Violation[] => [{ invariant, run: entry.run, text }];
  if (run === undefined) return broken("I7", `${entry.type} was acknowledged, and there is no such run`);
  switch (entry.type) {
    case "start":
      if (run.workflow === entry.workflow && run.input.number === entry.number && run.idempotency_key === entry.key)
        return [];
      return broken("I7", `it was started as ${entry.workflow} with ${entry.number}, and is kept as another`);
    case "cancel":
      if (run.status === "canceled" || (run.finished_at ?? Infinity) <= entry.at + aheadMs) return [];
      return broken("I7", `a cancel was acknowledged, and the run ended later as ${run.status}`);
    case "signal": {
      const isKept = signals.some((signal) => {
        return signal.run_id === entry.run && signal.name === entry.name && signal.payload.number === entry.number;
      });
      return isKept ? [] : broken("I7", `the signal \`${entry.name}\` was acknowledged, and is not kept`);
    }
    case "conflict":
      if (entry.outcome === "idempotency_conflict") return [];
      return broken("I8", `key ${entry.key} with another input gave ${entry.outcome} instead of a conflict`);
    default:
      return entry satisfies never;
  }
}

/** What the store told a process that it has taken. */
function checkCommits({ commits, runs }: Evidence): readonly Violation[] {
  return commits.flatMap(({ run, first, last, worker }) => {
    if (first === null || runs.get(run)?.traceRows.has(`${first}-${last}`) === true) return [];
    return [
      { invariant: "I7", run, text: `${worker} was told that events ${first} to ${last} are kept, and they are not` },
    ];
  });
}

function checkKeys({ journal, runs }: Evidence): readonly Violation[] {
  const byKey = new Map<string, Set<string>>();
  for (const entry of journal) {
    if (entry.type !== "start" || entry.key === null) continue;
    byKey.set(entry.key, (byKey.get(entry.key) ?? new Set()).add(entry.run));
  }
  for (const { run } of runs.values()) {
    if (run.idempotency_key !== null && run.parent_run_id === null) byKey.get(run.idempotency_key)?.add(run.id);
  }
  return [...byKey].flatMap(([key, ids]) => {
    return ids.size === 1
      ? []
      : [{ invariant: "I8", run: [...ids][0]!, text: `key ${key} has the runs ${[...ids].join(", ")}` }];
  });
}

/** An attempt of a step starts one child run. */
function checkChildren({ runs }: Evidence): readonly Violation[] {
  const seen = new Map<string, string>();
  return [...runs.values()].flatMap(({ run }): readonly Violation[] => {
    if (run.parent_run_id === null) return [];
    const place = `${run.parent_run_id}/${run.parent_step}/${run.parent_attempt}`;
    const other = seen.get(place);
    seen.set(place, run.id);
    return other === undefined
      ? []
      : [{ invariant: "I8", run: run.id, text: `its parent's step has also started ${other}` }];
  });
}

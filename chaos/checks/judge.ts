import type { Store } from "@braid/engine";
import type { Database } from "../database.ts";
import type { FaultRecord } from "../faults/fault.ts";
import type { Measured } from "../figures.ts";
import type { JournalEntry } from "../journal.ts";
import { readOracle } from "../oracle/reader.ts";
import type { WorkflowSpec } from "../workflows/spec.ts";
import { checkCancels } from "./cancels.ts";
import { gather } from "./evidence.ts";
import { checkLimits } from "./limits.ts";
import { checkOrder } from "./order.ts";
import { checkPromises } from "./promises.ts";
import { readRuns } from "./records.ts";
import type { SignalRecord } from "./records.ts";
import { checkResults } from "./results.ts";
import { countSometimes } from "./sometimes.ts";
import { checkStatuses } from "./statuses.ts";
import { checkTimers } from "./timers.ts";
import type { Violation } from "./violation.ts";

export interface Trial {
  readonly directory: string;
  readonly database: Database;
  readonly store: Store;
  readonly specs: ReadonlyMap<string, WorkflowSpec>;
  readonly journal: readonly JournalEntry[];
  readonly faults: readonly FaultRecord[];
  /** Those found under way. */
  readonly violations: readonly Violation[];
  readonly times: {
    readonly faultsMs: number;
    readonly healMs: number;
    /** Load without faults, monotonic milliseconds. */
    readonly calm: { readonly from: number; readonly to: number };
  };
  readonly looks: number;
  readonly followed: number;
}

/** Everything that can be said once all is over: the tables against the oracle, the journal and the model. */
export async function judge(trial: Trial): Promise<Measured> {
  const { database, store, specs, journal, faults, times } = trial;
  const runs = new Map((await readRuns(database, store)).map((record) => [record.run.id, record]));
  const signals = await database.rows<SignalRecord>("select * from braid.signals");
  const evidence = gather({ runs, specs, journal, faults, signals, lines: readOracle(trial.directory) });
  const limits = checkLimits(evidence);
  const cancels = checkCancels(evidence);
  const timers = checkTimers(evidence);
  const calmBegins = evidence.lines.filter(
    ({ type, mono }) => type === "begin" && mono >= times.calm.from && mono <= times.calm.to,
  );
  return {
    evidence,
    violations: [
      ...trial.violations,
      ...checkResults(evidence),
      ...checkOrder(evidence),
      ...checkStatuses(evidence),
      ...checkPromises(evidence),
      ...limits.violations,
      ...cancels.violations,
      ...timers.violations,
    ],
    sometimes: countSometimes(evidence),
    limits,
    cancels,
    timers,
    faultsMs: times.faultsMs,
    healMs: times.healMs,
    looks: trial.looks,
    followed: trial.followed,
    baselinePerSecond: (1_000 * calmBegins.length) / (times.calm.to - times.calm.from),
  };
}

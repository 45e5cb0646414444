import { faultKinds, faultNames } from "../faults/fault.ts";
import type { Evidence } from "./evidence.ts";
import { attemptsOf } from "./evidence.ts";

/** Things that a run must have met to have shown anything. */
export interface Sometimes {
  readonly name: string;
  readonly count: number;
  /** Whether the run fails without it. */
  readonly isNeeded: boolean;
}

const deadlock = "40P01";
const busy: ReadonlySet<string> = new Set(["40001", deadlock, "55P03"]);

const needed = (name: string, count: number): Sometimes => ({ name, count, isNeeded: true });

export function countSometimes(evidence: Evidence): readonly Sometimes[] {
  const { lines, commits, faults, journal } = evidence;
  const attempts = [...evidence.runs.values()].flatMap((run) => attemptsOf(run));
  const lost = attempts.filter(({ end }) => end === "lost");
  const zombies = lost.filter(({ key }) => evidence.ends.get(key)?.some(({ how }) => how !== "stopped") === true);
  const errors = lines.filter((line) => line.type === "error");
  const heard = new Map<string, number>();
  for (const { type, worker } of lines) if (type === "hearing") heard.set(worker, (heard.get(worker) ?? 0) + 1);
  return [
    needed("leases taken over", lost.length),
    needed("zombie results rejected", zombies.length),
    // Mostly the run has gone on, and the report is stale before its token is looked at.
    {
      name: "of which by their token alone",
      count: lines.filter((line) => line.type === "lost" && line.call === "commit").length,
      isNeeded: false,
    },
    needed("commits repeated after a lost answer", commits.filter(({ broken }) => broken > 0).length),
    needed("of which had been carried out", commits.filter(({ kind }) => kind === "repeat").length),
    needed("commits on top of unanswered ones, kept", commits.filter(({ isStacked }) => isStacked).length),
    needed("commits on top of unanswered ones, refused", lines.filter(({ type }) => type === "toppled").length),
    needed(
      "LISTEN reconnects",
      [...heard.values()].reduce((sum, times) => sum + times - 1, 0),
    ),
    needed(
      "statements refused as busy (locks, deadlocks) and repeated",
      errors.filter(({ state }) => busy.has(state ?? "")).length,
    ),
    { name: "deadlocks among them", count: errors.filter(({ state }) => state === deadlock).length, isNeeded: false },
    needed("calls of the store that failed", errors.length),
    needed(
      "F11 starts sent again with the same key",
      journal.filter((entry) => entry.type === "start" && entry.isAgain).length,
    ),
    needed("F11 starts refused: the key has another input", journal.filter(({ type }) => type === "conflict").length),
    needed("F11 cancels sent twice", journal.filter((entry) => entry.type === "cancel" && entry.isAgain).length),
    ...faultKinds.map((kind) =>
      needed(`${kind} ${faultNames[kind]}`, faults.filter((fault) => fault.kind === kind).length),
    ),
  ];
}

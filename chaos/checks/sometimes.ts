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

export function countSometimes(evidence: Evidence): readonly Sometimes[] {
  const { lines, commits, faults } = evidence;
  const attempts = [...evidence.runs.values()].flatMap((run) => attemptsOf(run));
  const lost = attempts.filter(({ end }) => end === "lost");
  const zombies = lost.filter(({ key }) => evidence.ends.get(key)?.some(({ how }) => how !== "stopped") === true);
  const errors = lines.filter((line) => line.type === "error");
  const hearings = lines.filter(({ type }) => type === "hearing").length;
  const processes = new Set(lines.map(({ worker }) => worker)).size;
  const needed = (name: string, count: number): Sometimes => ({ name, count, isNeeded: true });
  return [
    needed("leases taken over", lost.length),
    needed("zombie results rejected", zombies.length),
    needed("reports of lost leases that the store refused", lines.filter((line) => line.type === "lost" && line.call === "commit").length),
    needed("commits repeated after a lost answer", commits.filter(({ broken }) => broken > 0).length),
    needed("of which had been carried out", commits.filter(({ kind }) => kind === "repeat").length),
    needed("LISTEN reconnects", hearings - processes),
    needed("statements refused as busy (locks, deadlocks) and repeated", errors.filter(({ state }) => busy.has(state ?? "")).length),
    { name: "deadlocks among them", count: errors.filter(({ state }) => state === deadlock).length, isNeeded: false },
    needed("calls of the store that failed", errors.length),
    ...faultKinds.map((kind) => needed(`${kind} ${faultNames[kind]}`, faults.filter((fault) => fault.kind === kind).length)),
  ];
}

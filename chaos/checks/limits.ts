import { keyCaps, narrowCap, rate } from "../settings.ts";
import { allSteps } from "../workflows/spec.ts";
import { attemptsOf } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";
import type { Violation } from "./violation.ts";

/** The code of one attempt, as it took place. */
interface Interval {
  readonly from: number;
  readonly to: number;
  readonly run: string;
  readonly isLost: boolean;
}

export interface LimitCheck {
  readonly violations: readonly Violation[];
  /** Moments at which code of attempts that had lost their lease made a cap overrun. */
  readonly zombieOverlaps: number;
}

/** I10 and I11, of the code as it ran: caps by the oracle, rates by the store's instants of the claims. */
export function checkLimits(evidence: Evidence): LimitCheck {
  const violations: Violation[] = [...checkRate(evidence)];
  let zombieOverlaps = 0;
  for (const [name, { cap, intervals }] of intervalsByLimit(evidence)) {
    const held = overlapsOf(
      intervals.filter(({ isLost }) => !isLost),
      cap,
    );
    for (const { run, count } of held)
      violations.push({
        invariant: "I10",
        run,
        text: `${count} attempts at a time under \`${name}\`, at most ${cap} may be`,
      });
    zombieOverlaps += overlapsOf(intervals, cap).length - held.length;
  }
  return { violations, zombieOverlaps };
}

function intervalsByLimit(
  evidence: Evidence,
): ReadonlyMap<string, { readonly cap: number; readonly intervals: Interval[] }> {
  const caps = {
    ...Object.fromEntries(Object.entries(keyCaps).map(([key, cap]) => [`key:${key}`, cap])),
    "type:narrow": narrowCap,
  };
  const limits = new Map(Object.entries(caps).map(([name, cap]) => [name, { cap, intervals: new Array<Interval>() }]));
  for (const record of evidence.runs.values()) {
    const spec = evidence.specs.get(record.run.workflow);
    if (spec === undefined) continue;
    const names = new Map(allSteps(spec).map(({ id, action }) => [id, action.kind === "task" ? limitsOf(action) : []]));
    for (const { key, step, run, end } of attemptsOf(record)) {
      const from = evidence.begins.get(key)?.[0]?.mono;
      const to = evidence.ends.get(key)?.[0]?.mono;
      if (from === undefined || to === undefined) continue;
      for (const name of names.get(step) ?? [])
        limits.get(name)!.intervals.push({ from, to, run, isLost: end === "lost" });
    }
  }
  return limits;
}

const limitsOf = ({ type, key }: { readonly type: string; readonly key?: string }): readonly string[] => [
  ...(type === "narrow" ? ["type:narrow"] : []),
  ...(key === undefined ? [] : [`key:${key}`]),
];

/** Begins of code at which more than `cap` were under way. */
function overlapsOf(
  intervals: readonly Interval[],
  cap: number,
): readonly { readonly run: string; readonly count: number }[] {
  const found: { run: string; count: number }[] = [];
  let open: Interval[] = [];
  for (const interval of intervals.toSorted((a, b) => a.from - b.from)) {
    open = open.filter(({ to }) => to > interval.from);
    open.push(interval);
    if (open.length > cap) found.push({ run: interval.run, count: open.length });
  }
  return found;
}

/** GCRA over the claims that were answered: those whose answer was lost could only have put later ones off. */
function checkRate({ lines }: Evidence): readonly Violation[] {
  const claims = lines
    .flatMap((line) =>
      line.type === "claim" && line.handler === "rated" && line.claimedAt !== null
        ? [{ run: line.run, at: line.claimedAt }]
        : [],
    )
    .toSorted((a, b) => a.at - b.at);
  const interval = rate.perMs / rate.count;
  let arrival = 0;
  return claims.flatMap(({ run, at }) => {
    const earlyMs = arrival - (rate.burst - 1) * interval - at;
    arrival = Math.max(arrival, at) + interval;
    // The store's instants are whole milliseconds.
    return earlyMs <= 1 ? [] : [{ invariant: "I11", run, text: `a start of \`rated\` came ${earlyMs} ms too early` }];
  });
}

/** Something that must never be. */
export interface Violation {
  /** Number of the invariant in docs/reliability.md. */
  readonly invariant: string;
  readonly run: string | null;
  readonly text: string;
}

export const invariants: Readonly<Record<string, string>> = {
  I1: "a task has at most one accepted result, of the attempt whose token was current",
  I2: "a step starts only after its join held on accepted results",
  I3: "each step is released once",
  I4: "counters equal a recount",
  I5: "what has ended never changes",
  I6: "runs end as the model says",
  I7: "what was acknowledged is never lost",
  I8: "one idempotency key, one run",
  I9: "attempts stay within their limits",
  I10: "no cap is exceeded by live leases",
  I11: "no rate is exceeded",
  I12: "merged context depends on accepted outputs alone",
  I13: "after a cancel nothing starts, and running code hears of it",
  I14: "no timer fires early",
  I15: "event streams have no gaps and no doubles",
  I16: "nothing is left under a run that has ended, nor any process",
  I17: "every run ends once the faults have stopped",
  I18: "no worker ends by itself",
};

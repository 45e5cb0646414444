/**
 * What a process writes down of what it does, one line of JSON each, in a file of its own that nobody else touches. Instants are
 * `at` (milliseconds since 1970) and `mono` (monotonic milliseconds, the same clock in every process of the machine).
 */
export type OracleLine =
  | BeginLine
  | EndLine
  | ClaimLine
  | CommitLine
  | ToppledLine
  | LostLine
  | RevokedLine
  | ErrorLine
  | WellLine
  | HearingLine
  | MemoryLine;

interface Head {
  readonly worker: string;
  readonly at: number;
  readonly mono: number;
}

/** Names an attempt as trace events do: an ordinary step has task 0. */
export interface AttemptName {
  readonly run: string;
  readonly task: number;
  readonly attempt: number;
}

/** The code of an attempt begins. */
export interface BeginLine extends Head, AttemptName {
  readonly type: "begin";
  readonly step: string;
  readonly key: string;
  /** Fingerprints of the outputs that it sees of the steps it depends on; null where there is none. */
  readonly saw: Readonly<Record<string, string | null>>;
  /** The shared context as it sees it, where it looks. */
  readonly context: unknown;
}

/** The code of an attempt has ended. The line is written before the engine hears of it. */
export interface EndLine extends Head, AttemptName {
  readonly type: "end";
  readonly step: string;
  readonly how: "ok" | "failed" | "stopped";
  /** Why it was stopped. */
  readonly reason: string | null;
  /** What its output holds; no other attempt has the same. */
  readonly nonce: string | null;
}

/** The store gave a task to this worker: by a claim, or with a commit of its own. */
export interface ClaimLine extends Head, AttemptName {
  readonly type: "claim";
  readonly stepIndex: number;
  readonly token: string;
  readonly handler: string;
  /** The store's instant of the claim; null of what came with a commit. */
  readonly claimedAt: number | null;
  /** When the commit that brought it was sent first; of a claim the instant of the claim. */
  readonly grantedAt: number;
}

/** The store answered that a commit is part of the run. */
export interface CommitLine extends Head {
  readonly type: "commit";
  readonly run: string;
  readonly kind: "accepted" | "repeat";
  /** Numbers of its trace events; null without any. */
  readonly first: number | null;
  readonly last: number | null;
  /** Calls that broke before this answer. */
  readonly broken: number;
  /** Whether it was made on top of one that had no answer yet. */
  readonly isStacked: boolean;
}

/** The store refused a commit that was made on top of one without an answer. */
export interface ToppledLine extends Head {
  readonly type: "toppled";
  readonly run: string;
}

/** A sweep took an attempt's lease away: no result of it may be accepted from then on. */
export interface RevokedLine extends Head, AttemptName {
  readonly type: "revoked";
  readonly stepIndex: number;
}

/** The store refused a report because its lease is gone (`commit`), or would not renew one (`heartbeat`). */
export interface LostLine extends Head {
  readonly type: "lost";
  readonly call: "commit" | "heartbeat";
  readonly run: string;
}

/** A call of the store failed. */
export interface ErrorLine extends Head {
  readonly type: "error";
  readonly call: string;
  readonly code: string;
  /** SQLSTATE, or the code of the system. */
  readonly state: string | null;
}

/** A call of the store was answered after one had failed. */
export interface WellLine extends Head {
  readonly type: "well";
}

/** The connection that hears notifications came up. */
export interface HearingLine extends Head {
  readonly type: "hearing";
}

export interface MemoryLine extends Head {
  readonly type: "memory";
  readonly rssBytes: number;
}

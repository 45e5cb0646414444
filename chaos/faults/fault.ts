/** Kinds of faults, by their numbers in the catalogue of docs/reliability.md. */
export const faultKinds = ["F1", "F2", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F15", "F21"] as const;

export type FaultKind = (typeof faultKinds)[number];

export const faultNames: Readonly<Record<FaultKind, string>> = {
  F1: "worker killed (SIGKILL)",
  F2: "worker paused longer than its leases",
  F4: "PostgreSQL killed (SIGKILL)",
  F5: "PostgreSQL stopped (fast or immediate)",
  F6: "session terminated",
  F7: "network cut",
  F8: "half-open network",
  F9: "commits cut from their answers",
  F10: "latency",
  F15: "rows locked by a stranger, in the wrong order",
  F21: "worker asked to leave (SIGTERM)",
};

/** One fault that was carried out. Instants are monotonic milliseconds. */
export interface FaultRecord {
  readonly kind: FaultKind;
  /** The worker it hit, or what else. */
  readonly target: string;
  readonly begunAt: number;
  /** When its cause was gone; infinite while it lasts. */
  endedAt: number;
}

/** A fault of the schedule. */
export interface PlannedFault {
  readonly kind: FaultKind;
  /** Milliseconds after the begin of the faults. */
  readonly at: number;
  /** Chance for its details. */
  readonly seed: number;
}

import assert from "node:assert/strict";
import { RunRow } from "@braid/core";
import type { TraceEvent } from "@braid/core";
import type { Store } from "../port.ts";
import type { CommitAnswer, RunCommit } from "../run-commit.ts";

let ids = 0;

/** An identifier in the form of a UUID of version 7; later ones sort later. */
export function newId(): string {
  ids += 1;
  return `01900000-0000-7000-8000-${ids.toString(16).padStart(12, "0")}`;
}

type Traced = Partial<Omit<TraceEvent, "seq">>;

/** What one commit changes; everything else is empty. `trace` is numbered here. */
export type Change = Partial<Omit<RunCommit, "runId" | "trace">> & { readonly trace?: readonly Traced[] };

/** Plays the host of one run: keeps its row and version, and turns changes into commits. */
export class RunDriver {
  readonly store: Store;
  readonly id: string;
  readonly row = new RunRow();
  version = 0;

  constructor(store: Store, id: string) {
    this.store = store;
    this.id = id;
  }

  /** A commit that is not sent yet. It always brings the run's row. */
  next(change: Change = {}): RunCommit {
    const { trace = [], ...rest } = change;
    const { traceSeq } = this.row;
    const usual = { type: "task.started", at: 1_000, step: 0, task: 0, attempt: 1, data: null } as const;
    const events = trace.map((event, index): TraceEvent => Object.assign({ seq: traceSeq + 1 + index }, usual, event));
    const run = Object.assign(new RunRow(), this.row, rest.run, { traceSeq: traceSeq + events.length });
    return {
      runId: this.id,
      commitId: newId(),
      expectedVersion: this.version,
      fences: [],
      steps: [],
      enqueue: [],
      cancels: [],
      closes: [],
      payloads: [],
      runOutput: null,
      usedSignals: [],
      ...rest,
      run,
      trace: events,
    };
  }

  /** Sends a commit and, if it was accepted, goes on from it. */
  async send(commit: RunCommit): Promise<CommitAnswer> {
    const [answer] = (await this.store.commit([commit])).answers;
    assert.ok(answer !== undefined, "a commit has an answer");
    if (answer.kind === "accepted") {
      this.version = answer.version;
      if (commit.run !== null) Object.assign(this.row, commit.run);
    }
    return answer;
  }

  /** Commits a change that has to be accepted. */
  async commit(change: Change = {}): Promise<Extract<CommitAnswer, { kind: "accepted" | "repeat" }>> {
    const answer = await this.send(this.next(change));
    assert.ok(answer.kind === "accepted", `expected the commit to be accepted: ${JSON.stringify(answer)}`);
    return answer;
  }
}

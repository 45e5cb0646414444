import type { CommitAnswer } from "../store/run-commit.ts";
import type { Accepted } from "./aftermath.ts";
import { EngineError } from "./errors.ts";
import type { LoopContext } from "./loop-context.ts";
import type { Outbox, Outcome, Report } from "./outbox.ts";
import type { RunTurns } from "./run-turns.ts";
import type { RunWork } from "./run-work.ts";

const isAccepted = (answer: CommitAnswer): answer is Accepted => answer.kind === "accepted" || answer.kind === "repeat";

/**
 * What follows from the answers to commits.
 *
 * A refused commit is undone, and with it what was computed on top of it, whose commit is then refused as well. Their
 * reports are applied again to the newer state, in the same order; those of leases that are gone are dropped.
 */
export class BatchAnswers {
  readonly #context: LoopContext;
  readonly #turns: RunTurns;
  readonly #outbox: Outbox;

  constructor(parts: { readonly context: LoopContext; readonly turns: RunTurns; readonly outbox: Outbox }) {
    this.#context = parts.context;
    this.#turns = parts.turns;
    this.#outbox = parts.outbox;
  }

  take(work: RunWork, answer: CommitAnswer): void {
    const { run } = work;
    run.works -= 1;
    const { isUndone } = work;
    work.setAnswered();
    // With the one below it: its reports are back already. If it was accepted all the same, they turn out to be stale.
    if (isUndone) run.isBehind ||= isAccepted(answer);
    else if (isAccepted(answer)) this.#accept(work, answer);
    else this.#refuse(work, answer, this.#undo(work));
  }

  #accept(work: RunWork, answer: Accepted): void {
    const { suspects, contended } = this.#turns;
    suspects.delete(work.run.id);
    if (work.draft.finished !== null) contended.delete(work.run.id);
    work.run.version = answer.version;
    // A chain of works that are over must not keep each other in memory.
    work.above = null;
    this.#context.onAccepted(work, answer);
    for (const { report, ignored } of work.applied) report.settle?.(outcomeOf(ignored));
  }

  /** Undoes a work and what is on top of it; answers the reports of the latter, or those that were to be applied there. */
  #undo(work: RunWork): readonly Report[] {
    const { above, next } = work;
    above?.undo();
    work.undo();
    return above === null ? next : above.taken;
  }

  /** Puts the reports back that are to be applied again, and behind them those that came on top (`above`). */
  #refuse(work: RunWork, answer: Exclude<CommitAnswer, Accepted>, above: readonly Report[]): void {
    const { run, taken } = work;
    switch (answer.kind) {
      case "conflict":
        run.isBehind = true;
        if (this.#context.hasLocks) this.#turns.contend(run.id);
        this.#outbox.putBack(run.id, [...taken, ...above]);
        return;
      case "fenced": {
        run.isBehind = true;
        const gone = new Set(answer.fences.map(({ token }) => token));
        const isFenced = ({ fence }: Report): boolean => fence !== null && gone.has(fence.token);
        this.#outbox.putBack(run.id, [...taken.filter((report) => !isFenced(report)), ...above]);
        for (const report of taken) if (isFenced(report)) report.settle?.({ kind: "fenced" });
        return;
      }
      case "rejected":
        this.#outbox.putBack(run.id, [...this.#reject(work, answer.message), ...above]);
        return;
      default:
        answer satisfies never;
    }
  }

  /**
   * Data that cannot be stored fails the one task it came from; to find it, the reports are tried one by one. Answers those that
   * are to be applied again.
   */
  #reject(work: RunWork, message: string): readonly Report[] {
    const { id } = work.run;
    if (work.taken.length > 1) {
      this.#turns.suspects.add(id);
      return work.taken;
    }
    this.#turns.suspects.delete(id);
    const [report] = work.taken;
    if (report === undefined) return [];
    const { event } = report;
    if (event?.type === "task.completed") {
      const { at, step, task, attempt } = event;
      const error = { code: "payload_invalid", message: `The store cannot keep the output: ${message}` };
      const failed = { type: "task.failed", at, step, task, attempt, error, retryable: false } as const;
      return [{ ...report, event: failed, payload: null, bytes: 0 }];
    }
    const what = event?.type ?? report.kind;
    const error = new EngineError(
      "engine_fault",
      `The store cannot keep what \`${what}\` made of run \`${id}\`: ${message}`,
    );
    report.settle?.({ kind: "failed", error });
    return [];
  }

  /**
   * Nothing has changed. Before a report is dropped as stale the run is read once more: it may be this copy that is
   * behind.
   */
  settleIdle(work: RunWork): void {
    work.run.works -= 1;
    work.setAnswered();
    const again: Report[] = [];
    for (const { report, ignored } of work.applied) {
      if (ignored !== null && !report.isChecked) again.push({ ...report, isChecked: true });
      else report.settle?.(outcomeOf(ignored));
    }
    if (again.length > 0) work.run.isBehind = true;
    this.#outbox.putBack(work.run.id, again);
    this.#context.onIdle(work);
  }
}

const outcomeOf = (ignored: string | null): Outcome =>
  ignored === null ? { kind: "accepted" } : { kind: "ignored", reason: ignored };

import type { CancelAnswer, CommitAnswer } from "../store/run-commit.ts";
import type { Alarm } from "./alarm.ts";
import type { Children } from "./children.ts";
import type { Crew } from "./crew.ts";
import type { EventHub } from "./event-hub.ts";
import { eventReport } from "./outbox.ts";
import type { Report } from "./outbox.ts";
import type { RunCache } from "./run-cache.ts";
import type { CachedRun } from "./run-cache.ts";
import type { RunWork } from "./run-work.ts";
import type { ValueCache } from "./value-cache.ts";

export interface AftermathContext {
  readonly runs: RunCache;
  readonly values: ValueCache;
  readonly crew: Crew;
  readonly hub: EventHub;
  readonly alarm: Alarm;
  readonly children: Children;
  now(): number;
  report(report: Report): void;
  /** A run whose workflow limits its runs has ended. */
  onGroupFree(run: CachedRun): void;
}

export type Accepted = Extract<CommitAnswer, { readonly kind: "accepted" | "repeat" }>;

/** What follows from a commit that was accepted, in this order: values, attempts, answers, listeners, other runs. */
export function applyAftermath(work: RunWork, answer: Accepted, context: AftermathContext): void {
  const { run, draft } = work;
  const { runs, values, crew, hub, children } = context;
  runs.keep(run);
  const place = { runId: run.id, epoch: run.state.run.epoch };
  for (const { write, bytes } of draft.payloads) values.accept(place, write, bytes);
  let isAnyQueued = false;
  for (const { step, task, attempt, lease } of draft.enqueue.all) {
    if (lease === null) isAnyQueued = true;
    else crew.begin(run, { step, task, attempt }, lease);
  }
  if (isAnyQueued) crew.hint();
  for (const cancel of answer.cancels) answerCancel(work, cancel, context);
  setAlarm(run, context);
  hub.publish(run, draft.trace);
  for (const command of draft.children) children.carryOut(run, command);
  if (draft.finished === null) return;
  void children.deliver(run);
  if (run.info.plan.host.concurrency !== null) context.onGroupFree(run);
}

/** What follows from a look at a run that changed nothing. */
export function applyIdle(work: RunWork, context: AftermathContext): void {
  setAlarm(work.run, context);
  // A child that is due: its parent does not know yet that it has ended.
  if (work.draft.finished !== null) void context.children.deliver(work.run);
}

/** The run's next timer rings here if somebody here works on it. */
function setAlarm(run: CachedRun, { alarm, crew }: AftermathContext): void {
  const { wakeAt } = run.state.run;
  alarm.set(run.id, wakeAt === null || !crew.serves(run) ? null : wakeAt);
}

/** The kernel is told what the attempt was when it was asked to stop; one that runs here hears of it at once. */
function answerCancel(work: RunWork, answer: CancelAnswer, context: AftermathContext): void {
  const { run, draft } = work;
  const { step, task, attempt, outcome, claimedAt } = answer;
  const key = { step, task, attempt };
  switch (outcome) {
    case "withdrawn":
      context.report(eventReport(run.id, { type: "task.canceled", at: context.now(), ...key, started: false }));
      return;
    case "claimed": {
      // The kernel may know already that it has started.
      const started = { type: "task.started", at: claimedAt ?? context.now(), ...key } as const;
      context.report(eventReport(run.id, started, { isChecked: true }));
      const request = draft.cancels.find((cancel) => cancel.step === step && cancel.task === task);
      if (request?.ifQueued === false) context.crew.stop(run.id, key, "canceled");
      return;
    }
    case "gone":
      // Its lease was revoked: whoever did so reports it as lost, now or when the store reminds somebody of it.
      return;
    default:
      outcome satisfies never;
  }
}

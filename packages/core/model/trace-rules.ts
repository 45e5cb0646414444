import type { TraceEvent } from "../src/kernel/trace.ts";
import type { Plan } from "../src/plan/plan.ts";
import type { Recorded } from "./record.ts";

const ENDS: ReadonlySet<string> = new Set(["completed", "failed", "skipped", "canceled"]);

/** Everything that is wrong with the order of a trace. */
export function checkTrace(plan: Plan, recorded: readonly Recorded[]): string[] {
  const problems: string[] = [];
  const rules = new TraceRules(plan, problems);
  let seq = 0;
  for (const { event, done } of recorded) {
    if (event.type === "run.retry" && done.ignored === null) rules.newEpoch();
    for (const one of done.trace) {
      seq += 1;
      if (one.seq !== seq) problems.push(`trace event ${seq} has the number ${one.seq}`);
      rules.see(one);
    }
  }
  return problems;
}

/** What has been traced so far in this epoch. */
class TraceRules {
  readonly #plan: Plan;
  readonly #problems: string[];
  #ended = new Set<number>();
  /** Steps that ended in an earlier epoch: they may run again, or be left as they are. */
  #endedBefore = new Set<number>();
  #ready = new Set<number>();
  #started = new Set<number>();
  #openAttempts = new Set<string>();
  #isOver = false;
  #at = 0;

  constructor(plan: Plan, problems: string[]) {
    this.#plan = plan;
    this.#problems = problems;
  }

  newEpoch(): void {
    this.#endedBefore = new Set([...this.#endedBefore, ...this.#ended]);
    this.#ended = new Set();
    this.#ready = new Set();
    this.#started = new Set();
    this.#isOver = false;
  }

  see(event: TraceEvent): void {
    const { type, step, at } = event;
    if (this.#isOver) this.#complain(event, "comes after the end of the run");
    if (at < this.#at) this.#complain(event, "is earlier than the one before");
    this.#at = at;
    const [subject = "", verb = ""] = type.split(".");
    if (subject === "run") {
      if (!ENDS.has(verb)) return;
      this.#isOver = true;
      if (this.#openAttempts.size > 0) this.#complain(event, `comes while ${[...this.#openAttempts].join()} are open`);
      return;
    }
    if (this.#ended.has(step)) this.#complain(event, "comes after the end of its step");
    // Items leave no events of a step of their own.
    const isItem = this.#plan.steps[step]!.isMap && event.task >= 0;
    if (subject === "step" && verb !== "retrying" && isItem) this.#complain(event, `is about item ${event.task}`);
    if (subject === "task") this.#seeTask(event, verb);
    else if (ENDS.has(verb)) this.#seeEnd(event, verb);
    else if (verb === "ready") this.#seeReady(event);
    else if (verb === "started") this.#seeStart(event);
  }

  #seeTask(event: TraceEvent, verb: string): void {
    const key = `${event.step}:${event.task}:${event.attempt}`;
    if (verb === "started") {
      if (this.#openAttempts.has(key)) this.#complain(event, "comes twice");
      this.#openAttempts.add(key);
    } else if (!this.#openAttempts.delete(key)) this.#complain(event, "ends an attempt that has not started");
  }

  #seeReady(event: TraceEvent): void {
    if (this.#ready.has(event.step)) this.#complain(event, "comes twice");
    if (this.#started.has(event.step)) this.#complain(event, "comes after the start");
    this.#ready.add(event.step);
  }

  #seeStart(event: TraceEvent): void {
    if (this.#started.has(event.step)) this.#complain(event, "comes twice");
    this.#started.add(event.step);
  }

  #seeEnd(event: TraceEvent, verb: string): void {
    const { step } = event;
    const mustHaveStarted = verb === "completed" || verb === "canceled";
    const isAgain = this.#endedBefore.has(step);
    if (verb === "skipped" && this.#started.has(step)) this.#complain(event, "skips a step that has started");
    if (mustHaveStarted && !isAgain && !this.#started.has(step)) this.#complain(event, "comes before the start");
    const { body, isMap } = this.#plan.steps[step]!;
    const members = body === null || isMap ? [] : this.#visibleMembers(body);
    for (const member of members) {
      const isLeft = this.#endedBefore.has(member);
      if (!this.#ended.has(member) && !isLeft)
        this.#complain(event, `comes before the end of ${this.#plan.steps[member]!.id}`);
    }
    for (const key of this.#openAttempts) {
      if (key.startsWith(`${step}:`)) this.#complain(event, `comes while the attempt ${key} is open`);
    }
    this.#ended.add(step);
  }

  /** Hidden steps leave no trace; what they hold is as good as a member of the scope around them. */
  #visibleMembers(scope: number): readonly number[] {
    return this.#plan.scopes[scope]!.members.flatMap((member) => {
      const { hidden, body } = this.#plan.steps[member]!;
      return hidden && body !== null ? this.#visibleMembers(body) : [member];
    });
  }

  #complain(event: TraceEvent, problem: string): void {
    this.#problems.push(`${event.type} of ${this.#plan.steps[event.step]?.id ?? "the run"} (#${event.seq}) ${problem}`);
  }
}

import type { Command, Plan, RunEvent, RunState, TraceEvent } from "../src/index.ts";
import { checkInvariants, createState, dueTimers, itemRow, stepRow, transition } from "../src/index.ts";
import type { Answer, Scenario } from "./scenario.ts";

type Outcome = "completes" | "fails" | "stops" | "is lost";

/**
 * Plays a scenario on the kernel. Workers take every queued task at once, unless it is held; evaluations are answered at once.
 *
 * Events: `start`, `a completes`, `a completes with port x`, `a fails`, `a fails CODE`, `a fails for good`, `a fails, retry after 3s`,
 * `a is lost`, `a stops`, `a[1] completes`, `worker takes a`, `a is withdrawn`, `5s pass`, `signal a`, `a is approved`,
 * `a is rejected`, `child of a completes|fails|is canceled`, `cancel`, `pause`, `resume`, `retry`, `retry from a`,
 * `retry only a`.
 * Changes: `a starts`, `a completed`, `a failed CODE`, `a skipped REASON`, `a canceled CAUSE`, `a waits for REASON`,
 * `a retries in 2s`, `a queued` (held), `stop a` (its running attempt is told to stop), `withdraw a`, `run completed`.
 */
export class Player {
  readonly #plan: Plan;
  readonly #scenario: Scenario;
  readonly state: RunState;
  #now = 0;
  #lines: string[] = [];

  constructor(plan: Plan, scenario: Scenario) {
    this.#plan = plan;
    this.#scenario = scenario;
    this.state = createState(plan, "run");
  }

  /** Applies one event of the play and answers the changes. */
  play(text: string): readonly string[] {
    this.#lines = [];
    for (const event of this.#read(text)) this.#apply(event);
    return this.#lines;
  }

  #apply(event: RunEvent): void {
    const result = transition(this.#plan, this.state, event);
    if (result.ignored !== null) this.#lines.push(`ignored: ${result.ignored}`);
    for (const change of result.trace) this.#describe(change);
    checkInvariants(this.state);
    const held = this.#scenario.held ?? [];
    const answers: RunEvent[] = [];
    for (const command of result.commands) answers.push(...this.#obey(command, held));
    for (const answer of answers) this.#apply(answer);
  }

  #obey(command: Command, held: readonly string[]): RunEvent[] {
    const at = this.#now;
    switch (command.type) {
      case "evaluate":
        return [command.step < 0 ? this.#outputEvaluated() : this.#evaluated(command.step, command.task)];
      case "startTask": {
        const { step, task, attempt } = command;
        if (!held.includes(this.#name(step, task))) return [{ type: "task.started", at, step, task, attempt }];
        this.#lines.push(`${this.#name(step, task)} queued`);
        return [];
      }
      case "cancelTask":
        return this.#cancel(command);
      case "setTimer":
        if (this.#scenario.isDetailed === true)
          this.#lines.push(`timer ${command.timer} of ${this.#nameOrRun(command)} at ${command.at}`);
        return [];
      case "cancelChild":
        this.#lines.push(`stop child of ${this.#name(command.step, command.task)}`);
        return [];
      default:
        return [];
    }
  }

  #cancel(command: Command & { type: "cancelTask" }): RunEvent[] {
    const name = this.#name(command.step, command.task);
    const { step, task, attempt } = command;
    const row = task < 0 ? stepRow(this.state, step) : itemRow(this.state, step, task);
    this.#lines.push(row?.status === "queued" ? `withdraw ${name}` : `stop ${name}`);
    return row?.status === "queued"
      ? [{ type: "task.canceled", at: this.#now, step, task, attempt, started: false }]
      : [];
  }

  #outputEvaluated(): RunEvent {
    const answer = this.#scenario.answers?.["output"];
    return { type: "run.evaluated", at: this.#now, ...(answer?.error === undefined ? {} : { error: answer.error }) };
  }

  #evaluated(step: number, task: number): RunEvent {
    const answer: Answer = this.#scenario.answers?.[this.#name(step, task)] ?? {};
    const { items } = this.#plan.steps[step]!.host.control;
    const count = answer.items ?? (Array.isArray(items) ? items.length : 0);
    const isMap = this.#plan.steps[step]!.isMap && task < 0;
    return { type: "step.evaluated", at: this.#now, step, task, ...answer, ...(isMap ? { items: count } : {}) };
  }

  #read(text: string): RunEvent[] {
    const at = this.#now;
    if (text === "create") return [{ type: "run.create", at }];
    if (text === "start")
      return [
        { type: "run.create", at },
        { type: "run.start", at },
      ];
    if (text === "cancel" || text === "pause" || text === "resume") return [{ type: `run.${text}`, at }];
    const retry = /^retry(?: (from|only) (\S+))?$/.exec(text);
    if (retry !== null) {
      return [{ type: "run.retry", at, ...(retry[1] === undefined ? {} : { [retry[1]]: this.#index(retry[2]!) }) }];
    }
    const pass = /^(\d+)(ms|s) pass$/.exec(text);
    if (pass !== null) return this.#pass(Number(pass[1]) * (pass[2] === "s" ? 1000 : 1));
    const taken = /^worker takes (\S+)$/.exec(text);
    if (taken !== null) return [{ type: "task.started", at, ...this.#task(taken[1]!) }];
    return this.#readTask(text);
  }

  /** Time goes on to each timer in turn, since one may open another. */
  #pass(durationMs: number): RunEvent[] {
    const end = this.#now + durationMs;
    for (;;) {
      const { wakeAt } = this.state.run;
      if (wakeAt === null || wakeAt > end) break;
      this.#now = wakeAt;
      for (const event of dueTimers(this.state, wakeAt)) this.#apply(event);
    }
    this.#now = end;
    return [];
  }

  #readTask(text: string): RunEvent[] {
    const at = this.#now;
    const signal = /^signal (\S+)$/.exec(text) ?? /^(\S+) is (approved|rejected)$/.exec(text);
    if (signal !== null) {
      const { step, task } = this.#task(signal[1]!);
      const row = task < 0 ? stepRow(this.state, step) : itemRow(this.state, step, task);
      const verdict = (signal[2] ?? "signal") as "approved" | "rejected" | "signal";
      return [{ type: "signal.received", at, step, task, name: row?.signal ?? "", verdict }];
    }
    const child = /^child of (\S+) (completes|fails|is canceled)$/.exec(text);
    if (child !== null) {
      const status = child[2] === "completes" ? "completed" : child[2] === "fails" ? "failed" : "canceled";
      return [{ type: "child.settled", at, ...this.#task(child[1]!), status }];
    }
    const parts = /^(\S+) (completes|fails|stops|is lost|is withdrawn)(.*)$/.exec(text);
    if (parts === null) throw new Error(`The play does not know \`${text}\`.`);
    const key = this.#task(parts[1]!);
    if (parts[2] === "is withdrawn") return [{ type: "task.canceled", at, ...key, started: false }];
    return [this.#result(parts[2] as Outcome, parts[3]!, key)];
  }

  #result(outcome: Outcome, detail: string, key: { step: number; task: number; attempt: number }): RunEvent {
    const at = this.#now;
    if (outcome === "stops") return { type: "task.canceled", at, ...key, started: true };
    if (outcome === "is lost") return { type: "task.lost", at, ...key };
    if (outcome === "completes") {
      const port = /^ with port (\S+)$/.exec(detail)?.[1];
      return { type: "task.completed", at, ...key, ...(port === undefined ? {} : { activePorts: [port] }) };
    }
    const after = /, retry after (\d+)s$/.exec(detail)?.[1];
    const code = /^ ([a-z_]+)$/.exec(detail)?.[1] ?? "exit_code";
    return {
      type: "task.failed",
      at,
      ...key,
      error: { code, message: "it failed" },
      ...(detail === " for good" ? { retryable: false } : {}),
      ...(after === undefined ? {} : { retryAfterMs: Number(after) * 1000 }),
    };
  }

  #describe({ type, step, task, data, attempt }: TraceEvent): void {
    const isDetailed = this.#scenario.isDetailed === true;
    if (step < 0) {
      if (type !== "run.queued" && type !== "run.started") this.#lines.push(type.replace(".", " "));
      return;
    }
    const name = this.#name(step, type.startsWith("step.") && type !== "step.retrying" ? -1 : this.#itemOf(step, task));
    if (type.startsWith("task.")) {
      if (isDetailed || (this.#itemOf(step, task) >= 0 && type !== "task.started")) {
        this.#lines.push(`${name} attempt ${attempt} ${type.slice(5)}`);
      }
      return;
    }
    const line = changeText(type, data);
    if (line !== null || isDetailed) this.#lines.push(`${name} ${line ?? "ready"}`);
  }

  #itemOf(step: number, task: number): number {
    return this.#plan.steps[step]!.isMap ? task : -1;
  }

  #name(step: number, task: number): string {
    const { id } = this.#plan.steps[step]!;
    return task < 0 ? id : `${id}[${task}]`;
  }

  #nameOrRun({ step, task }: { step: number; task: number }): string {
    return step < 0 ? "the run" : this.#name(step, task);
  }

  #index(id: string): number {
    const step = this.#plan.steps.find((candidate) => candidate.id === id);
    if (step === undefined) throw new Error(`The play names \`${id}\`, which is no step.`);
    return step.index;
  }

  #task(name: string): { step: number; task: number; attempt: number } {
    const parts = /^([^[]+)(?:\[(\d+)\])?$/.exec(name)!;
    const step = this.#index(parts[1]!);
    const task = parts[2] === undefined ? -1 : Number(parts[2]);
    const row = task < 0 ? stepRow(this.state, step) : itemRow(this.state, step, task);
    return { step, task, attempt: row?.attempt ?? 0 };
  }
}

function changeText(type: string, data: Readonly<Record<string, unknown>> | null): string | null {
  switch (type) {
    case "step.ready":
      return null;
    case "step.started":
      return "starts";
    case "step.completed":
      return "completed";
    case "step.failed":
      return `failed ${(data!["error"] as { code: string }).code}`;
    case "step.skipped":
      return `skipped ${String(data!["reason"])}`;
    case "step.canceled":
      return `canceled ${String(data!["cause"])}`;
    case "step.waiting":
      return `waits for ${String(data!["reason"])}`;
    case "step.retrying":
      return `retries in ${Number(data!["delayMs"]) / 1000}s`;
    default:
      throw new Error(`No text for ${type}.`);
  }
}

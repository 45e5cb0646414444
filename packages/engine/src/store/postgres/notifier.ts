import type { Link, Statement } from "./link.ts";
import type { Message } from "./change-listener.ts";

/** Pause between two notifications; those that bring work or a stop do not wait longer than the first. */
const urgentGapMs = 5;
const idleGapMs = 50;

/** A notification of 8,000 bytes is refused. */
const mostRuns = 100;
const mostQueueBytes = 3_000;

const notify: Statement = { name: "notify", text: "select pg_notify($1, $2)" };

/**
 * Tells other processes what may have changed. Never within a commit, where a notification would make all commits wait for each
 * other, and never more than one at a time: what comes meanwhile goes together with the next.
 */
export class Notifier {
  readonly #link: Link;
  readonly #channel: string;
  readonly #self: string;
  readonly #queues = new Set<string>();
  readonly #runs = new Set<string>();
  #isStopAsked = false;
  #isDue = false;
  #timer: NodeJS.Timeout | null = null;
  #isTimerUrgent = false;
  #isSending = false;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(parts: { readonly link: Link; readonly channel: string; readonly self: string }) {
    this.#link = parts.link;
    this.#channel = parts.channel;
    this.#self = parts.self;
  }

  /** A run may have changed. */
  run(runId: string): void {
    // More than can be named is anything, so there is no need to remember more.
    if (this.#runs.size <= mostRuns) this.#runs.add(runId);
    this.#call(false);
  }

  /** A queue may hold new tasks. */
  queue(name: string): void {
    this.#queues.add(name);
    this.#call(true);
  }

  /** A running attempt was asked to stop. */
  stop(): void {
    this.#isStopAsked = true;
    this.#call(true);
  }

  /** A signal has come. */
  due(): void {
    this.#isDue = true;
    this.#call(true);
  }

  /** What was not sent yet is sent before the connection goes. */
  async flush(): Promise<void> {
    if (this.#timer !== null) await this.#send();
  }

  #call(isUrgent: boolean): void {
    if (this.#isSending || (this.#timer !== null && (this.#isTimerUrgent || !isUrgent))) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const gap = isUrgent ? urgentGapMs : idleGapMs;
    const wait = Math.max(isUrgent ? 0 : idleGapMs, this.#lastAt + gap - performance.now());
    this.#isTimerUrgent = isUrgent;
    this.#timer = setTimeout(() => void this.#send(), wait);
  }

  async #send(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isSending = true;
    this.#lastAt = performance.now();
    try {
      await this.#link.rows(notify, [this.#channel, this.#take()]);
    } catch {
      // It was a hint only; whoever waits for it polls.
    }
    this.#isSending = false;
    if (this.#queues.size > 0 || this.#isStopAsked || this.#isDue) this.#call(true);
    else if (this.#runs.size > 0) this.#call(false);
  }

  #take(): string {
    const queues = [...this.#queues];
    const isTooMuch = queues.reduce((sum, name) => sum + Buffer.byteLength(name) * 2, 0) > mostQueueBytes;
    const runs = this.#runs.size > mostRuns ? null : [...this.#runs];
    const parts = {
      ...(queues.length === 0 ? {} : { q: queues }),
      ...(this.#isStopAsked ? ({ s: 1 } as const) : {}),
      ...(this.#isDue ? ({ d: 1 } as const) : {}),
      ...(runs?.length === 0 ? {} : { r: runs }),
    };
    // A message without parts says that anything may have changed.
    const message: Message = { from: this.#self, ...(isTooMuch ? {} : parts) };
    this.#queues.clear();
    this.#runs.clear();
    this.#isStopAsked = false;
    this.#isDue = false;
    return JSON.stringify(message);
  }
}

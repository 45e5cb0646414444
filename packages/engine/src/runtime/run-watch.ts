import { describeTrace, isTerminal } from "@braid/core";
import type { TraceEvent } from "@braid/core";
import type { PublicTraceEvent } from "../engine.ts";
import type { Store } from "../store/port.ts";
import type { Clock } from "./clock.ts";
import { EngineError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import type { CachedRun, RunCache } from "./run-cache.ts";

/** Events that are read at a time. */
const PAGE = 500;

/**
 * Events of this process that are kept for a listener who has not come for them; beyond it, they are read from the
 * store.
 */
const MOST_BUFFERED = 10_000;

/**
 * How soon a listener looks without having been told, because hints may get lost; less and less often while nothing
 * comes.
 */
const FIRST_LOOK_MS = 1_000;
const LAST_LOOK_MS = 8_000;

export interface WatchContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly hub: EventHub;
  readonly runs: RunCache;
  /** Keeps the engine told of other processes for as long as somebody watches; returns a function that ends it. */
  holdHints(): () => void;
  /** Repeats a read of the store until it answers. */
  persist<Answer>(what: string, read: () => Promise<Answer>): Promise<Answer>;
  fault(): EngineError | null;
}

/** Somebody who waits for news: from this process, of another one, or for the time after which to look unasked. */
class Ear {
  readonly #context: WatchContext;
  readonly #stops: readonly (() => void)[];
  #isTold = false;
  #lookMs = FIRST_LOOK_MS;
  #wake: (() => void) | null = null;

  /** `onNews` is told what this process commits, and answers whether it is worth waking up for. */
  constructor(context: WatchContext, runId: string, onNews: (run: CachedRun, trace: readonly TraceEvent[]) => boolean) {
    this.#context = context;
    const listener: Parameters<EventHub["listen"]>[1] = (news) => {
      if (news === null || onNews(news.run, news.trace)) this.#tell();
    };
    this.#stops = [context.holdHints(), context.hub.listen(runId, listener)];
  }

  async wait(): Promise<void> {
    if (!this.#isTold) {
      await new Promise<void>((resolve) => {
        const cancel = this.#context.clock.after(this.#lookMs, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#lookMs = this.#isTold ? FIRST_LOOK_MS : Math.min(LAST_LOOK_MS, this.#lookMs * 2);
    this.#isTold = false;
    const fault = this.#context.fault();
    if (fault !== null) throw fault;
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #tell(): void {
    this.#isTold = true;
    this.#wake?.();
  }
}

/** Follows runs as they go on, in this process or another. */
export class RunWatch {
  readonly #context: WatchContext;

  constructor(context: WatchContext) {
    this.#context = context;
  }

  /** Every event after `after`, in order and without a gap, until the run has ended. */
  async *events(runId: string, after: number): AsyncGenerator<PublicTraceEvent> {
    let buffer: TraceEvent[] = [];
    const ear = new Ear(this.#context, runId, (_, trace) => {
      if (buffer.length < MOST_BUFFERED) for (const event of trace) buffer.push(event);
      return true;
    });
    let last = after;
    let hasEnded = false;
    try {
      const { plan } = (await this.#find(runId, false)).info;
      for (;;) {
        let events = following(buffer, last);
        buffer = [];
        if (events.length === 0) events = await this.#readTrace(runId, last);
        for (const event of events) {
          last = event.seq;
          hasEnded = isEnd(event);
          yield describeTrace(plan, runId, event);
        }
        if (events.length > 0) continue;
        // Nothing is left. A run that had ended before `after` has no event that says so.
        if (hasEnded || (await this.#isOver(runId, last))) return;
        await ear.wait();
      }
    } finally {
      ear.close();
    }
  }

  /**
   * The run once it satisfies `isDone`; it is looked at whenever it may have changed. `mayEnd`: whether the event may be what it
   * waits for.
   */
  async until(
    runId: string,
    isDone: (run: CachedRun) => boolean,
    mayEnd: (run: CachedRun, event: TraceEvent) => boolean,
  ): Promise<CachedRun> {
    let found: CachedRun | null = null;
    const ear = new Ear(this.#context, runId, (run, trace) => {
      // What batches under way have made of the copy in memory is not true yet: only the events say what is.
      if (run.isOpen) return trace.some((event) => mayEnd(run, event));
      if (isDone(run)) found = run;
      return found !== null;
    });
    try {
      const known = this.#context.runs.peek(runId);
      // What a batch has made of the copy in memory may come to nothing, but only a retry of the run makes undone what was
      // done: what is not done even there needs no read, and the listener is told of the rest.
      let run = known?.isOpen === true && !isDone(known) ? known : await this.#find(runId, false);
      while (!isDone(run)) {
        await ear.wait();
        if (found !== null) return found;
        // Another process may have changed any run: a look at its version is cheap, and reading a large run is not.
        const context = this.#context;
        const peeked = await context.persist("look at a run", () => context.store.peek(runId));
        if (peeked?.version !== run.version || run.isOpen) run = await this.#find(runId, true);
      }
      return run;
    } finally {
      ear.close();
    }
  }

  #readTrace(runId: string, after: number): Promise<readonly TraceEvent[]> {
    const context = this.#context;
    return context.persist("read the trace of a run", () => context.store.readTrace(runId, after, PAGE));
  }

  async #isOver(runId: string, last: number): Promise<boolean> {
    const { run } = (await this.#find(runId, true)).state;
    return isTerminal(run.status) && run.traceSeq <= last;
  }

  /** The run as the last commit has left it: the copy in memory, or with `fresh` what the store has now. */
  async #find(runId: string, fresh: boolean): Promise<CachedRun> {
    const { runs } = this.#context;
    const known = runs.peek(runId);
    if (fresh && known !== undefined) known.isBehind = true;
    // A batch may have changed the copy in memory in ways that are not committed yet.
    const read = (): Promise<CachedRun | null> => (known?.isOpen === true ? runs.read(runId) : runs.get(runId, 0));
    const run = await this.#context.persist("load a run", read);
    if (run === null) throw new EngineError("unknown_run", `There is no run \`${runId}\`.`);
    return run;
  }
}

/** The part of a buffer that follows `last` without a gap. */
function following(buffer: readonly TraceEvent[], last: number): readonly TraceEvent[] {
  const found: TraceEvent[] = [];
  let next = last + 1;
  for (const event of buffer) {
    if (event.seq !== next) continue;
    found.push(event);
    next += 1;
  }
  return found;
}

export const isEnd = ({ type }: Pick<TraceEvent, "type">): boolean =>
  type === "run.completed" || type === "run.failed" || type === "run.canceled";

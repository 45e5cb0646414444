import { isTerminal } from "@braid/core";
import { rowKey } from "./row-key.ts";
import { allRows } from "./run-cache.ts";
import type { CachedRun } from "./run-cache.ts";

/**
 * What of a run is neither under a lease nor behind a timer or a signal, so that nobody would come back to it if this
 * process died: evaluations left to another process, children that are to be started or canceled, attempts whose cancel
 * was answered to nobody. As long as there is any, every commit of the run asks to be followed up.
 */
export class OpenEnds {
  readonly #run: CachedRun;

  constructor(run: CachedRun) {
    this.#run = run;
  }

  /** Whether they were collected and there are some: else there is nothing to close. */
  get isCollected(): boolean {
    return this.#run.openEnds !== null && this.#run.openEnds.size > 0;
  }

  get isAny(): boolean {
    return this.#ends.size > 0;
  }

  add(kind: EndKind, { step, task }: Place): void {
    this.#ends.add(nameOf(kind, step, task));
  }

  close(kind: EndKind, { step, task }: Place): void {
    this.#ends.delete(nameOf(kind, step, task));
  }

  /** Collected once for each state that was loaded or put back; kept up to date from then on. */
  get #ends(): Set<string> {
    this.#run.openEnds ??= collect(this.#run);
    return this.#run.openEnds;
  }
}

/** `child`: to be started; `stop`: a child to be canceled; `cancel`: the answer to a task's cancel is to be applied. */
type EndKind = "evaluation" | "child" | "stop" | "cancel";

interface Place {
  readonly step: number;
  readonly task: number;
}

function collect(run: CachedRun): Set<string> {
  const ends = new Set<string>();
  const { state, info } = run;
  if (isTerminal(state.run.status)) return ends;
  for (const { step, task, attempt, status, isEvaluating, timer, stopCause } of allRows(state)) {
    if (isEvaluating) ends.add(nameOf("evaluation", step, task));
    else if (status === "queued" && stopCause !== null) ends.add(nameOf("cancel", step, task));
    else if (status === "waiting" && timer === null && info.step(step).kind === "child") {
      const name = childName(step, task, attempt);
      if (!run.knownChildren.has(name)) ends.add(nameOf("child", step, task));
      if (stopCause !== null && !run.knownChildren.has(stoppedName(name))) ends.add(nameOf("stop", step, task));
    }
  }
  if (state.run.phase === "output") ends.add(nameOf("evaluation", -1, -1));
  return ends;
}

const nameOf = (kind: EndKind, step: number, task: number): string => `${kind} ${rowKey(step, task)}`;

/** The child of this attempt has been started, or told to stop: nobody has to come back for it. */
export function noteChild(
  run: CachedRun,
  place: Place & { readonly attempt: number },
  what: "started" | "stopped",
): void {
  const { step, task, attempt } = place;
  const name = childName(step, task, attempt);
  run.knownChildren.add(what === "started" ? name : stoppedName(name));
  run.openEnds?.delete(nameOf(what === "started" ? "child" : "stop", step, task));
}

/** Whether somebody has yet to do that for the child of this attempt. */
export function isChildOpen(
  run: CachedRun,
  { step, task, attempt }: Place & { readonly attempt: number },
  what: "start" | "stop",
): boolean {
  const name = childName(step, task, attempt);
  return !run.knownChildren.has(what === "start" ? name : stoppedName(name));
}

const childName = (step: number, task: number, attempt: number): string => `${rowKey(step, task)}/${attempt}`;
const stoppedName = (name: string): string => `${name} stopped`;

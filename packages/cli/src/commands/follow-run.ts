import type { Plan } from "@braid/core";
import type { Engine, LogLine, RunResult } from "@braid/engine";
import { stderrStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { messageOf } from "../cli-error.ts";
import { exitCode, exitCodeOfRun } from "../exit-code.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { writeJsonLine } from "../terminal/json-line.ts";
import { applyTrace } from "../view/apply-trace.ts";
import { chooseReporter, showsProgress } from "../view/choose-reporter.ts";
import type { ProgressOptions } from "../view/choose-reporter.ts";
import { logLine, summaryLine } from "../view/json-lines.ts";
import { codeOf } from "../store/store-trouble.ts";
import { watchForCure } from "../store/watch-for-cure.ts";
import { TroubleReport } from "../view/trouble-report.ts";
import { numberOf } from "../view/trace-line.ts";
import type { Reporter } from "../view/reporter.ts";
import { createRunView } from "../view/run-view.ts";
import type { StopSignals } from "./stop-signals.ts";
import type { NodeView, RunView } from "../view/run-view.ts";

/** Where the engine's log lines and troubles go. The engine is made before anyone knows which run they belong to. */
export interface EngineListener {
  onLog: (line: LogLine) => void;
  /** The store gives trouble that the engine cures by itself. */
  onTrouble: (what: string, error: unknown) => void;
}

export interface Following {
  readonly context: CommandContext;
  readonly engine: Engine;
  readonly runId: string;
  readonly plan: Plan;
  /** Attempts at a time in this process. */
  readonly concurrency: number;
  readonly listener: EngineListener;
  readonly signals: StopSignals;
  readonly progress: ProgressOptions;
  /** Events up to this number are history: they are taken in, and shown to nobody. */
  readonly shownAfter: number;
}

/** Works on a run in this process until it has ended, shows its progress and its end, and answers the exit code. */
export async function followRun(following: Following): Promise<number> {
  const { context, engine, runId, plan, progress } = following;
  const { io } = context;
  const view = createRunView(plan);
  const reporter = await chooseReporter(context, runId, progress);
  following.listener.onLog = (line) => {
    if (progress.json === true && progress.logs === "full") writeJsonLine(io.stdout, logLine(line, plan));
    reporter.log(line);
  };
  const trouble = new TroubleReport({ now: () => io.now(), write: (line) => reporter.notice(line) });
  following.listener.onTrouble = (what, error) => {
    // The engine has given up: that is what the command ends with, and nothing is tried again.
    if (codeOf(error) !== "engine_fault") trouble.tell(what, error);
  };
  reporter.begin(view);
  const stopListening = listenForStop(following, reporter);
  let result: RunResult;
  try {
    result = await workUntilEnd(following, { view, reporter, trouble });
  } finally {
    stopListening();
    reporter.end();
    // Code that outlived its step may still talk; the summary is the last line all the same.
    following.listener.onLog = () => {};
  }
  if (showsProgress(context, progress) || (progress.quiet === true && result.status !== "completed")) {
    const { describeResult } = await import("./describe-result.ts");
    io.stderr.write(await describeResult({ engine, plan, result, view, style: stderrStyle(context) }));
  }
  if (progress.json === true) writeJsonLine(io.stdout, summaryLine(result));
  else if (plan.hasOutput && result.status === "completed")
    io.stdout.write(`${JSON.stringify(result.output, null, 2)}\n`);
  return exitCodeOfRun(result);
}

interface Shown {
  readonly view: RunView;
  readonly reporter: Reporter;
  readonly trouble: TroubleReport;
}

async function workUntilEnd(following: Following, shown: Shown): Promise<RunResult> {
  const { engine, runId, context } = following;
  const worker = await engine.work({ runIds: [runId], concurrency: following.concurrency });
  const now = (): number => context.io.now();
  const stopWatching = watchForCure({ store: engine.store, workerId: worker.id, report: shown.trouble, now });
  try {
    for await (const event of engine.events(runId)) {
      const { line, node } = applyTrace(shown.view, event);
      if ((numberOf(event["seq"]) ?? Number.POSITIVE_INFINITY) <= following.shownAfter) continue;
      if (following.progress.json === true) writeJsonLine(following.context.io.stdout, event);
      if (node !== undefined) await learnTotal(following, node);
      shown.reporter.changed(line, node);
    }
    const result = await engine.inspect(runId);
    if (result === null) throw new Error(`run \`${runId}\` is gone from the store`);
    return result;
  } finally {
    stopWatching();
    // The run is over, or nobody can say: what still goes on is not waited for.
    await worker.stop({ drainMs: 0 });
  }
}

/** A running map whose number of items the trace did not say: its row knows. */
async function learnTotal(
  { engine, runId, context, progress }: Following,
  { items, index, status }: NodeView,
): Promise<void> {
  if (items === null || items.total !== null || status !== "running" || !showsProgress(context, progress)) return;
  const loaded = await engine.store.load(runId);
  items.total = loaded?.steps.find((row) => row.step === index && row.task < 0)?.items ?? null;
}

/** How long the second Ctrl-C waits for its cancel to be written down before the process goes. */
const lastWordsMs = 500;

/** The first stop signal cancels the run and waits for its end; the second ends the process, and every program with it. */
function listenForStop({ context, engine, runId, signals }: Following, reporter: Reporter): () => void {
  const { io } = context;
  let count = 0;
  return signals.listen((signal) => {
    count += 1;
    const cancel = engine
      .cancel(runId)
      .catch((error: unknown) => reporter.notice(`cannot cancel: ${oneLine(messageOf(error))}`));
    if (count === 1) {
      const again = signal === "SIGINT" ? "press Ctrl-C again" : "signal again";
      reporter.notice(`canceling: running steps are being stopped; ${again} to kill`);
      return;
    }
    const leave = (): never => {
      reporter.end();
      io.stderr.write(`braid: killed; \`braid run --resume ${runId}\` brings the run to its end\n`);
      return io.exit(exitCode.canceled);
    };
    if (count > 2) leave();
    setTimeout(leave, lastWordsMs).unref();
    void cancel.then(leave);
  });
}

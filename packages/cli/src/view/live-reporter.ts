import process from "node:process";
import type { OutputStream } from "../io.ts";
import { LiveScreen } from "../terminal/live-screen.ts";
import type { Style } from "../terminal/style.ts";
import { taskSubject } from "./change-text.ts";
import { LogBuffer } from "./log-buffer.ts";
import { renderLogGroup } from "./log-group.ts";
import { endsAttempt } from "./reporter.ts";
import type { LogChoice, Reporter } from "./reporter.ts";
import type { NodeView, RunView } from "./run-view.ts";
import { renderTable } from "./table.ts";
import type { TraceLine } from "./trace-line.ts";

export interface LiveReporterOptions {
  readonly runId: string;
  readonly output: OutputStream;
  readonly style: Style;
  readonly logs: LogChoice;
  readonly now: () => number;
}

/** At most ten repaints a second; between changes, often enough for the clocks of running steps. */
const minRepaintMs = 100;
const clockMs = 200;

/**
 * Progress on a terminal: a table repainted in place. With `--logs full` the log of each attempt is written above it when
 * the attempt ends; logs of failures otherwise come with the summary.
 */
export function createLiveReporter(options: LiveReporterOptions): Reporter {
  const { output, style } = options;
  const screen = new LiveScreen(output);
  const buffer = new LogBuffer();
  let view: RunView | undefined;
  let notice: string | undefined;
  let above = "";
  let timer: NodeJS.Timeout | undefined;
  let paintedAt = 0;
  let isOver = false;

  const repaint = (): void => {
    clearTimeout(timer);
    if (view === undefined || isOver) return;
    paintedAt = options.now();
    const size = { columns: output.columns, rows: Math.max(1, output.rows - 1) };
    screen.paint(
      renderTable(view, { now: paintedAt, ...size, style, ...(notice === undefined ? {} : { notice }) }),
      above,
    );
    above = "";
    timer = setTimeout(repaint, clockMs);
    // The run keeps the process alive, not its picture.
    timer.unref();
  };
  const repaintSoon = (): void => {
    const wait = paintedAt + minRepaintMs - options.now();
    clearTimeout(timer);
    timer = setTimeout(repaint, Math.max(0, wait));
    timer.unref();
  };
  const stopWatching = watchTerminal(output, { repaint: repaintSoon, suspend: () => screen.close() });
  const keepLog = (line: TraceLine, node: NodeView): void => {
    const log = buffer.take(node.index, line.task, line.attempt);
    if (log.lines.length === 0) return;
    const wholeLog = `braid runs logs ${options.runId} --step ${node.id}`;
    const title = taskSubject(node, line);
    above += renderLogGroup(log, { title, isTitled: true, style, isGithub: false, wholeLog });
  };

  return {
    begin(startView) {
      view = startView;
      repaint();
    },
    changed(line, node) {
      if (node !== undefined && endsAttempt(line)) keepLog(line, node);
      repaintSoon();
    },
    log(line) {
      if (options.logs === "full") buffer.add(line);
    },
    notice(text) {
      notice = text;
      repaintSoon();
    },
    end() {
      if (isOver) return;
      stopWatching();
      // The last picture stays, so it must show the end and not the moment before.
      repaint();
      clearTimeout(timer);
      isOver = true;
      screen.close();
    },
  };
}

/**
 * Follows changes of size, gives the cursor back when the program is suspended (Ctrl-Z) or ends in any way, and takes it
 * again when it goes on.
 */
function watchTerminal(
  output: OutputStream,
  on: { readonly repaint: () => void; readonly suspend: () => void },
): () => void {
  const suspend = (): void => {
    on.suspend();
    process.kill(process.pid, "SIGSTOP");
  };
  const stopResize = output.onResize(on.repaint);
  process.on("exit", on.suspend);
  process.on("SIGTSTP", suspend);
  process.on("SIGCONT", on.repaint);
  return () => {
    stopResize();
    process.off("exit", on.suspend);
    process.off("SIGTSTP", suspend);
    process.off("SIGCONT", on.repaint);
  };
}

import type { LogLine } from "@braid/engine";
import type { NodeView, RunView } from "./run-view.ts";
import type { TraceLine } from "./trace-line.ts";

/** `--logs`. */
export type LogChoice = "full" | "errors" | "none";

/** Shows the progress of a run while it goes on. The view has already taken in what it is told. */
export interface Reporter {
  begin(view: RunView): void;
  changed(line: TraceLine, node: NodeView | undefined): void;
  log(line: LogLine): void;
  /** Something the reader should know now, such as what Ctrl-C did. */
  notice(text: string): void;
  /** Leaves the terminal as it was. Harmless when repeated. */
  end(): void;
}

/** Shows nothing: `--quiet`. */
export const silentReporter: Reporter = {
  begin() {},
  changed() {},
  log() {},
  notice() {},
  end() {},
};

/** Whether an event ends an attempt, and so its log. */
export function endsAttempt(line: TraceLine): boolean {
  return (
    line.type === "task.completed" ||
    line.type === "task.failed" ||
    line.type === "task.canceled" ||
    line.type === "task.lost"
  );
}

/** Whether the log of an attempt that ended this way is shown. A run that was canceled shows no log as an error. */
export function showsLog(line: TraceLine, choice: LogChoice): boolean {
  if (choice === "full") return true;
  return choice === "errors" && (line.type === "task.failed" || line.type === "task.lost");
}

import type { OutputStream } from "../io.ts";
import { countOf, formatElapsed } from "../terminal/format.ts";
import { colorOf, markOf } from "../terminal/mark.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { padTo, widthOf } from "../terminal/width.ts";
import { describeChange, taskSubject } from "./change-text.ts";
import { LogBuffer } from "./log-buffer.ts";
import { renderLogGroup } from "./log-group.ts";
import { endsAttempt, showsLog } from "./reporter.ts";
import type { LogChoice, Reporter } from "./reporter.ts";
import { isHeading } from "./run-view.ts";
import type { NodeView, RunView } from "./run-view.ts";
import type { TraceLine } from "./trace-line.ts";

export interface LineReporterOptions {
  readonly runId: string;
  readonly output: OutputStream;
  readonly style: Style;
  readonly logs: LogChoice;
  readonly isGithub: boolean;
}

const maxSubjectWidth = 28;

/** Progress where nobody can repaint a screen: one line per change, and each log in one piece when its attempt ends. */
export function createLineReporter(options: LineReporterOptions): Reporter {
  const { output, style } = options;
  const buffer = new LogBuffer();
  const shares = new Map<NodeView, number>();
  let view: RunView | undefined;
  let subjectWidth = 0;
  let lastNotice = "";

  const elapsed = (at: number): string => {
    const from = view?.startedAt ?? view?.queuedAt ?? at;
    return paint(style, "gray", formatElapsed(at - from));
  };
  const writeLine = (at: number, text: string): void => {
    output.write(`${elapsed(at)}  ${options.isGithub ? harmless(text) : text}\n`);
  };
  const changeLine = (change: {
    readonly status: NodeView["status"];
    readonly subject: string;
    readonly words: string;
  }): string => {
    const color = colorOf(change.status);
    return `${paint(style, color, markOf(change.status, style))} ${padTo(change.subject, subjectWidth)} ${paint(style, color, change.words)}`;
  };
  const writeLog = (line: TraceLine, node: NodeView): void => {
    const log = buffer.take(node.index, line.task, line.attempt);
    if (!showsLog(line, options.logs)) return;
    const title = line.attempt > 1 ? `${taskSubject(node, line)} (attempt ${line.attempt})` : taskSubject(node, line);
    const wholeLog = `braid runs logs ${options.runId} --step ${node.id}`;
    output.write(
      renderLogGroup(log, { title, isTitled: node.kind === "map", style, isGithub: options.isGithub, wholeLog }),
    );
  };

  return {
    begin(startView) {
      view = startView;
      const steps = startView.nodes.filter((node) => !isHeading(node));
      subjectWidth = Math.min(maxSubjectWidth, Math.max(0, ...steps.map((node) => widthOf(oneLine(node.label)))));
    },
    changed(line, node) {
      if (view === undefined) return;
      if (node === undefined) {
        const words = runWords(line, view, options.runId);
        if (words !== null) writeLine(line.at, words);
        return;
      }
      if (endsAttempt(line)) writeLog(line, node);
      const change = describeChange(line, node) ?? describeShare(line, node, shares);
      if (change !== null) writeLine(line.at, changeLine(change));
    },
    log(line) {
      if (options.logs !== "none") buffer.add(line);
    },
    notice(text) {
      // Trouble comes back with every attempt to cure it; one line of it is enough.
      if (text === lastNotice) return;
      lastNotice = text;
      output.write(`${paint(style, "yellow", text)}\n`);
    },
    end() {},
  };
}

/** A map says how far it is whenever another tenth of its items is done, not at each of 10,000 items. */
function describeShare(
  line: TraceLine,
  node: NodeView,
  shares: Map<NodeView, number>,
): ReturnType<typeof describeChange> {
  const total = node.items?.total ?? null;
  if (line.type !== "task.completed" || node.items === null || total === null || total === 0) return null;
  const share = Math.floor((node.items.completed * 10) / total);
  if (share <= (shares.get(node) ?? 0) || share >= 10) return null;
  shares.set(node, share);
  return {
    status: "running",
    subject: oneLine(node.label),
    words: `${node.items.completed} of ${total} items completed`,
  };
}

function runWords(line: TraceLine, view: RunView, runId: string): string | null {
  const name = oneLine(view.plan.workflow);
  const steps = view.nodes.filter((node) => !isHeading(node)).length;
  switch (line.type) {
    case "run.queued":
      return queuedWords(view, runId);
    case "run.started":
      return `run ${runId} of ${name} started: ${countOf(steps, "step")}`;
    case "run.paused":
      return "run paused";
    case "run.resumed":
      return "run resumed";
    default:
      return null;
  }
}

/** Only a run with a limit over the workflow's runs may wait before it starts, and then for as long as others take. */
function queuedWords({ plan }: RunView, runId: string): string | null {
  const { concurrency } = plan.host;
  if (concurrency === null) return null;
  const limit = `at most ${countOf(concurrency.max, "run")} of group ${oneLine(concurrency.group)} at a time`;
  return `run ${runId} of ${oneLine(plan.workflow)} queued: ${limit} (\`braid runs list\` shows the others)`;
}

/** The runner of GitHub Actions also obeys the older `##[command]` form, anywhere in a line. */
function harmless(text: string): string {
  return text.replaceAll("##[", "## [");
}

import { randomUUID } from "node:crypto";
import type { LogLine } from "@braid/engine";
import { sanitizeLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import type { AttemptLog } from "./log-buffer.ts";

export interface LogGroupOptions {
  readonly title: string;
  /** Whether the title stands above plain lines too: of a map, nothing else says which item they are of. */
  readonly isTitled: boolean;
  readonly style: Style;
  /** Whether GitHub Actions reads the output: groups fold there. */
  readonly isGithub: boolean;
  /** Command that shows the whole log, named where lines are missing. */
  readonly wholeLog: string;
}

/** The log of one attempt as text, in one piece. Empty where it wrote nothing. */
export function renderLogGroup(log: AttemptLog, options: LogGroupOptions): string {
  if (log.lines.length === 0) return "";
  const missing =
    log.dropped === 0 ? [] : [`… ${log.dropped} earlier lines are not shown; see \`${options.wholeLog}\``];
  const lines = [...missing, ...log.lines.map((line) => logText(line, options.style))];
  if (options.isGithub) return githubGroup(lines, options.title);
  return plainGroup(options.isTitled ? [paint(options.style, "cyan", options.title), ...lines] : lines, options.style);
}

/** One line of a log, made harmless. */
export function logText(line: Pick<LogLine, "text">, style: Style): string {
  return sanitizeLine(line.text.replace(/\r?\n$/, ""), { colors: style.colors });
}

function plainGroup(lines: readonly string[], style: Style): string {
  const bar = paint(style, "gray", style.unicode ? "│" : "|");
  return lines.map((line) => `          ${bar} ${line}\n`).join("");
}

/**
 * The runner of GitHub Actions obeys commands it finds in the output, so the output of a step is wrapped in
 * `stop-commands` with a token that the step cannot know.
 */
function githubGroup(lines: readonly string[], title: string): string {
  const token = randomUUID();
  return [`::group::${title}`, `::stop-commands::${token}`, ...lines, `::${token}::`, "::endgroup::", ""].join("\n");
}

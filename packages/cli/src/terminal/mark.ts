import type { RunStatus, StepStatus } from "@braid/core";
import type { Color, Style } from "./style.ts";

interface Mark {
  readonly mark: string;
  readonly ascii: string;
  readonly color: Color;
}

/** A status is always a word and a mark; the color only repeats what they say. All marks are one column wide. */
const marks: Readonly<Record<StepStatus | RunStatus, Mark>> = {
  pending: { mark: "·", ascii: ".", color: "gray" },
  queued: { mark: "·", ascii: ".", color: "gray" },
  ready: { mark: "○", ascii: "o", color: "cyan" },
  running: { mark: "●", ascii: ">", color: "cyan" },
  waiting: { mark: "◦", ascii: "~", color: "yellow" },
  paused: { mark: "‖", ascii: "=", color: "yellow" },
  completed: { mark: "✓", ascii: "+", color: "green" },
  failed: { mark: "✗", ascii: "x", color: "red" },
  skipped: { mark: "-", ascii: "-", color: "gray" },
  canceled: { mark: "■", ascii: "#", color: "magenta" },
};

export function markOf(status: StepStatus | RunStatus, style: Style): string {
  return style.unicode ? marks[status].mark : marks[status].ascii;
}

export function colorOf(status: StepStatus | RunStatus): Color {
  return marks[status].color;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** The mark of a running step on a screen that is repainted: it turns. */
export function spinnerFrame(now: number, style: Style): string {
  return style.unicode ? (frames[Math.floor(now / 100) % frames.length] ?? "●") : marks.running.ascii;
}

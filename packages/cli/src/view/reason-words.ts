import type { PendingReason, Plan } from "@braid/core";
import { formatDuration } from "../terminal/format.ts";
import { oneLine } from "../terminal/sanitize.ts";

/** Why a step is not further along, in words. */
export function reasonWords(reason: PendingReason, plan: Plan, now: number): string {
  switch (reason.kind) {
    case "running":
      return `attempt ${reason.attempt} is running`;
    case "members":
      return `${reason.remaining} of its members have not settled`;
    case "worker":
      return "waits for a worker";
    case "stopping":
      return "is being stopped";
    case "slot":
      return `waits for a free slot of ${scopeName(plan, reason.scope)}`;
    case "rate":
      return `held back by the rate limit of ${scopeName(plan, reason.scope)}${inTime(reason.until, now)}`;
    case "timer":
      return `${timerWords(reason.timer)}${inTime(reason.until, now)}`;
    case "signal":
      return `waits for the signal ${oneLine(reason.name)}`;
    case "child":
      return "waits for its child run";
    case "evaluation":
      return "its conditions are being evaluated";
    case "paused":
      return "the run is paused";
    case "dependencies":
      return `waits for ${listed(reason.steps)}`;
    case "block":
      return `waits for ${oneLine(reason.step)} to start`;
    case "handlers":
      return `waits to see whether ${listed(reason.steps)} will handle a failure in it`;
    default:
      return reason satisfies never;
  }
}

function scopeName(plan: Plan, scope: number): string {
  const owner = plan.scopes[scope]?.owner ?? -1;
  const step = plan.steps[owner];
  if (step === undefined) return "the run";
  return step.hidden ? "its group" : oneLine(step.id);
}

function timerWords(timer: "delay" | "retry" | "sleep"): string {
  if (timer === "retry") return "next attempt";
  return timer === "delay" ? "starts" : "sleeps, ends";
}

function inTime(until: number | null, now: number): string {
  return until === null ? "" : ` in ${formatDuration(until - now)}`;
}

function listed(steps: readonly string[]): string {
  const shown = steps.slice(0, 3).map((step) => oneLine(step));
  return steps.length > shown.length ? `${shown.join(", ")} and ${steps.length - shown.length} more` : shown.join(", ");
}

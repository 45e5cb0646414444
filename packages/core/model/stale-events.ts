import type { RunEvent } from "../src/kernel/event.ts";
import type { Host } from "./host.ts";

/** An event that a run has had before, as it might come once more, and reports of attempts that do not exist. */
export function staleEvents(earlier: readonly RunEvent[], host: Host, number: number): RunEvent[] {
  const event = earlier[number % Math.max(1, earlier.length)];
  const again = event === undefined || isOwed(event, host) ? [] : [{ ...event, at: host.now }];
  return [...again, ...[...host.attempts.values()].flatMap((attempt) => strangers(attempt, host.now))];
}

/** Whether the host still owes such an event, so that it would not be a duplicate. */
function isOwed(event: RunEvent, host: Host): boolean {
  switch (event.type) {
    case "run.create":
    case "run.start":
      return false;
    case "run.cancel":
    case "run.pause":
    case "run.resume":
    case "run.retry":
      return true;
    case "run.evaluated":
      return host.evaluations.some(({ step }) => step === -1);
    case "step.evaluated":
      return host.evaluations.some(({ step, task }) => step === event.step && task === event.task);
    case "signal.received":
      return host.signals.has(`${event.step}:${event.task}`);
    case "timer.fired":
      return host.timers.has(`${event.step}:${event.task}:${event.timer}`);
    case "child.settled":
      return host.children.has(`${event.step}:${event.task}:${event.attempt}`);
    case "task.started": {
      const attempt = host.attempts.get(`${event.step}:${event.task}:${event.attempt}`);
      return attempt !== undefined && !attempt.isStarted;
    }
    case "task.completed":
    case "task.failed":
    case "task.canceled":
    case "task.lost":
      return host.attempts.has(`${event.step}:${event.task}:${event.attempt}`);
    default:
      return event satisfies never;
  }
}

function strangers({ step, task, attempt }: { step: number; task: number; attempt: number }, at: number): RunEvent[] {
  return [attempt - 1, attempt + 1].flatMap((wrong): RunEvent[] => {
    const base = { at, step, task, attempt: wrong };
    return [
      { type: "task.started", ...base },
      { type: "task.completed", ...base },
      { type: "task.failed", ...base, error: { code: "exit_code", message: "" } },
      { type: "task.canceled", ...base, started: true },
      { type: "task.lost", ...base },
    ];
  });
}

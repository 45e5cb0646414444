import type { RunEvent } from "../src/kernel/event.ts";
import type { Host } from "./host.ts";

/**
 * An event that a run has had before, as it might come once more, and reports of attempts that do not exist. The last of
 * `events` is the one that comes next, and the host has already taken it off its books.
 */
export function staleEvents(events: readonly RunEvent[], host: Host, number: number): RunEvent[] {
  const event = events[number % events.length]!;
  const isStale = !isOwed(event, host) && nameOf(event) !== nameOf(events.at(-1)!);
  const again = isStale ? [{ ...event, at: host.now }] : [];
  return [...again, ...[...host.attempts.values()].flatMap((attempt) => strangers(attempt, host.now))];
}

/** What an event is about, whenever it comes. */
const nameOf = (event: RunEvent): string =>
  [
    event.type,
    "step" in event ? event.step : "",
    "task" in event ? event.task : "",
    "attempt" in event ? event.attempt : "",
    "timer" in event ? event.timer : "",
  ].join();

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

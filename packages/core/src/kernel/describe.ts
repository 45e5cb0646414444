import type { JsonObject } from "../json.ts";
import type { Plan } from "../plan/plan.ts";
import type { TraceEvent } from "./trace.ts";

/** A trace event as every surface shows it: one line of `braid run --json`. */
export function describeTrace(plan: Plan, runId: string, event: TraceEvent): JsonObject {
  const isOfRun = event.step < 0;
  return {
    seq: event.seq,
    runId,
    at: isoTime(event.at),
    type: event.type,
    step: isOfRun ? null : plan.steps[event.step]!.id,
    task: isOfRun || event.task < 0 ? null : event.task,
    attempt: event.attempt === 0 ? null : event.attempt,
    data: event.type === "run.started" ? { ...event.data, graph: graphOf(plan) } : withIsoTimes(event.data ?? {}),
  };
}

/** The visible steps and the edges between them, for clients that draw the run from its first event. */
function graphOf(plan: Plan): JsonObject {
  const visible = plan.steps.filter((step) => !step.hidden);
  return {
    steps: visible.map((step) => ({
      id: step.id,
      name: step.name,
      kind: step.isMap ? "map" : step.kind,
      join: step.join.kind,
      parent: visibleOwner(plan, step.scope),
    })),
    edges: plan.edges.map((edge) => ({
      from: plan.steps[edge.from]!.id,
      to: plan.steps[edge.to]!.id,
      on: edge.on,
      origin: edge.origin,
    })),
  };
}

function visibleOwner(plan: Plan, scope: number): string | null {
  const { owner } = plan.scopes[scope]!;
  return owner < 0 ? null : plan.steps[owner]!.id;
}

function withIsoTimes(data: JsonObject): JsonObject {
  return typeof data["until"] === "number" ? { ...data, until: isoTime(data["until"]) } : data;
}

/** Seconds of a day. */
const DAY = 86_400;

/** The second that was asked for last, and its text: what is shown together has mostly happened together. */
let latest = { second: Number.NaN, text: "" };

/** ISO 8601 in UTC with milliseconds, without `Date`, which the core must not use. */
export function isoTime(at: number): string {
  const second = Math.floor(at / 1000);
  if (second !== latest.second) latest = { second, text: textOfSecond(second) };
  return `${latest.text}${pad(Math.floor(at - second * 1000), 3)}Z`;
}

/**
 * Everything before the milliseconds, with the point.
 * Source of the calendar arithmetic: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
 */
function textOfSecond(at: number): string {
  const days = Math.floor(at / DAY);
  const seconds = at - days * DAY;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const time = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return `${date}T${time}.`;
}

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

import type { Definition, StepDefinition } from "../definition/model.ts";
import type { DraftList, DraftStep } from "./draft.ts";
import type { FailureMode, PlanScope } from "./plan.ts";

/** The scopes of a plan, and how its steps relate to them. */
export interface Scopes {
  readonly scopes: readonly PlanScope[];
  /** The scope that each step owns, or null. */
  readonly bodies: readonly (number | null)[];
  /** The scope that each step is a member of. */
  readonly memberOf: readonly number[];
  /** Innermost scope whose slots the tasks of each step take. */
  readonly slots: readonly number[];
}

type ScopeSettings = Omit<PlanScope, "index" | "parent" | "owner">;

const UNLIMITED = { members: [], maxConcurrent: null, rateLimit: null, timeoutMs: null, tolerate: null };

/** Owners stand before what they hold, so one pass in definition order puts every scope after the one around it. */
export function buildScopes(definition: Definition, steps: readonly DraftStep[], main: DraftList): Scopes {
  const scopes: PlanScope[] = [];
  const bodies: (number | null)[] = [];
  const memberOf: number[] = [];
  const slots: number[] = [];
  const open = (owner: number, parent: number, settings: ScopeSettings): number => {
    const { kind, members, maxConcurrent, rateLimit, timeoutMs, mode, tolerate } = settings;
    const index = scopes.length;
    scopes.push({ index, kind, owner, parent, members, maxConcurrent, rateLimit, timeoutMs, mode, tolerate });
    return index;
  };
  open(-1, -1, runScope(definition, main));
  for (const step of steps) {
    const scope = step.list.owner === null ? 0 : bodies[step.list.owner.index]!;
    const around = step.pool === null ? scope : bodies[step.pool.index]!;
    const settings = scopeOf(step);
    const body = settings === null ? null : open(step.index, around, settings);
    bodies.push(body);
    memberOf.push(scope);
    slots.push(settings?.kind === "map" ? body! : around);
  }
  return { scopes, bodies, memberOf, slots };
}

/** The run's own scope. A cap that the file leaves open is the host's to choose. */
function runScope({ parallel, mode, timeout }: Definition, main: DraftList): ScopeSettings {
  return {
    kind: "run",
    members: main.members.map(({ index }) => index),
    maxConcurrent: parallel.maxConcurrent ?? null,
    rateLimit: parallel.rateLimit ?? null,
    timeoutMs: typeof timeout === "number" ? timeout : null,
    mode,
    tolerate: null,
  };
}

/** Settings of the scope that a step owns; null for a step that owns none. */
function scopeOf(step: DraftStep): ScopeSettings | null {
  if (step.hidden === "pool") return poolScope(step);
  if (step.body !== null) return listScope(step, step.body);
  const { forEach, rateLimit } = step.definition ?? {};
  if (forEach === undefined) return null;
  return {
    ...UNLIMITED,
    kind: "map",
    maxConcurrent: forEach.maxConcurrent ?? null,
    rateLimit: forEach.rateLimit ?? rateLimit ?? null,
    mode: forEach.mode ?? "fail_all",
    tolerate: forEach.tolerate ?? null,
  };
}

function listScope(step: DraftStep, body: DraftList): ScopeSettings {
  const members = body.members.map(({ index }) => index);
  if (body.kind === "block" && step.definition !== null) return blockScope(step.definition, members);
  const isPhase = body.kind === "phase";
  // A group finishes although a member fails, and `finally` goes through all its steps.
  const mode: FailureMode = isPhase && body.phase !== "finally" ? "fail_all" : "continue";
  return { ...UNLIMITED, kind: isPhase ? "phase" : "block", members, mode };
}

function blockScope({ action, timeout, rateLimit }: StepDefinition, members: readonly number[]): ScopeSettings {
  const block = action.kind === "parallel" ? action.block : { steps: [] };
  const limit = block.timeout ?? timeout;
  return {
    kind: "block",
    members,
    maxConcurrent: block.maxConcurrent ?? null,
    rateLimit: block.rateLimit ?? rateLimit ?? null,
    timeoutMs: typeof limit === "number" ? limit : null,
    mode: block.mode ?? "fail_all",
    tolerate: null,
  };
}

function poolScope({ limits }: DraftStep): ScopeSettings {
  const { maxConcurrent = null, rateLimit = null } = limits ?? {};
  return { ...UNLIMITED, kind: "pool", maxConcurrent, rateLimit, mode: "continue" };
}

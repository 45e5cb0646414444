import type { Plan, PlanStep, RunStatus, StepStatus } from "@braid/core";

/**
 * What a terminal shows of a run: one node per step or heading of the plan, in definition order, brought up to date by
 * trace events (`applyTrace`). The view holds counters instead of items, so that a map of 10,000 items is one node.
 */
export interface RunView {
  readonly plan: Plan;
  readonly nodes: readonly NodeView[];
  readonly byId: ReadonlyMap<string, NodeView>;
  status: RunStatus;
  epoch: number;
  queuedAt: number | null;
  startedAt: number | null;
  finishedAt: number | null;
  /** Instant of the latest event. */
  lastAt: number;
}

/**
 * - `step`: an ordinary step; `map`: a step with items
 * - `block`: a parallel block, a step of its own; `group`: hidden owner of marked neighbours; `phase`: hidden owner of
 *   `onSuccess`, `onFailure` or `finally`. Groups and phases show what their members make of them.
 */
export type NodeKind = "step" | "map" | "block" | "group" | "phase";

export interface NodeView {
  /** Index of the step in the plan. */
  readonly index: number;
  readonly id: string;
  /** The id, or the words for a hidden step. */
  readonly label: string;
  /** What its author calls it; shown where there is room for it. */
  readonly name: string;
  readonly kind: NodeKind;
  /** Nesting under blocks, groups and phases. */
  readonly depth: number;
  /** The nodes below it, in definition order; empty for steps and maps. */
  readonly members: readonly NodeView[];
  readonly maxAttempts: number;
  status: StepStatus;
  /** Why it was skipped, stopped or waits. */
  detail: string | null;
  error: { readonly code: string; readonly message: string } | null;
  attempt: number;
  startedAt: number | null;
  finishedAt: number | null;
  /** When its wait is over: the next attempt, a delay, a sleep; null where it waits for no clock. */
  dueAt: number | null;
  /** Maps only. */
  readonly items: ItemsView | null;
  /** Milliseconds that its attempts, or those of its items, have run. */
  workMs: number;
  /** Start of each running attempt, by item. */
  readonly running: Map<number, number>;
}

/** Progress of a map. `total` is null until it is known. */
export interface ItemsView {
  total: number | null;
  completed: number;
  failed: number;
  canceled: number;
}

/** An empty view: every step `pending`. */
export function createRunView(plan: Plan): RunView {
  const nodes: NodeView[] = [];
  const byStep = new Map<number, NodeView>();
  let groups = 0;
  for (const step of plan.steps) {
    if (step.kind === "pool") continue;
    const kind = kindOf(step);
    if (kind === "group") groups += 1;
    const parent = parentOf(plan, step, byStep);
    const node = createNode(step, {
      kind,
      label: labelOf(step, kind, groups),
      depth: parent === undefined ? 0 : parent.depth + 1,
    });
    (parent?.members as NodeView[] | undefined)?.push(node);
    byStep.set(step.index, node);
    nodes.push(node);
  }
  return {
    plan,
    nodes,
    byId: new Map(nodes.map((node) => [node.id, node])),
    status: "queued",
    epoch: 1,
    queuedAt: null,
    startedAt: null,
    finishedAt: null,
    lastAt: 0,
  };
}

function createNode(
  step: PlanStep,
  place: { readonly kind: NodeKind; readonly label: string; readonly depth: number },
): NodeView {
  return {
    ...place,
    index: step.index,
    id: step.id,
    name: isHidden(place.kind) ? place.label : step.name,
    members: [],
    maxAttempts: step.retry.maxAttempts,
    status: "pending",
    detail: null,
    error: null,
    attempt: 0,
    startedAt: null,
    finishedAt: null,
    dueAt: null,
    items: place.kind === "map" ? { total: null, completed: 0, failed: 0, canceled: 0 } : null,
    workMs: 0,
    running: new Map(),
  };
}

function isHidden(kind: NodeKind): boolean {
  return kind === "group" || kind === "phase";
}

function kindOf(step: PlanStep): NodeKind {
  if (step.kind === "phase") return "phase";
  if (step.kind === "block") return step.hidden ? "group" : "block";
  return step.isMap ? "map" : "step";
}

function labelOf(step: PlanStep, kind: NodeKind, groups: number): string {
  if (kind === "group") return `group ${groups}`;
  // Hidden ids hold a `/`, which no author can write; what is before or after it names the list.
  if (kind === "phase") return step.name.includes("/") || step.name === "" ? step.id.replaceAll("/", "") : step.name;
  return step.id;
}

/** The nearest node around a step: the owner of its scope, past pools, which have no life of their own. */
function parentOf(plan: Plan, step: PlanStep, byStep: ReadonlyMap<number, NodeView>): NodeView | undefined {
  let scope = plan.scopes[step.scope];
  while (scope !== undefined && scope.owner >= 0) {
    const node = byStep.get(scope.owner);
    if (node !== undefined) return node;
    scope = plan.scopes[scope.parent];
  }
  return undefined;
}

export interface Counts {
  readonly total: number;
  readonly settled: number;
  readonly completed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly canceled: number;
  readonly running: number;
}

/** Counts over steps: groups and phases are no steps, but what they hold counts. */
export function countSteps(nodes: readonly NodeView[]): Counts {
  const counts = { total: 0, settled: 0, completed: 0, failed: 0, skipped: 0, canceled: 0, running: 0 };
  for (const node of nodes) {
    if (isHeading(node)) continue;
    counts.total += 1;
    if (node.status === "pending" || node.status === "ready" || node.status === "waiting") continue;
    counts[node.status] += 1;
    if (node.status !== "running") counts.settled += 1;
  }
  return counts;
}

export function isSettled(status: StepStatus): boolean {
  return status === "completed" || status === "failed" || status === "skipped" || status === "canceled";
}

/** Status and times of a heading, as its members give them. Computed when it is shown, not at every event. */
export function summarizeMembers(members: readonly NodeView[]): Pick<NodeView, "status" | "startedAt" | "finishedAt"> {
  let startedAt: number | null = null;
  let finishedAt: number | null = null;
  const statuses = new Set<StepStatus>();
  for (const node of members) {
    const member = isHeading(node) ? summarizeMembers(node.members) : node;
    statuses.add(member.status);
    if (member.startedAt !== null) startedAt = Math.min(startedAt ?? member.startedAt, member.startedAt);
    if (member.finishedAt !== null) finishedAt = Math.max(finishedAt ?? member.finishedAt, member.finishedAt);
  }
  const isOver = [...statuses].every(isSettled);
  return {
    status: isOver ? settledStatus(statuses) : openStatus(statuses),
    startedAt,
    finishedAt: isOver ? finishedAt : null,
  };
}

function settledStatus(statuses: ReadonlySet<StepStatus>): StepStatus {
  const order: readonly StepStatus[] = ["failed", "canceled", "completed"];
  return order.find((status) => statuses.has(status)) ?? "skipped";
}

function openStatus(statuses: ReadonlySet<StepStatus>): StepStatus {
  const isTouched = [...statuses].some((status) => status !== "pending" && status !== "skipped");
  return isTouched ? "running" : "pending";
}

/** Hidden owners of a list: they have no events of their own. */
export function isHeading(node: NodeView): boolean {
  return isHidden(node.kind);
}

import { quote } from "../definition/describe.ts";
import type { Definition, StepDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";
import type { DraftEdge, DraftList, DraftStep, Phase } from "./draft.ts";
import { MAX_BLOCK_DEPTH, MAX_STEPS } from "./limits.ts";
import { arrange } from "./order.ts";
import type { Arranged } from "./order.ts";

/** The steps of a plan in their final order, the lists they stand in, and the edges that only the order makes. */
export interface Outline {
  readonly main: DraftList;
  readonly steps: readonly DraftStep[];
  readonly orderEdges: readonly DraftEdge[];
  readonly phases: { readonly [phase in Exclude<Phase, "steps">]: DraftStep | null };
}

/**
 * Walks all lists depth first: a block stands before its members, a pool before its first member, and the lists beside
 * `steps` come last. Null when the workflow is beyond a limit.
 */
export function outline(definition: Definition, report: Reading): Outline | null {
  const outliner = new Outliner(definition, report);
  const run: DraftList = { kind: "run", phase: "steps", owner: null, depth: 0, members: [] };
  outliner.addList(definition.steps, run);
  const phases = {
    onSuccess: outliner.addPhase("onSuccess", run),
    onFailure: outliner.addPhase("onFailure", run),
    finally: outliner.addPhase("finally", run),
  };
  return outliner.isBeyondLimit ? null : { main: run, steps: outliner.steps, orderEdges: outliner.orderEdges, phases };
}

type NewStep = Omit<DraftStep, "index" | "body">;

class Outliner {
  readonly steps: DraftStep[] = [];
  readonly orderEdges: DraftEdge[] = [];
  isBeyondLimit = false;
  readonly #definition: Definition;
  readonly #report: Reading;
  readonly #pools = new Map<string, DraftStep>();

  constructor(definition: Definition, report: Reading) {
    this.#definition = definition;
    this.#report = report;
  }

  addPhase(phase: Exclude<Phase, "steps">, run: DraftList): DraftStep | null {
    const steps = this.#definition[phase];
    if (steps.length === 0) return null;
    const at = `${this.#definition.at}/${phase}`;
    const owner = this.#hide({ id: `run/${phase}`, name: phase, hidden: "phase", list: run, at });
    owner.body = { kind: "phase", phase, owner, depth: 1, members: [] };
    this.addList(steps, owner.body);
    return owner;
  }

  addList(definitions: readonly StepDefinition[], list: DraftList): void {
    const mode = list.kind === "run" ? this.#definition.order : undefined;
    const elements = arrange(definitions, { isBlock: list.kind === "block", mode }, this.#report);
    let groups = 0;
    let last: { readonly step: DraftStep; readonly isGroup: boolean } | null = null;
    let position = 0;
    for (const element of elements) {
      if (this.isBeyondLimit) return;
      const isGroup = element.kind === "group";
      if (isGroup) groups += 1;
      const isOrdered = isGroup || element.isOrdered;
      const step = isGroup
        ? this.#addGroup(element, { list, position, ordinal: groups })
        : this.#addStep(element.step, list, isOrdered ? position : -1);
      if (!isOrdered) continue;
      if (last !== null) this.#addOrderEdge(last, { step, isGroup });
      last = { step, isGroup };
      position += 1;
    }
  }

  /** `finally` goes on whatever became of the step before, so its order edges wait for the end of that one only. */
  #addOrderEdge(
    from: { readonly step: DraftStep; readonly isGroup: boolean },
    to: { readonly step: DraftStep; readonly isGroup: boolean },
  ): void {
    this.orderEdges.push({
      from: from.step.index,
      to: to.step.index,
      on: to.step.list.phase === "finally" ? "settled" : "order",
      origin: from.isGroup || to.isGroup ? "group" : "order",
      port: null,
    });
  }

  #addGroup(
    group: Extract<Arranged, { kind: "group" }>,
    place: { readonly list: DraftList; readonly position: number; readonly ordinal: number },
  ): DraftStep {
    const { list, position, ordinal } = place;
    const { mark, steps } = group;
    const owner = this.#hide({
      id: `${list.phase}/group-${ordinal}`,
      name: mark === true ? `parallel ${ordinal}` : `group ${mark}`,
      hidden: "group",
      list,
      position,
      at: steps[0]?.at ?? "",
    });
    list.members.push(owner);
    const body: DraftList = { kind: "group", phase: list.phase, owner, depth: list.depth + 1, members: [] };
    owner.body = body;
    for (const step of steps) this.#addStep(step, body, -1);
    return owner;
  }

  #addStep(definition: StepDefinition, list: DraftList, position: number): DraftStep {
    const { id, name, at, action } = definition;
    const pool = this.#poolOf(definition, list);
    const step = this.#push({ id, name, at, definition, hidden: null, list, position, pool, limits: null });
    list.members.push(step);
    if (action.kind === "parallel") {
      const depth = list.depth + 1;
      step.body = { kind: "block", phase: list.phase, owner: step, depth, members: [] };
      if (depth <= MAX_BLOCK_DEPTH) this.addList(action.block.steps, step.body);
      else this.#stop(`Blocks are nested deeper than ${MAX_BLOCK_DEPTH}.`, at);
    }
    return step;
  }

  /** The innermost pool of a step: its own rate limit, inside the shared pool of its `groupId`. */
  #poolOf(definition: StepDefinition, list: DraftList): DraftStep | null {
    const shared = this.#sharedPool(definition, list);
    if (definition.rateLimit === undefined || definition.action.kind === "parallel") return shared;
    // A map has a scope of its own, which takes the limit unless `forEach` brings another.
    if (definition.forEach !== undefined && definition.forEach.rateLimit === undefined) return shared;
    const { id, at, rateLimit } = definition;
    const name = `rate limit of ${id}`;
    return this.#hide({ id: `rate/${id}`, name, hidden: "pool", list, pool: shared, limits: { rateLimit }, at });
  }

  #sharedPool({ id, groupId, at }: StepDefinition, list: DraftList): DraftStep | null {
    if (groupId === undefined || !Object.hasOwn(this.#definition.pools, groupId)) return null;
    const limits = this.#definition.pools[groupId] ?? {};
    if (limits.maxConcurrent === undefined && limits.rateLimit === undefined) return null;
    let pool = this.#pools.get(groupId);
    if (pool === undefined) {
      pool = this.#hide({ id: `pools/${groupId}`, name: groupId, hidden: "pool", list, limits, at });
      this.#pools.set(groupId, pool);
    } else if (pool.list !== list) {
      this.#report.error({
        code: "invalid_value",
        message: `${quote(id)} shares the limits of group ${quote(groupId)} with steps of another list.`,
        hint: "The members of a group with `maxConcurrent` or `rateLimit` stand in one list.",
        path: `${at}/groupId`,
      });
    }
    return pool;
  }

  #hide(step: Pick<NewStep, "id" | "name" | "hidden" | "list" | "at"> & Partial<NewStep>): DraftStep {
    return this.#push({ definition: null, position: -1, pool: null, limits: null, ...step });
  }

  #push(step: NewStep): DraftStep {
    const draft: DraftStep = { ...step, index: this.steps.length, body: null };
    if (draft.index === MAX_STEPS) this.#stop(`The workflow has more than ${MAX_STEPS} steps.`, step.at);
    this.steps.push(draft);
    return draft;
  }

  #stop(message: string, path: string): void {
    if (!this.isBeyondLimit) this.#report.error({ code: "limit_exceeded", message, path });
    this.isBeyondLimit = true;
  }
}

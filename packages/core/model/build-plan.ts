import type { Plan, PlanEdge, PlanScope, PlanStep, StepKind } from "../src/plan/plan.ts";
import { NO_HOST, STEP_HOST } from "./plan-defaults.ts";
import type { DependencySpec, JoinSpec, ListSpec, PlanSpec, StepSpec } from "./plan-spec.ts";

type Draft<T> = { -readonly [key in keyof T]: T[key] };

/** Builds the plan that a spec describes. Every spec gives a valid plan: what cannot be meant is left out. */
export function buildPlan(spec: PlanSpec): Plan {
  return new PlanBuilder().build(spec);
}

/** Where a list stands while its steps are added. */
interface Place {
  readonly scope: number;
  readonly isPhase: boolean;
}

interface Placed {
  readonly spec: StepSpec;
  readonly step: Draft<PlanStep>;
  readonly members: readonly Placed[];
}

class PlanBuilder {
  readonly #steps: Draft<PlanStep>[] = [];
  readonly #edges: PlanEdge[] = [];
  readonly #scopes: Draft<PlanScope>[] = [];
  readonly #drafts: Omit<PlanEdge, "index">[] = [];
  /** Arcs of the course of the plan: step `i` starts at `2 * i` and ends at `2 * i + 1`. */
  readonly #arcs: (readonly [number, number])[] = [];
  readonly #joins = new Map<number, JoinSpec>();

  build(spec: PlanSpec): Plan {
    const { maxConcurrent, rateLimit, timeoutMs, mode } = spec;
    this.#openScope({ kind: "run", owner: -1, parent: -1, maxConcurrent, rateLimit, timeoutMs, mode, tolerate: null });
    this.#addList(spec.steps, { scope: 0, isPhase: false });
    const phases = {
      onSuccess: this.#addPhase("onSuccess", spec.onSuccess),
      onFailure: this.#addPhase("onFailure", spec.onFailure),
      finally: this.#addPhase("finally", spec.finally),
    };
    this.#placeEdges();
    return {
      planVersion: 1,
      workflow: "random",
      definitionVersion: 1,
      steps: this.#steps,
      edges: this.#edges,
      scopes: this.#scopes,
      hasOutput: spec.hasOutput,
      phases,
      host: NO_HOST,
    };
  }

  #addPhase(name: "onSuccess" | "onFailure" | "finally", list: ListSpec | null): number | null {
    if (list === null || list.steps.length === 0) return null;
    const step = this.#push({ id: `run/${name}`, kind: "phase", hidden: true, scope: 0, slots: 0 });
    step.body = this.#openScope({
      kind: "phase",
      owner: step.index,
      parent: 0,
      maxConcurrent: null,
      rateLimit: null,
      timeoutMs: null,
      mode: name === "finally" ? "continue" : "fail_all",
      tolerate: null,
    });
    this.#addList(list, { scope: step.body, isPhase: name === "finally" });
    return step.index;
  }

  #addList(list: ListSpec, place: Place): readonly Placed[] {
    const pools: number[] = [];
    for (const { maxConcurrent, rateLimit } of list.pools) {
      const parent = pools.length === 0 ? place.scope : pools[0]!;
      const step = this.#push({ id: `pool/${this.#steps.length}`, kind: "pool", hidden: true, scope: place.scope });
      step.slots = parent;
      step.body = this.#openScope({
        kind: "pool",
        owner: step.index,
        parent,
        maxConcurrent,
        rateLimit,
        timeoutMs: null,
        mode: "continue",
        tolerate: null,
      });
      pools.push(step.body);
    }
    const placed = list.steps.map((spec) => this.#addStep(spec, place, pools));
    this.#scopes[place.scope]!.members = placed.map(({ step }) => step.index);
    this.#connect(placed, list, place);
    return placed;
  }

  #addStep(spec: StepSpec, place: Place, pools: readonly number[]): Placed {
    const isGroup = spec.body?.isGroup === true;
    const kind: StepKind =
      spec.body === null && spec.kind === "block" ? "join" : spec.body === null ? spec.kind : "block";
    const around =
      spec.pool === null || kind === "block"
        ? place.scope
        : (pools[spec.pool % Math.max(1, pools.length)] ?? place.scope);
    const step = this.#push({
      id: isGroup ? `group/${this.#steps.length}` : `s${this.#steps.length}`,
      kind,
      hidden: isGroup,
      scope: place.scope,
      slots: around,
    });
    step.priority = spec.priority;
    step.rank = spec.rank;
    if (isGroup) {
      step.onError = "fail";
    } else {
      this.#joins.set(step.index, spec.join);
      step.onError = spec.onError;
      step.whenUnmet = spec.whenUnmet;
      step.evaluates = spec.evaluates;
    }
    if (kind !== "block") this.#setTimes(step, spec);
    if (spec.body !== null) return { spec, step, members: this.#addBody(step, spec.body, around) };
    if (spec.map !== null && kind !== "join") this.#addMap(step, spec.map, around);
    return { spec, step, members: [] };
  }

  #setTimes(step: Draft<PlanStep>, spec: StepSpec): void {
    step.startDelayMs = spec.startDelayMs;
    step.deadlineMs = step.kind === "join" ? null : spec.deadlineMs;
    step.timeoutMs = step.kind === "join" ? null : spec.timeoutMs;
    step.sleepMs = step.kind === "sleep" ? spec.sleepMs : 0;
    step.signal = step.kind === "signal" ? "go" : null;
    if (step.kind !== "task" && step.kind !== "child") return;
    const { maxAttempts, retryDelayMs: delayMs, backoff, retryOn: on } = spec;
    step.retry = { maxAttempts, delayMs, backoff, factor: 3, maxDelayMs: 80, jitter: 0, on };
  }

  #addBody(step: Draft<PlanStep>, body: NonNullable<StepSpec["body"]>, parent: number): readonly Placed[] {
    const { isGroup, list, mode } = body;
    step.body = this.#openScope({
      kind: "block",
      owner: step.index,
      parent,
      maxConcurrent: isGroup ? null : body.maxConcurrent,
      rateLimit: isGroup ? null : body.rateLimit,
      timeoutMs: isGroup ? null : body.timeoutMs,
      mode: isGroup ? "continue" : mode,
      tolerate: null,
    });
    return this.#addList(list, { scope: step.body, isPhase: false });
  }

  #addMap(step: Draft<PlanStep>, map: NonNullable<StepSpec["map"]>, parent: number): void {
    step.isMap = true;
    step.evaluates = true;
    step.evaluatesItems = map.evaluatesItems && step.kind !== "task";
    const { maxConcurrent, rateLimit, mode, tolerate } = map;
    step.body = this.#openScope({
      kind: "map",
      owner: step.index,
      parent,
      maxConcurrent,
      rateLimit,
      timeoutMs: null,
      mode,
      tolerate,
    });
    step.slots = step.body;
  }

  /** Draws the edges of one list. */
  #connect(placed: readonly Placed[], list: ListSpec, place: Place): void {
    for (const { step, members } of placed) {
      for (const { step: member } of members) {
        this.#arcs.push([2 * step.index, 2 * member.index], [2 * member.index + 1, 2 * step.index + 1]);
      }
      this.#arcs.push([2 * step.index, 2 * step.index + 1]);
    }
    let last: Placed | null = null;
    for (const one of placed) {
      // A step that hangs on failure and settled edges alone leaves the order of its list.
      if (list.order === "graph" || (last !== null && isAside(one))) continue;
      if (last !== null) this.#addEdge(last, one, { on: place.isPhase ? "settled" : "order", port: null });
      last = one;
    }
    const isEarlier = (a: Placed, b: Placed): boolean =>
      list.order === "graph"
        ? a.spec.late < b.spec.late || (a.spec.late === b.spec.late && a.step.index < b.step.index)
        : a.step.index < b.step.index;
    for (const one of placed) {
      if (list.order === "sequence" && (one === placed[0] || !isAside(one))) continue;
      const before = placed.filter((other) => isEarlier(other, one));
      this.#addDependencies(one, before);
    }
  }

  #addDependencies(one: Placed, before: readonly Placed[]): void {
    const crossing = before.flatMap(({ members, step }) => (step.hidden ? members : []));
    for (const dep of one.spec.deps) {
      const choice = dep.on === "failure" || dep.on === "settled" ? [...before, ...crossing] : before;
      const source = choice[dep.pick % Math.max(1, choice.length)];
      if (source !== undefined) this.#addEdge(source, one, dep);
    }
  }

  #addEdge(source: Placed, target: Placed, { on, port }: Pick<DependencySpec, "on" | "port">): void {
    const from = source.step.index;
    const to = target.step.index;
    const used = on === "success" && source.step.kind === "task" && !source.step.isMap ? port : null;
    const twins = this.#drafts.filter((edge) => edge.from === from && edge.to === to);
    if (twins.some((twin) => twin.on !== on || twin.port === used || twin.port === null || used === null)) return;
    const arcs: (readonly [number, number])[] = [[2 * from + 1, 2 * to]];
    // The end of a group waits until the handlers outside it have been decided.
    if (on === "failure" && source.step.scope !== target.step.scope) {
      arcs.push([2 * to, 2 * this.#scopes[source.step.scope]!.owner + 1]);
    }
    if (this.#closesCycle(arcs)) return;
    this.#arcs.push(...arcs);
    this.#drafts.push({ from, to, on, origin: "explicit", port: used });
  }

  #closesCycle(arcs: readonly (readonly [number, number])[]): boolean {
    const all = [...this.#arcs, ...arcs];
    return arcs.some(([from, to]) => {
      const seen = new Set<number>();
      const open = [to];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (next === from) return true;
        if (seen.has(next)) continue;
        seen.add(next);
        for (const [a, b] of all) if (a === next) open.push(b);
      }
      return false;
    });
  }

  #placeEdges(): void {
    const sorted = this.#drafts.toSorted((a, b) => a.to - b.to || a.from - b.from);
    for (const [index, edge] of sorted.entries()) {
      this.#edges.push({ index, ...edge });
      (this.#steps[edge.from]!.outgoing as number[]).push(index);
      (this.#steps[edge.to]!.incoming as number[]).push(index);
    }
    for (const [index, join] of this.#joins) {
      const step = this.#steps[index]!;
      const edges = step.incoming.length;
      if (join.kind === "all" || join.kind === "settled") step.join = { kind: join.kind, quorum: 0, cancelRest: false };
      else if (edges === 0) continue;
      else if (join.kind === "quorum") {
        step.join = { kind: "quorum", quorum: 1 + (join.quorum % edges), cancelRest: join.cancelRest };
      } else step.join = { kind: join.kind, quorum: 0, cancelRest: join.kind === "first" };
    }
  }

  #openScope(scope: Omit<PlanScope, "index" | "members">): number {
    this.#scopes.push({ index: this.#scopes.length, members: [], ...scope });
    return this.#scopes.length - 1;
  }

  #push(step: Pick<PlanStep, "id" | "kind" | "hidden" | "scope"> & { slots?: number }): Draft<PlanStep> {
    const draft: Draft<PlanStep> = {
      index: this.#steps.length,
      name: step.id,
      slots: step.scope,
      body: null,
      isMap: false,
      incoming: [],
      outgoing: [],
      join: { kind: "all", quorum: 0, cancelRest: false },
      whenUnmet: "skip",
      onError: "fail",
      retry: { maxAttempts: 1, delayMs: 0, backoff: "fixed", factor: 1, maxDelayMs: 1000, jitter: 0, on: null },
      priority: 0,
      rank: 1,
      evaluates: false,
      evaluatesItems: false,
      startDelayMs: 0,
      sleepMs: 0,
      timeoutMs: null,
      deadlineMs: null,
      signal: null,
      host: STEP_HOST,
      ...step,
    };
    this.#steps.push(draft);
    return draft;
  }
}

const isAside = ({ spec }: Placed): boolean =>
  spec.deps.length > 0 && spec.deps.every(({ on }) => on === "failure" || on === "settled");

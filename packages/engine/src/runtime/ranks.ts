import { topologicalOrder } from "@braid/core";
import type { Plan, RunEvent } from "@braid/core";
import type { Store } from "../store/port.ts";
import type { PlanInfo } from "./plan-info.ts";

/** Past durations change slowly: a workflow's ranks are made once in this time. */
const HOUR_MS = 3_600_000;

interface Ranks {
  readonly id: string;
  readonly values: readonly number[];
}

/**
 * Longest remaining paths by past durations, so that of the steps that are ready the one with most work behind it is
 * admitted first. A row of ranks is immutable and named by the runs that use it; a workflow without past runs has none,
 * and then every step counts 1.
 */
export class RankSource {
  readonly #store: Store;
  readonly #known = new Map<string, Promise<Ranks | null>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The event that starts a run of this plan at that instant. */
  async startEvent(info: PlanInfo, at: number): Promise<Extract<RunEvent, { readonly type: "run.start" }>> {
    const ranks = await this.#ranks(info, at);
    return ranks === null
      ? { type: "run.start", at }
      : { type: "run.start", at, ranks: ranks.values, ranksId: ranks.id };
  }

  #ranks(info: PlanInfo, at: number): Promise<Ranks | null> {
    const id = `${info.workflow}@${info.version}/${Math.floor(at / HOUR_MS)}`;
    let ranks = this.#known.get(id);
    if (ranks === undefined) {
      if (this.#known.size > 500) this.#known.clear();
      ranks = this.#make(id, info);
      this.#known.set(id, ranks);
      // A store that could not answer now may later; until then the plan's own ranks do.
      ranks.catch(() => this.#known.delete(id));
    }
    return ranks.catch(() => null);
  }

  /** Another process may have made the row of this hour; then that is the one. */
  async #make(id: string, info: PlanInfo): Promise<Ranks | null> {
    // With one path through it, or one step at a time, there is nothing to choose between.
    if (!hasChoice(info)) return null;
    const stored = await this.#store.getRanks(id);
    if (stored !== null) return { id, values: stored };
    const durations = await this.#store.durations(info.workflow);
    if (Object.keys(durations).length === 0) return null;
    const values = ranksOf(info.plan, (step) => Number(durations[info.step(step).id] ?? 0));
    await this.#store.putRanks(id, values);
    // Whoever was first has named it.
    return { id, values: (await this.#store.getRanks(id)) ?? values };
  }
}

/** Whether two steps can ever be ready at the same time. */
function hasChoice({ plan }: PlanInfo): boolean {
  const visible = plan.steps.filter(({ hidden }) => !hidden);
  return (
    visible.filter(({ incoming }) => incoming.length === 0).length > 1 ||
    visible.some(({ outgoing }) => outgoing.length > 1)
  );
}

/**
 * Milliseconds on the longest path from each step to the end, itself included: a member's path goes on behind its
 * block, and a block counts as the longest path through its members.
 */
export function ranksOf(plan: Plan, durationOf: (step: number) => number): readonly number[] {
  const ranks = plan.steps.map(() => 0);
  /** Longest path behind a step: through its own edges, or those of the block around it. */
  const behind = (step: number): number => {
    let longest = 0;
    for (let at = step; at >= 0; at = plan.scopes[plan.steps[at]!.scope]!.owner) {
      for (const edge of plan.steps[at]!.outgoing) longest = Math.max(longest, ranks[plan.edges[edge]!.to]!);
    }
    return longest;
  };
  for (const step of topologicalOrder(plan).toReversed()) {
    const { body, isMap } = plan.steps[step]!;
    const members = body === null || isMap ? [] : plan.scopes[body]!.members;
    if (members.length === 0) ranks[step] = durationOf(step) + behind(step);
    else ranks[step] = Math.max(behind(step), ...members.map((member) => ranks[member]!));
  }
  return ranks;
}

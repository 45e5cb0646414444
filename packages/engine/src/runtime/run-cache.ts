import { loadState } from "@braid/core";
import type { JsonObject, RunState, StepRow } from "@braid/core";
import type { LoadedRun, NewRun, Store } from "../store/port.ts";
import type { PlanCache } from "./plan-cache.ts";
import type { PlanInfo } from "./plan-info.ts";
import type { StoreTime } from "./store-time.ts";

/** The parts of a run that never change. */
export interface RunFacts {
  readonly id: string;
  readonly priority: number;
  readonly parent: NewRun["parent"];
  readonly meta: JsonObject;
  readonly createdAt: number;
}

/**
 * A run's state in memory, as of one version.
 *
 * Only the commit loop changes `state` and `version`. Others read it, and must take `state` anew after every `await`:
 * when another process has written the run, the state is replaced as a whole.
 */
export class CachedRun {
  readonly facts: RunFacts;
  readonly info: PlanInfo;
  state: RunState;
  version: number;
  /** Leases when it was loaded; null once they may have changed. For the question which attempts were lost. */
  leases: LoadedRun["leases"] | null;
  /** Whether somebody has yet to ask what the loaded state waits for. */
  isUnattended: boolean;
  /** Whether it must be read again before the next event, because this copy turned out to be behind. */
  isBehind = false;
  /** Steps and items that wait for a signal, by its name; null: not collected since the state was replaced. */
  awaiting: Map<string, { readonly step: number; readonly task: number }[]> | null = null;

  constructor(facts: RunFacts, info: PlanInfo, loaded: { readonly state: RunState; readonly version: number }) {
    this.facts = facts;
    this.info = info;
    this.state = loaded.state;
    this.version = loaded.version;
    this.leases = null;
    this.isUnattended = false;
  }

  get id(): string {
    return this.facts.id;
  }

  /** Roughly how much memory it takes, in rows. */
  get weight(): number {
    let rows = this.state.steps.length;
    for (const map of this.state.maps.values()) rows += map.rows.length;
    return rows;
  }
}

/** Runs that this process has worked on, so that most batches need no read. The ones used longest ago go. */
export class RunCache {
  readonly #store: Store;
  readonly #plans: PlanCache;
  readonly #time: StoreTime;
  readonly #mostRuns: number;
  readonly #runs = new Map<string, CachedRun>();
  readonly #ranks = new Map<string, readonly number[]>();

  constructor(parts: { store: Store; plans: PlanCache; time: StoreTime; mostRuns: number }) {
    this.#store = parts.store;
    this.#plans = parts.plans;
    this.#time = parts.time;
    this.#mostRuns = parts.mostRuns;
  }

  /** The copy in memory, whatever its version. */
  peek(runId: string): CachedRun | undefined {
    return this.#runs.get(runId);
  }

  /** The run, at `version` or newer; null if there is none. */
  async get(runId: string, version: number): Promise<CachedRun | null> {
    const run = this.#runs.get(runId);
    if (run === undefined) return this.#load(runId);
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    if (run.version >= version && !run.isBehind) return run;
    return (await this.refresh(run)) ? run : null;
  }

  /** Keeps a run that was made here, or loaded. */
  keep(run: CachedRun): void {
    this.#runs.set(run.id, run);
    if (this.#runs.size <= this.#mostRuns) return;
    const oldest = this.#runs.keys().next().value;
    if (oldest !== undefined) this.#runs.delete(oldest);
  }

  drop(runId: string): void {
    this.#runs.delete(runId);
  }

  /** Reads what others have changed since the copy was right. False: the run is gone. */
  async refresh(run: CachedRun): Promise<boolean> {
    const newer = await this.#time.ask(() => orNothing(this.#store.loadNewer(run.id, run.version)));
    const loaded = newer.loaded;
    if (loaded === null) {
      this.#runs.delete(run.id);
      return false;
    }
    run.isBehind = false;
    run.leases = loaded.leases;
    if (loaded.version === run.version) return true;
    const changed = new Map(loaded.steps.map((row) => [rowName(row), row]));
    const rows = [...allRows(run.state)].filter((row) => !changed.has(rowName(row)));
    rows.push(...loaded.steps);
    const ranks = await this.#ranksOf(loaded.run.ranksId);
    run.state = loadState(run.info.plan, run.id, { run: loaded.run, steps: rows, ranks });
    run.version = loaded.version;
    run.isUnattended = true;
    run.awaiting = null;
    return true;
  }

  async #load(runId: string): Promise<CachedRun | null> {
    const { loaded } = await this.#time.ask(() => orNothing(this.#store.load(runId)));
    if (loaded === null) return null;
    const run = await this.build(loaded);
    this.keep(run);
    return run;
  }

  /** Makes a run of its rows without keeping it. */
  async build(loaded: LoadedRun): Promise<CachedRun> {
    const info = await this.#plans.get(loaded.workflow, loaded.workflowVersion);
    const ranks = await this.#ranksOf(loaded.run.ranksId);
    const state = loadState(info.plan, loaded.id, { run: loaded.run, steps: loaded.steps, ranks });
    const run = new CachedRun(loaded, info, { state, version: loaded.version });
    run.leases = loaded.leases;
    run.isUnattended = true;
    return run;
  }

  async #ranksOf(id: string | null): Promise<readonly number[] | null> {
    if (id === null) return null;
    const known = this.#ranks.get(id);
    if (known !== undefined) return known;
    const ranks = await this.#store.getRanks(id);
    if (ranks === null) return null;
    if (this.#ranks.size > 1_000) this.#ranks.clear();
    this.#ranks.set(id, ranks);
    return ranks;
  }
}

/** Every row of a state, in order of step, then item. */
export function* allRows(state: RunState): Generator<StepRow> {
  for (let step = 0; step < state.steps.length; step += 1) {
    const row = state.steps[step];
    if (row !== undefined) yield row;
    for (const item of state.maps.get(step)?.rows ?? []) if (item !== undefined) yield item;
  }
}

const rowName = (row: StepRow): string => `${row.step}/${row.task}`;

/** Gives "there is none" the shape of an answer; it tells nothing about the store's time. */
async function orNothing(asked: Promise<LoadedRun | null>): Promise<{ readonly now: number; readonly loaded: LoadedRun | null }> {
  const loaded = await asked;
  return { now: loaded?.now ?? Number.NaN, loaded };
}

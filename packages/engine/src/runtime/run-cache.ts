import { loadState, replaceRows } from "@braid/core";
import type { JsonObject, RunState, StepRow } from "@braid/core";
import type { Store } from "../store/port.ts";
import type { LoadedRun, NewRun } from "../store/records.ts";
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
  /** Whether it must be read again before the next event, because this copy turned out to be behind. */
  isBehind = false;
  /** Whether this process has created it: then it knows all about it. */
  isOwn = false;
  /** Works on it that are not committed yet. */
  works = 0;
  /** Whether the kernel failed on it: what is left in memory is good for nothing. */
  isBroken = false;
  /** Set while it is being brought up to date. */
  refreshing: Promise<boolean> | null = null;
  /** Steps and items that wait for a signal, by its name; null: not collected since the state was replaced. */
  awaiting: Map<string, { readonly step: number; readonly task: number }[]> | null = null;
  /** See `OpenEnds`; null: not collected since the state was replaced. */
  openEnds: Set<string> | null = null;
  /** Children that are known to have been started. */
  readonly knownChildren = new Set<string>();

  constructor(facts: RunFacts, info: PlanInfo, loaded: { readonly state: RunState; readonly version: number }) {
    this.facts = facts;
    this.info = info;
    this.state = loaded.state;
    this.version = loaded.version;
  }

  get id(): string {
    return this.facts.id;
  }

  /** Whether batches are changing it: then it must not be replaced under their hands. */
  get isOpen(): boolean {
    return this.works > 0;
  }

  /** Roughly how much memory it takes, in rows. */
  get weight(): number {
    let rows = this.state.steps.length;
    for (const map of this.state.maps.values()) rows += map.rows.length;
    return rows;
  }
}

/** Rows of all runs in the cache together; a row takes about half a kilobyte. */
const MOST_ROWS = 400_000;

/** Runs that this process has worked on, so that most batches need no read. The ones used longest ago go. */
export class RunCache {
  readonly #store: Store;
  readonly #plans: PlanCache;
  readonly #time: StoreTime;
  readonly #mostRuns: number;
  readonly #runs = new Map<string, CachedRun>();
  readonly #loading = new Map<string, Promise<CachedRun | null>>();
  /** Reads of runs that a batch has open, for those who only look. */
  readonly #reading = new Map<string, Promise<CachedRun | null>>();
  readonly #ranks = new Map<string, readonly number[]>();
  readonly #weights = new Map<string, number>();
  #rows = 0;

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

  /** The copy in memory if it is at `version` or newer, so that nobody has to wait. */
  current(runId: string, version: number): CachedRun | null {
    const run = this.#runs.get(runId);
    if (run === undefined || run.version < version || run.isBehind || run.refreshing !== null) return null;
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    return run;
  }

  /**
   * The run, at `version` or newer; null if there is none. While a batch has it open, a newer one is read for the
   * caller alone. A read that others began may have looked before that version was there; one that begins now shows what there
   * is, and if that is older a crash of the server has taken the version back.
   */
  async get(runId: string, version: number): Promise<CachedRun | null> {
    for (;;) {
      const current = this.current(runId, version);
      if (current !== null) return current;
      const { run, isOwnRead } = await this.#readNewer(runId);
      if (run === null || run.version >= version || isOwnRead) return run;
    }
  }

  /** Joins the read that is under way, or begins one. */
  async #readNewer(runId: string): Promise<{ readonly run: CachedRun | null; readonly isOwnRead: boolean }> {
    const run = this.#runs.get(runId);
    if (run === undefined) {
      const isOwnRead = !this.#loading.has(runId);
      return { run: await (this.#loading.get(runId) ?? this.#startLoading(runId)), isOwnRead };
    }
    if (run.isOpen && run.refreshing === null) {
      const isOwnRead = !this.#reading.has(runId);
      return { run: await this.#readShared(runId), isOwnRead };
    }
    const isOwnRead = run.refreshing === null;
    run.refreshing ??= this.#refresh(run);
    return { run: (await run.refreshing) ? run : null, isOwnRead };
  }

  /** Keeps a run that was made here, or loaded. */
  keep(run: CachedRun): void {
    if (run.isBroken) return;
    this.#rows += run.weight - (this.#weights.get(run.id) ?? 0);
    this.#weights.set(run.id, run.weight);
    this.#runs.set(run.id, run);
    while (this.#runs.size > this.#mostRuns || (this.#rows > MOST_ROWS && this.#runs.size > 1)) {
      const oldest = this.#runs.keys().next().value;
      if (oldest === undefined || oldest === run.id) return;
      this.drop(oldest);
    }
  }

  drop(runId: string): void {
    this.#runs.delete(runId);
    this.#rows -= this.#weights.get(runId) ?? 0;
    this.#weights.delete(runId);
  }

  /** The run as it is in the store now, for the caller alone. */
  async read(runId: string): Promise<CachedRun | null> {
    return this.#read(runId);
  }

  /** One read for all who ask for the run while it is under way. */
  #readShared(runId: string): Promise<CachedRun | null> {
    let reading = this.#reading.get(runId);
    if (reading === undefined) {
      reading = this.#read(runId).finally(() => this.#reading.delete(runId));
      this.#reading.set(runId, reading);
    }
    return reading;
  }

  #startLoading(runId: string): Promise<CachedRun | null> {
    const loading = this.#read(runId).then((run) => {
      if (run !== null) this.keep(run);
      return run;
    });
    this.#loading.set(runId, loading);
    const forget = (): void => void this.#loading.delete(runId);
    loading.then(forget, forget);
    return loading;
  }

  async #read(runId: string): Promise<CachedRun | null> {
    const { loaded } = await this.#time.ask(() => orNothing(this.#store.load(runId)));
    if (loaded === null) return null;
    const info = await this.#plans.get(loaded.workflow, loaded.workflowVersion);
    const ranks = await this.#ranksOf(loaded.run.ranksId);
    const state = loadState(info.plan, loaded.id, { run: loaded.run, steps: loaded.steps, ranks });
    return new CachedRun(loaded, info, { state, version: loaded.version });
  }

  /** Reads what others have changed since the copy was right. False: the run is gone. */
  async #refresh(run: CachedRun): Promise<boolean> {
    try {
      const { loaded } = await this.#time.ask(() => orNothing(this.#store.loadNewer(run.id, run.version)));
      return await this.bringUp(run, loaded);
    } finally {
      run.refreshing = null;
    }
  }

  /** Brings a copy up to what was read of the run just now, all of it that is newer. False: the run is gone. */
  async bringUp(run: CachedRun, loaded: LoadedRun | "same" | null): Promise<boolean> {
    if (loaded === null) {
      this.drop(run.id);
      return false;
    }
    run.isBehind = false;
    if (loaded === "same" || loaded.version === run.version) return true;
    if (run.state.ranks === null) run.state.ranks = await this.#ranksOf(loaded.run.ranksId);
    run.state = replaceRows(run.state, { run: loaded.run, steps: loaded.steps });
    run.version = loaded.version;
    run.awaiting = null;
    run.openEnds = null;
    return true;
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

/** Gives "there is none" the shape of an answer; it tells nothing about the store's time. */
async function orNothing(
  asked: Promise<LoadedRun | null>,
): Promise<{ readonly now: number; readonly loaded: LoadedRun | null }> {
  const loaded = await asked;
  return { now: loaded?.now ?? Number.NaN, loaded };
}

import type { CommitAnswers, RunCommit, Store } from "@braid/engine";

/** What a process asked of its store, and what was in vain. */
export interface StoreCounts {
  readonly commits: number;
  /** Runs of all commits. */
  readonly runs: number;
  /** Runs that another process had written first, or whose leases were gone. */
  readonly refused: number;
  /** Step rows computed for refused runs. */
  readonly wastedRows: number;
  /** Runs that were locked before they were computed. */
  readonly locked: number;
  readonly claims: number;
  readonly emptyClaims: number;
}

/** A task that a commit has put into a queue for whoever comes first, and when that commit was answered. */
export interface HandOver {
  readonly runId: string;
  readonly step: number;
  readonly at: number;
}

/** Milliseconds on a clock that all processes of this machine share. */
export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Counts what goes through a store, which otherwise does what it always does. */
export class CountedStore {
  readonly store: Store;
  readonly handOvers: HandOver[] = [];
  readonly #counts = { commits: 0, runs: 0, refused: 0, wastedRows: 0, locked: 0, claims: 0, emptyClaims: 0 };

  constructor(store: Store) {
    const commit = store.commit.bind(store);
    const claim = store.claim.bind(store);
    const lock = store.lock?.bind(store);
    store.commit = async (commits) => this.#note(commits, await commit(commits));
    store.claim = async (request) => {
      const answer = await claim(request);
      this.#counts.claims += 1;
      if (answer.tasks.length === 0) this.#counts.emptyClaims += 1;
      return answer;
    };
    if (lock !== undefined) {
      store.lock = async (requests) => {
        const locked = await lock(requests);
        this.#counts.locked += requests.length;
        return {
          loaded: locked.loaded,
          commit: async (commits) => this.#note(commits, await locked.commit(commits)),
          release: () => locked.release(),
        };
      };
    }
    this.store = store;
  }

  get counts(): StoreCounts {
    return { ...this.#counts };
  }

  reset(): void {
    this.handOvers.length = 0;
    for (const name of Object.keys(this.#counts) as (keyof StoreCounts)[]) this.#counts[name] = 0;
  }

  #note(commits: readonly RunCommit[], answers: CommitAnswers): CommitAnswers {
    const at = sharedNow();
    this.#counts.commits += 1;
    this.#counts.runs += commits.length;
    for (const [index, { kind }] of answers.answers.entries()) {
      const { runId, steps, enqueue } = commits[index]!;
      if (kind === "conflict" || kind === "fenced") {
        this.#counts.refused += 1;
        this.#counts.wastedRows += steps.length;
      }
      for (const { lease, step } of enqueue) if (lease === null) this.handOvers.push({ runId, step, at });
    }
    return answers;
  }
}

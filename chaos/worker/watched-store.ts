import { isBraidError } from "@braid/engine";
import type { CommitAnswers, RunCommit, Store } from "@braid/engine";
import type { OracleWriter } from "../oracle/writer.ts";

type Lock = NonNullable<Store["lock"]>;

/** Commits that have been sent and not been answered, by id. */
interface Open {
  readonly sentAt: number;
  broken: number;
}

/**
 * A store that writes down what the one behind it answers: leases it gave, commits it took, reports it refused, calls that failed.
 * It changes nothing.
 */
export function watchStore(store: Store, oracle: OracleWriter): Store {
  const watch = new StoreWatch(store, oracle);
  const methods: Partial<Store> = {
    claim: (request) => watch.claim(request),
    commit: (commits) => watch.commit(commits, (them) => store.commit(them)),
    ...(store.lock === undefined ? {} : { lock: (requests) => watch.lock(requests) }),
    heartbeat: (request) => watch.heartbeat(request),
    createRuns: (requests) => watch.createRuns(requests),
    sweep: (request) => watch.sweep(request),
    dueRuns: (limit) => watch.call("dueRuns", () => store.dueRuns(limit)),
    load: (runId) => watch.call("load", () => store.load(runId)),
    loadNewer: (runId, version) => watch.call("loadNewer", () => store.loadNewer(runId, version)),
    readPayloads: (requests) => watch.call("readPayloads", () => store.readPayloads(requests)),
    putSignal: (signal) => watch.call("putSignal", () => store.putSignal(signal)),
  };
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) return methods[name as keyof Store];
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

class StoreWatch {
  readonly #store: Store;
  readonly #oracle: OracleWriter;
  readonly #open = new Map<string, Open>();
  #isIll = false;

  constructor(store: Store, oracle: OracleWriter) {
    this.#store = store;
    this.#oracle = oracle;
  }

  async call<Answer>(name: string, call: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await call();
      if (this.#isIll) this.#oracle.write({ type: "well" });
      this.#isIll = false;
      return answer;
    } catch (error) {
      this.#isIll = true;
      const code = isBraidError(error) ? error.code : "unknown";
      const state = isBraidError(error) ? (error.details as { readonly code?: string } | undefined)?.code : undefined;
      this.#oracle.write({ type: "error", call: name, code, state: state ?? null });
      throw error;
    }
  }

  async claim(request: Parameters<Store["claim"]>[0]): ReturnType<Store["claim"]> {
    const answer = await this.call("claim", () => this.#store.claim(request));
    for (const { runId: run, step: stepIndex, task, attempt, token, handler, claimedAt } of answer.tasks) {
      const name = { run, stepIndex, task: Math.max(0, task), attempt };
      this.#oracle.write({ type: "claim", ...name, token, handler, claimedAt, grantedAt: claimedAt });
    }
    return answer;
  }

  async createRuns(requests: Parameters<Store["createRuns"]>[0]): ReturnType<Store["createRuns"]> {
    const sentAt = Date.now();
    const created = await this.call("createRuns", () => this.#store.createRuns(requests));
    for (const [index, { kind }] of created.answers.entries()) {
      if (kind === "created") this.#noteLeases(requests[index]!.commit, sentAt);
    }
    return created;
  }

  async heartbeat(request: Parameters<Store["heartbeat"]>[0]): ReturnType<Store["heartbeat"]> {
    const answer = await this.call("heartbeat", () => this.#store.heartbeat(request));
    for (const [index, { kind }] of answer.leases.entries()) {
      if (kind === "lost") this.#oracle.write({ type: "lost", call: "heartbeat", run: request.leases[index]!.runId });
    }
    return answer;
  }

  async sweep(request: Parameters<Store["sweep"]>[0]): ReturnType<Store["sweep"]> {
    const answer = await this.call("sweep", () => this.#store.sweep(request));
    for (const { runId: run, step: stepIndex, task, attempt } of answer.lost)
      this.#oracle.write({ type: "revoked", run, stepIndex, task: Math.max(0, task), attempt });
    return answer;
  }

  /** Runs that are held: their commit is one like any other. */
  async lock(requests: Parameters<Lock>[0]): ReturnType<Lock> {
    const held = await this.call("lock", () => this.#store.lock!(requests));
    return {
      loaded: held.loaded,
      commit: (commits) => this.commit(commits, (them) => held.commit(them)),
      release: () => held.release(),
    };
  }

  async commit(
    commits: readonly RunCommit[],
    send: (commits: readonly RunCommit[]) => Promise<CommitAnswers>,
  ): Promise<CommitAnswers> {
    for (const { commitId } of commits) {
      if (!this.#open.has(commitId)) this.#open.set(commitId, { sentAt: Date.now(), broken: 0 });
    }
    let answers: CommitAnswers;
    try {
      answers = await this.call("commit", () => send(commits));
    } catch (error) {
      for (const { commitId } of commits) this.#open.get(commitId)!.broken += 1;
      throw error;
    }
    for (const [index, answer] of answers.answers.entries()) this.#take(commits[index]!, answer);
    return answers;
  }

  #take(commit: RunCommit, answer: CommitAnswers["answers"][number]): void {
    const { runId: run, commitId, trace } = commit;
    const isStacked = commit.follows !== undefined;
    const { broken, sentAt } = this.#open.get(commitId)!;
    this.#open.delete(commitId);
    if (answer.kind === "fenced") {
      for (const _ of answer.fences) this.#oracle.write({ type: "lost", call: "commit", run });
    }
    if (answer.kind !== "accepted" && answer.kind !== "repeat") {
      if (isStacked) this.#oracle.write({ type: "toppled", run });
      return;
    }
    const numbers = { first: trace[0]?.seq ?? null, last: trace.at(-1)?.seq ?? null };
    this.#oracle.write({ type: "commit", run, kind: answer.kind, ...numbers, broken, isStacked });
    this.#noteLeases(commit, sentAt);
  }

  /** Tasks that a commit gave to this worker. */
  #noteLeases({ runId: run, enqueue }: RunCommit, grantedAt: number): void {
    for (const { step: stepIndex, task, attempt, handler, lease } of enqueue) {
      if (lease === null) continue;
      const name = { run, stepIndex, task: Math.max(0, task), attempt };
      this.#oracle.write({ type: "claim", ...name, token: lease.token, handler, claimedAt: null, grantedAt });
    }
  }
}

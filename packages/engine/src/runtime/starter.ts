import { createState } from "@braid/core";
import type { JsonObject, JsonValue, RunOverrides } from "@braid/core";
import type { CreateAnswer, NewRun, NewRunRequest } from "../store/records.ts";
import type { CommitAnswer, RunCommit } from "../store/run-commit.ts";
import { EngineError } from "./errors.ts";
import type { Report } from "./outbox.ts";
import { eventReport } from "./outbox.ts";
import type { PlanInfo } from "./plan-info.ts";
import type { RankSource } from "./ranks.ts";
import { CachedRun } from "./run-cache.ts";
import type { RunWork, WorkPlace } from "./run-work.ts";
import type { Needs } from "./work-context.ts";
import type { ValueCache } from "./value-cache.ts";

/** A run to be created. */
export interface StartRequest {
  readonly id: string;
  readonly info: PlanInfo;
  /** Checked, with defaults. */
  readonly input: JsonValue;
  readonly idempotencyKey: string | null;
  readonly priority: number;
  readonly overrides: RunOverrides;
  readonly meta: JsonObject;
  readonly parent: NewRun["parent"];
  /** The group of runs of its workflow that it belongs to. */
  readonly group: string | null;
  /** Whether it starts at once; else it stays queued. */
  readonly startsNow: boolean;
}

/** What came of it. */
export type Started =
  | { readonly kind: "created"; readonly run: CachedRun }
  /** There is a run with the same workflow and idempotency key. */
  | { readonly kind: "exists"; readonly runId: string };

export interface StarterContext {
  readonly values: ValueCache;
  readonly ranks: RankSource;
  now(): number;
  newCommitId(): string;
  newWork(run: CachedRun, reports: readonly Report[], place: WorkPlace): RunWork;
  provide(needs: readonly (readonly [RunWork, Needs])[]): Promise<void>;
  createRun(request: NewRunRequest): Promise<CreateAnswer>;
  onAccepted(work: RunWork, answer: Extract<CommitAnswer, { readonly kind: "accepted" | "repeat" }>): void;
}

/**
 * Creates runs. The first transitions (created, started, first tasks queued) are computed before the run is in the
 * store and are inserted with it, in one write.
 */
export class Starter {
  readonly #context: StarterContext;

  constructor(context: StarterContext) {
    this.#context = context;
  }

  async start(request: StartRequest): Promise<Started> {
    const { id, info, priority, meta, parent, input } = request;
    const { values } = this.#context;
    const state = createState(info.plan, id);
    const facts = { id, priority, parent, meta, createdAt: this.#context.now() };
    const run = new CachedRun(facts, info, { state, version: 0 });
    values.put(
      { runId: id, epoch: 1 },
      { step: -1, task: -1 },
      { values: { output: input, patch: null, items: null, childInput: undefined }, bytes: 256 },
    );
    const place = { room: { rows: Infinity, bytes: Infinity }, below: null };
    const work = this.#context.newWork(run, await this.#reports(request), place);
    for (let needs = work.advance(); needs !== null; needs = work.advance())
      await this.#context.provide([[work, needs]]);

    const commit = work.toCommit(this.#context.newCommitId());
    const answer = await this.#create(request, commit, work);
    if (answer.kind !== "created") work.undo();
    if (answer.kind === "exists") return { kind: "exists", runId: answer.runId };
    if (answer.kind === "rejected") {
      throw new EngineError("invalid_input", `Run \`${id}\` cannot be kept: ${answer.message}`);
    }
    run.version = answer.version;
    run.isOwn = true;
    this.#context.onAccepted(work, { kind: "accepted", version: answer.version, cancels: [] });
    return { kind: "created", run };
  }

  async #create(request: StartRequest, commit: RunCommit, work: RunWork): Promise<CreateAnswer> {
    const { id, info, input, priority, idempotencyKey, parent, meta, group } = request;
    const run = {
      id,
      workflow: info.workflow,
      workflowVersion: info.version,
      input,
      priority,
      idempotencyKey,
      parent,
      meta,
      group,
    };
    try {
      return await this.#context.createRun({ run, commit });
    } catch (error) {
      work.undo();
      throw error;
    }
  }

  async #reports({ id, info, overrides, startsNow }: StartRequest): Promise<readonly Report[]> {
    const create = eventReport(id, { type: "run.create", at: this.#context.now(), overrides });
    if (!startsNow) return [create];
    return [create, eventReport(id, await this.#context.ranks.startEvent(info, this.#context.now()))];
  }
}

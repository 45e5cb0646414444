import { evaluateText, isProblems, isTerminal, parseTemplate } from "@braid/core";
import type { JsonValue } from "@braid/core";
import type { RunSummaryRow, Store } from "../store/port.ts";
import type { Clock } from "./clock.ts";
import { sleep } from "./clock.ts";
import { EngineError } from "./errors.ts";
import type { PlanInfo } from "./plan-info.ts";

/** Where a run keeps the name of its group. */
export const GROUP_KEY = "concurrencyGroup";

const PAGE = 200;

export interface GroupContext {
  readonly store: Store;
  readonly clock: Clock;
  /** The store's clock, asked now. */
  storeNow(): Promise<number>;
  /** The group of a run, as its meta says; null: it is in none. */
  groupOf(runId: string): Promise<string | null>;
  start(runId: string): void;
  cancel(runId: string): void;
}

/**
 * Limits over runs of one workflow (`concurrency`): at most `max` runs of a group are under way, the others wait in the
 * order in which they were created.
 *
 * No lock and no counter: a run is created *queued* first, and starts once fewer than `max` runs of its group are
 * before it, counting those that have started and those that were created earlier and have not ended. The order is the
 * instant of creation by the store's clock, ties by id, and a run looks only when that clock has moved on: every run
 * that could stand before it is visible by then. So of any set of runs under way, the one created last saw all others
 * and found room for itself, whichever process looked and however often.
 */
export class RunGroups {
  readonly #context: GroupContext;
  readonly #groups = new Map<string, string | null>();

  constructor(context: GroupContext) {
    this.#context = context;
  }

  /** Whether the run may start now; if so it is told to. With `cancelRunning` those before it are told to end. */
  async tryStart(run: RunPlace, limit: GroupLimit): Promise<boolean> {
    const { before, isQueued } = await this.#standing(run);
    if (!isQueued) return false;
    if (before.length < limit.max) {
      this.#context.start(run.id);
      return true;
    }
    if (limit.onConflict === "cancelRunning") {
      const oldestFirst = before.toSorted((a, b) => (isOlder(a, b) ? -1 : 1));
      for (const other of oldestFirst.slice(0, before.length - limit.max + 1)) this.#context.cancel(other.id);
    }
    return false;
  }

  /** A run of the workflow has ended: looks at those that wait, oldest first. */
  async startWaiting(info: PlanInfo): Promise<void> {
    const limit = info.plan.host.concurrency;
    if (limit === null) return;
    const queued = await this.#list(info.workflow, ["queued"]);
    for (const { id } of queued.toSorted((a, b) => (isOlder(a, b) ? -1 : 1))) {
      const group = await this.#groupOf(id);
      if (group !== null) await this.tryStart({ id, workflow: info.workflow, group }, limit);
    }
  }

  /** Who stands before the run, as of an instant after the one that the store has stamped it with. */
  async #standing(run: RunPlace): Promise<{ readonly before: readonly RunSummaryRow[]; readonly isQueued: boolean }> {
    for (;;) {
      const now = await this.#context.storeNow();
      const active = await this.#list(run.workflow, ["queued", "running", "paused"]);
      const own = active.find(({ id }) => id === run.id);
      if (own?.run.status !== "queued") return { before: [], isQueued: false };
      // What the store stamps with the same millisecond might still come to stand before this one.
      if (now <= own.createdAt) {
        await sleep(this.#context.clock, 1);
        continue;
      }
      const before: RunSummaryRow[] = [];
      for (const other of active) {
        if (other.id === run.id || (await this.#groupOf(other.id)) !== run.group) continue;
        if (hasStarted(other) || isOlder(other, own)) before.push(other);
      }
      return { before, isQueued: true };
    }
  }

  async #list(workflow: string, status: RunSummaryRow["run"]["status"][]): Promise<readonly RunSummaryRow[]> {
    const found: RunSummaryRow[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await this.#context.store.listRuns({
        workflow,
        status,
        limit: PAGE,
        ...(before === undefined ? {} : { before }),
      });
      found.push(...page);
      before = page.at(-1)?.id;
      if (page.length < PAGE || before === undefined) return found;
    }
  }

  async #groupOf(runId: string): Promise<string | null> {
    const known = this.#groups.get(runId);
    if (known !== undefined) return known;
    const group = await this.#context.groupOf(runId);
    if (this.#groups.size > 10_000) this.#groups.clear();
    this.#groups.set(runId, group);
    return group;
  }
}

export interface RunPlace {
  readonly id: string;
  readonly workflow: string;
  readonly group: string;
}

type GroupLimit = NonNullable<PlanInfo["plan"]["host"]["concurrency"]>;

const hasStarted = ({ run }: RunSummaryRow): boolean => run.status !== "queued" && !isTerminal(run.status);

type Created = { readonly id: string; readonly createdAt: number };

const isOlder = (a: Created, b: Created): boolean =>
  a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id);

/** The name of the group that a new run belongs to: a template over its input. */
export function groupName(info: PlanInfo, input: JsonValue): string {
  const { group } = info.plan.host.concurrency!;
  const template = parseTemplate(group);
  const result = isProblems(template)
    ? ({ ok: false, message: template[0]?.message ?? "it is not a template" } as const)
    : evaluateText(template, { inputs: input, run: { workflow: info.workflow, version: info.version } });
  if (result.ok) return result.value;
  throw new EngineError("invalid_input", `\`concurrency.group\` of workflow \`${info.workflow}\`: ${result.message}`);
}

import { evaluateText, isProblems, parseTemplate } from "@braid/core";
import type { JsonValue } from "@braid/core";
import type { Store } from "../store/port.ts";
import type { RunSummaryRow } from "../store/records.ts";
import { EngineError } from "./errors.ts";
import type { PlanInfo } from "./plan-info.ts";

/** Where a run keeps the name of its group. */
export const GROUP_KEY = "concurrencyGroup";

const PAGE = 200;

export interface GroupContext {
  readonly store: Store;
  start(runId: string): void;
  cancel(runId: string): void;
}

/**
 * Limits over runs of one workflow (`concurrency`): at most `max` runs of a group are under way, the others wait in the
 * order in which they were created.
 *
 * A run is created *queued* first, with the next place in its group, and starts once fewer than `max` runs of its group are
 * before it, counting those that have started and those with a lower place that have not ended. Whoever sees a run sees all with
 * lower places (`RunSummaryRow.groupPlace`), and a run looks only when it is there itself. So of any set of runs under way,
 * the one with the highest place saw all others and found room for itself, whichever process looked and however often.
 */
export class RunGroups {
  readonly #context: GroupContext;

  constructor(context: GroupContext) {
    this.#context = context;
  }

  /**
   * Whether the run may start now, and is told to, or has been started by whoever made room for it. With `cancelRunning` those before
   * it are told to end.
   */
  async tryStart(run: RunPlace, limit: GroupLimit): Promise<boolean> {
    return this.#tryStart(run.id, await this.#active(run), limit);
  }

  /** A run has ended: looks at those of its group that wait, oldest first. */
  async startWaiting(group: Omit<RunPlace, "id">, limit: GroupLimit): Promise<void> {
    const active = await this.#active(group);
    // One that has started is before all others: as many may follow as there is room for, and no further look is needed.
    for (const { id, run } of active) if (run.status === "queued") this.#tryStart(id, active, limit);
  }

  #tryStart(runId: string, active: readonly RunSummaryRow[], limit: GroupLimit): boolean {
    const own = active.find(({ id }) => id === runId);
    // It may even have ended.
    if (own?.run.status !== "queued") return true;
    const before = active.filter((other) => other !== own && (hasStarted(other) || placeOf(other) < placeOf(own)));
    if (before.length < limit.max) {
      this.#context.start(runId);
      return true;
    }
    if (limit.onConflict === "cancelRunning") {
      for (const { id } of before.slice(0, before.length - limit.max + 1)) this.#context.cancel(id);
    }
    return false;
  }

  /** Runs of the group that have not ended, those with the lowest places first. */
  async #active({ workflow, group }: Omit<RunPlace, "id">): Promise<readonly RunSummaryRow[]> {
    const status = ["queued", "running", "paused"] as const;
    const found: RunSummaryRow[] = [];
    let before: string | undefined;
    for (;;) {
      const filter = { workflow, group, status, limit: PAGE, ...(before === undefined ? {} : { before }) };
      const page = await this.#context.store.listRuns(filter);
      found.push(...page);
      before = page.at(-1)?.id;
      if (page.length < PAGE || before === undefined) break;
    }
    return found.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

export interface RunPlace {
  readonly id: string;
  readonly workflow: string;
  readonly group: string;
}

type GroupLimit = NonNullable<PlanInfo["plan"]["host"]["concurrency"]>;

const hasStarted = ({ run }: RunSummaryRow): boolean => run.status !== "queued";

const placeOf = ({ groupPlace }: RunSummaryRow): number => groupPlace ?? 0;

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

import type { Store } from "../store/port.ts";
import type { Clock } from "./clock.ts";
import { EngineError } from "./errors.ts";
import { PlanInfo } from "./plan-info.ts";

/** A worker meets few workflows; this bounds a server that meets many. */
const MOST_PLANS = 200;

const NEWEST_FOR_MS = 200;

/** Plans by workflow and version. A version never changes, so what is here is right for ever. */
export class PlanCache {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #plans = new Map<string, PlanInfo>();
  readonly #newest = new Map<string, { readonly info: PlanInfo; readonly readAt: number }>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The plan of one version, as a run names it. */
  async get(workflow: string, version: number): Promise<PlanInfo> {
    const key = keyOf(workflow, version);
    const known = this.#plans.get(key);
    if (known !== undefined) {
      this.#plans.delete(key);
      this.#plans.set(key, known);
      return known;
    }
    const stored = await this.#store.getWorkflow(workflow, version);
    if (stored === null) {
      throw new EngineError("unknown_workflow", `Version ${version} of workflow \`${workflow}\` is not in the store.`);
    }
    return this.keep(new PlanInfo(workflow, version, checked(workflow, stored.plan)));
  }

  /**
   * The newest version; null where there is none. What another process stores is seen within a moment: reading a whole
   * plan for each of many starts would cost more than the starts.
   */
  async newest(workflow: string): Promise<PlanInfo | null> {
    const now = this.#clock.now();
    const latest = this.#newest.get(workflow);
    if (latest !== undefined && now - latest.readAt < NEWEST_FOR_MS) return latest.info;
    const stored = await this.#store.getWorkflow(workflow);
    if (stored === null) return null;
    const known = this.#plans.get(keyOf(workflow, stored.version));
    const info = known ?? this.keep(new PlanInfo(workflow, stored.version, checked(workflow, stored.plan)));
    if (this.#newest.size > MOST_PLANS) this.#newest.clear();
    this.#newest.set(workflow, { info, readAt: now });
    return info;
  }

  /** Remembers a plan; the one used longest ago goes. */
  keep(info: PlanInfo): PlanInfo {
    this.#newest.delete(info.workflow);
    const key = keyOf(info.workflow, info.version);
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    this.#plans.set(key, info);
    if (this.#plans.size > MOST_PLANS) {
      const oldest = this.#plans.keys().next().value;
      if (oldest !== undefined) this.#plans.delete(oldest);
    }
    return info;
  }
}

const keyOf = (workflow: string, version: number): string => `${version} ${workflow}`;

function checked<Plan extends { readonly planVersion: number }>(workflow: string, plan: Plan): Plan {
  if (plan.planVersion === 1) return plan;
  throw new EngineError(
    "unknown_workflow",
    `The plan of workflow \`${workflow}\` has version ${plan.planVersion}, which this version of Braid does not know.`,
  );
}

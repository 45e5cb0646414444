import { topologicalOrder } from "@braid/core";
import type { Plan, PlanStep } from "@braid/core";
import { parseControl, parsePayload } from "./step-templates.ts";
import type { ControlTemplates, PayloadTemplates } from "./step-templates.ts";
import { parseValue } from "./templates.ts";
import type { ParsedValue } from "./templates.ts";

/** A stored plan with what the runtime looks up in it again and again. Each part is made when it is first asked for. */
export class PlanInfo {
  readonly workflow: string;
  readonly version: number;
  readonly plan: Plan;
  #byId: Map<string, number> | undefined;
  #writers: readonly number[] | undefined;
  #hasEarlyJoin: boolean | undefined;
  #hasChildren: boolean | undefined;
  #output: ParsedValue | undefined;
  #visibleSteps: readonly number[] | undefined;
  readonly #sources: (readonly number[] | undefined)[] = [];
  readonly #payloads: (PayloadTemplates | undefined)[] = [];
  readonly #controls: (ControlTemplates | undefined)[] = [];
  readonly #sets: (ParsedValue | undefined)[] = [];

  constructor(workflow: string, version: number, plan: Plan) {
    this.workflow = workflow;
    this.version = version;
    this.plan = plan;
  }

  step(index: number): PlanStep {
    return this.plan.steps[index]!;
  }

  /**
   * Index of a step by its id or, failing that, by its name; undefined where there is none. Hidden steps have neither.
   */
  find(idOrName: string): number | undefined {
    if (this.#byId === undefined) {
      this.#byId = new Map();
      for (const step of this.plan.steps) if (!step.hidden) this.#byId.set(step.id, step.index);
      for (const step of this.plan.steps) {
        if (!step.hidden && !this.#byId.has(step.name)) this.#byId.set(step.name, step.index);
      }
    }
    return this.#byId.get(idOrName);
  }

  payload(step: number): PayloadTemplates {
    return (this.#payloads[step] ??= parsePayload(this.step(step)));
  }

  control(step: number): ControlTemplates {
    return (this.#controls[step] ??= parseControl(this.step(step)));
  }

  /** The template of a step's shard of the shared context. */
  set(step: number): ParsedValue {
    return (this.#sets[step] ??= parseValue(this.step(step).host.set ?? {}, undefined));
  }

  /** The template of the run's output. */
  get output(): ParsedValue {
    return (this.#output ??= parseValue(this.plan.host.output, undefined));
  }

  /** Steps that have an id of their own, in definition order: what results show. */
  get visibleSteps(): readonly number[] {
    this.#visibleSteps ??= this.plan.steps.filter(({ hidden }) => !hidden).map(({ index }) => index);
    return this.#visibleSteps;
  }

  /** Steps that write to the shared context, in the order in which their shards are merged. */
  get writers(): readonly number[] {
    this.#writers ??= this.plan.steps.some(({ host }) => host.set !== null)
      ? topologicalOrder(this.plan).filter((step) => this.plan.steps[step]!.host.set !== null)
      : [];
    return this.#writers;
  }

  /**
   * Whether a join may fire before all its sources have settled. Where none does, a step sees every ancestor that has
   * settled before its join fired, and no walk over the graph is needed to tell.
   */
  get hasEarlyJoin(): boolean {
    this.#hasEarlyJoin ??= this.plan.steps.some(({ join }) => join.kind !== "all" && join.kind !== "settled");
    return this.#hasEarlyJoin;
  }

  get hasChildren(): boolean {
    this.#hasChildren ??= this.plan.steps.some(({ kind }) => kind === "child");
    return this.#hasChildren;
  }

  /** Steps that a step depends on directly, in definition order; a hidden group stands for its members. */
  sources(step: number): readonly number[] {
    let sources = this.#sources[step];
    if (sources === undefined) {
      const found = new Set<number>();
      for (const edge of this.plan.steps[step]!.incoming) this.#addVisible(this.plan.edges[edge]!.from, found);
      sources = [...found].toSorted((a, b) => a - b);
      this.#sources[step] = sources;
    }
    return sources;
  }

  /** The step itself, or the visible members of a hidden group in its place. */
  #addVisible(step: number, found: Set<number>): void {
    const planStep = this.plan.steps[step]!;
    if (!planStep.hidden) found.add(step);
    else if (planStep.body !== null) {
      for (const member of this.plan.scopes[planStep.body]!.members) this.#addVisible(member, found);
    }
  }
}

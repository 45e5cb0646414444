import { compile } from "@braid/core";
import type { Definition, JsonObject, JsonValue } from "@braid/core";
import type { Registered, WorkflowSource } from "../engine.ts";
import { hashJson } from "./definition-hash.ts";
import { hostFeatures } from "./host-features.ts";
import { EngineError, InvalidDefinition, InvalidInput } from "./errors.ts";
import type { PlanCache } from "./plan-cache.ts";
import { PlanInfo } from "./plan-info.ts";
import type { HandlerRegistry } from "./registry.ts";
import { withTypeDefaults } from "./type-defaults.ts";
import type { Store } from "../store/port.ts";

/** Compiles and stores workflows, and finds stored ones. */
export class Workflows {
  readonly #store: Store;
  readonly #plans: PlanCache;
  readonly #registry: HandlerRegistry;
  /** What was registered here: the same definition is compiled once. */
  readonly #registered = new WeakMap<Definition, Promise<PlanInfo>>();

  constructor(parts: { store: Store; plans: PlanCache; registry: HandlerRegistry }) {
    this.#store = parts.store;
    this.#plans = parts.plans;
    this.#registry = parts.registry;
  }

  async register(source: Exclude<WorkflowSource, string>): Promise<Registered> {
    const { workflow, version, plan } = await this.#register(source);
    return { name: workflow, version, plan };
  }

  /** The plan that a new run of the workflow uses: the newest version of a name. */
  async resolve(source: WorkflowSource): Promise<PlanInfo> {
    if (typeof source !== "string") return this.#register(source);
    const info = await this.#plans.newest(source);
    if (info !== null) return info;
    throw new EngineError("unknown_workflow", `There is no workflow \`${source}\` in the store.`);
  }

  /**
   * What a workflow in code makes of an input by its own schema, which may convert it; null where there is none and the
   * plan's own schema decides. Throws `InvalidInput`.
   */
  async checkInput(source: WorkflowSource, input: JsonObject): Promise<unknown> {
    if (typeof source === "string" || !("definition" in source) || source.inputSchema == null) return null;
    const result = await source.inputSchema["~standard"].validate(input);
    if (result.issues === undefined) return result.value;
    const problems = result.issues.map(({ message, path = [] }) => {
      const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
      return keys.length === 0 ? message : `\`${keys.join(".")}\`: ${message}`;
    });
    throw new InvalidInput(source.definition.name, problems);
  }

  async #register(source: Exclude<WorkflowSource, string>): Promise<PlanInfo> {
    if (!("definition" in source)) return this.#keep(source);
    if (source.functions !== undefined) this.#registry.addFunctions(source.functions);
    for (const child of source.children ?? []) await this.#register(child);
    return this.#keep(source.definition);
  }

  #keep(definition: Definition): Promise<PlanInfo> {
    let stored = this.#registered.get(definition);
    if (stored === undefined) {
      stored = this.#compileAndStore(definition);
      this.#registered.set(definition, stored);
      stored.catch(() => this.#registered.delete(definition));
    }
    return stored;
  }

  async #compileAndStore(written: Definition): Promise<PlanInfo> {
    const definition = withTypeDefaults(written, (type) => this.#registry.defaultsOf(type));
    const { plan, diagnostics } = compile(definition, { types: this.#registry.typeNames(), features: hostFeatures });
    if (plan === null) throw new InvalidDefinition(definition.name, diagnostics);
    const { name } = definition;
    const hash = hashJson(plan as unknown as JsonValue);
    const record = { name, hash, definition: definition as unknown as JsonValue, plan };
    const { version } = await this.#store.putWorkflow(record);
    return this.#plans.keep(new PlanInfo(name, version, plan));
  }
}

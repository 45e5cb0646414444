import { evaluateText, isProblems, parseTemplate } from "@braid/core";
import type { JsonObject, JsonValue } from "@braid/core";
import type { Evaluated } from "./evaluated.ts";
import type { ReadValues } from "./outputs.ts";
import type { Sight } from "./sight.ts";
import type { Reads } from "./templates.ts";

/** What a scope needs beside the state of the run. */
export interface ScopeParts {
  readonly sight: Sight;
  readonly read: ReadValues;
  /** Steps that the expressions name: only these are in `steps`. */
  readonly reads: Reads;
  /** Declared variables, as templates; later ones win. */
  readonly env: readonly JsonObject[];
  /** Variables that are there without being declared. */
  readonly inheritedEnv: Readonly<Record<string, string>>;
  /** Values of secrets by name; null where secrets may not be read. */
  readonly secrets: Readonly<Record<string, string>> | null;
  /** Merged shards of the shared context, made when it is asked for. */
  readonly context: () => JsonObject;
  /** Item of a map and the second name it goes by. */
  readonly item?: { readonly value: JsonValue; readonly index: number; readonly as: string | undefined };
  /** For `set`, which may read the step's own output. */
  readonly own?: OwnOutput;
}

export interface OwnOutput {
  readonly step: number;
  readonly output: () => JsonValue;
}

/** The contexts of DESIGN's expressions for one step or item. Everything is made when it is first read. */
export class StepScope {
  readonly #parts: ScopeParts;
  readonly #made = new Map<string, unknown>();

  constructor(parts: ScopeParts) {
    this.#parts = parts;
  }

  get(context: string): unknown {
    if (this.#made.has(context)) return this.#made.get(context);
    const value = this.#make(context);
    this.#made.set(context, value);
    return value;
  }

  #make(context: string): unknown {
    const { sight, read, item, secrets } = this.#parts;
    switch (context) {
      case "inputs":
        return read(-1, -1).output ?? {};
      case "steps":
        return this.#steps();
      case "run":
        return sight.run();
      case "env":
        return this.#env();
      case "secrets":
        return secrets ?? undefined;
      case "context":
        return this.#parts.context();
      case "error":
        return sight.errors()[0];
      case "errors":
        return sight.errors();
      case "item":
        return item?.value;
      case "index":
        return item?.index;
      default:
        return context === item?.as ? item.value : undefined;
    }
  }

  #steps(): Record<string, unknown> {
    const { sight, read, reads, own } = this.#parts;
    const steps: Record<string, unknown> = {};
    for (const name of reads.steps) {
      const index = sight.info.find(name);
      if (index === undefined) continue;
      if (index === own?.step) lazily(steps, name, () => ({ status: "completed", error: null, output: own.output() }));
      else lazily(steps, name, () => sight.view(index, read));
    }
    return steps;
  }

  /**
   * A variable's template may name inputs, secrets and other variables; one that has no value, or names itself, is not
   * there.
   */
  #env(): Record<string, unknown> {
    const env: Record<string, unknown> = { ...this.#parts.inheritedEnv };
    for (const declared of this.#parts.env) {
      for (const [name, value] of Object.entries(declared)) {
        lazily(env, name, () => {
          const text = this.variable(value);
          return text.ok ? text.value : undefined;
        });
      }
    }
    return env;
  }

  /** The text of a variable. */
  variable(value: JsonValue): Evaluated<string> {
    if (value === null) return { ok: true, value: "" };
    const template = parseTemplate(typeof value === "string" ? value : JSON.stringify(value));
    if (isProblems(template)) return { ok: false, message: template[0]?.message ?? "it is not a template" };
    return evaluateText(template, this);
  }
}

/** Adds a member that is made when it is first read; while it is being made it does not exist. */
function lazily(object: Record<string, unknown>, name: string, make: () => unknown): void {
  let state: "new" | "making" | "made" = "new";
  let value: unknown;
  Object.defineProperty(object, name, {
    enumerable: true,
    configurable: true,
    get: () => {
      if (state !== "new") return value;
      state = "making";
      value = make();
      state = "made";
      return value;
    },
  });
}

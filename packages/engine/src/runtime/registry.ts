import type { JsonValue } from "@braid/core";
import type { StepTypeDefaults } from "../steps/define-step-type.ts";
import type { StepContext, StepResult, StepType } from "../steps/step-type.ts";
import type { FunctionTable } from "./control.ts";

/** What runs attempts of one handler. */
export interface Handler {
  /** A step type's input is the evaluated `with`; a function's is that of the run. */
  readonly kind: "type" | "function";
  /** Whether it may read any dependency and the shared context, and not only what templates name. */
  readonly readsAll: boolean;
  /** Calls the code. It may throw at once, and what it gives may be a promise: of what `toResult` reads. */
  run(context: StepContext): unknown;
  toResult(given: unknown): StepResult;
}

export type LoadType = () => Promise<StepType>;

/**
 * Handlers that this process has, by the name under which plans refer to them. Built-in types are loaded when first
 * used.
 */
export class HandlerRegistry {
  readonly functions: FunctionTable;
  readonly #builtIn: ReadonlyMap<string, LoadType>;
  readonly #handlers = new Map<string, Handler | Promise<Handler>>();
  readonly #functions = new Map<string, (input: never) => unknown>();
  readonly #types = new Map<string, StepType & StepTypeDefaults>();
  #names: readonly string[] | null = null;

  constructor(builtIn: ReadonlyMap<string, LoadType>, types: readonly (StepType & StepTypeDefaults)[]) {
    this.#builtIn = builtIn;
    this.functions = this.#functions;
    for (const type of types) {
      // Which of them a step means could not be said.
      if (this.has(type.name)) throw new TypeError(`There are two step types with the name \`${type.name}\`.`);
      this.#types.set(type.name, type);
      this.#handlers.set(type.name, typeHandler(type, true));
    }
  }

  /**
   * Adds functions of the builder: handlers by `workflow/step`, control values by the name that the plan gives them.
   */
  addFunctions(functions: ReadonlyMap<string, (input: never) => unknown>): void {
    this.#names = null;
    for (const [name, run] of functions) {
      this.#functions.set(name, run);
      this.#handlers.set(name, functionHandler(run));
    }
  }

  /** What a registered step type asks of the steps that use it. */
  defaultsOf(name: string): StepTypeDefaults | undefined {
    return this.#types.get(name);
  }

  has(name: string): boolean {
    return this.#handlers.has(name) || this.#builtIn.has(name);
  }

  /** The handler; at once if it was used before. */
  get(name: string): Handler | Promise<Handler> | undefined {
    const known = this.#handlers.get(name);
    if (known !== undefined) return known;
    const load = this.#builtIn.get(name);
    if (load === undefined) return undefined;
    const loading = load().then((type): Handler => {
      const handler = typeHandler(type, false);
      this.#handlers.set(name, handler);
      return handler;
    });
    this.#handlers.set(name, loading);
    // A load that failed is tried again: the reason may have been passing.
    loading.catch(() => this.#handlers.delete(name));
    return loading;
  }

  /** Names for a claim: the same list until a handler comes. */
  names(): readonly string[] {
    this.#names ??= [...new Set([...this.#builtIn.keys(), ...this.#handlers.keys()])];
    return this.#names;
  }

  /** Names of step types, for the compiler. */
  typeNames(): readonly string[] {
    return this.names().filter((name) => !this.#functions.has(name));
  }
}

function typeHandler(type: StepType, readsAll: boolean): Handler {
  return { kind: "type", readsAll, run: (context) => type.run(context), toResult: (given) => given as StepResult };
}

/** All that a function gives is its output. */
function functionHandler(run: (input: never) => unknown): Handler {
  return {
    kind: "function",
    readsAll: true,
    run: (context) => run(context as never),
    toResult: (given) => ({ output: given as JsonValue }),
  };
}

import type { JsonValue } from "@braid/core";
import type { StepContext, StepResult, StepType } from "../steps/step-type.ts";
import type { FunctionTable } from "./control.ts";

/** What runs attempts of one handler. */
export type Handler =
  /** A step type: its input is the evaluated `with`. */
  | { readonly kind: "type"; readonly type: StepType }
  /** A function of the builder: its input is the run's, and it reads `deps`, `prev` and `context`. */
  | { readonly kind: "function"; readonly run: (context: StepContext) => Promise<StepResult> };

export type LoadType = () => Promise<StepType>;

/** Handlers that this process has, by the name under which plans refer to them. Built-in types are loaded when first used. */
export class HandlerRegistry {
  readonly functions: FunctionTable;
  readonly #builtIn: ReadonlyMap<string, LoadType>;
  readonly #handlers = new Map<string, Handler | Promise<Handler>>();
  readonly #functions = new Map<string, (input: never) => unknown>();

  constructor(builtIn: ReadonlyMap<string, LoadType>, types: readonly StepType[]) {
    this.#builtIn = builtIn;
    this.functions = this.#functions;
    for (const type of types) this.#handlers.set(type.name, { kind: "type", type });
  }

  /** Adds functions of the builder: handlers by `workflow/step`, control values by the name that the plan gives them. */
  addFunctions(functions: ReadonlyMap<string, (input: never) => unknown>): void {
    for (const [name, run] of functions) {
      this.#functions.set(name, run);
      this.#handlers.set(name, { kind: "function", run: (context) => callFunction(run, context) });
    }
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
      const handler = { kind: "type", type } as const;
      this.#handlers.set(name, handler);
      return handler;
    });
    this.#handlers.set(name, loading);
    // A load that failed is tried again: the reason may have been passing.
    loading.catch(() => this.#handlers.delete(name));
    return loading;
  }

  /** Names for a claim. */
  names(): readonly string[] {
    return [...new Set([...this.#builtIn.keys(), ...this.#handlers.keys()])];
  }

  /** Names of step types, for the compiler. */
  typeNames(): readonly string[] {
    return this.names().filter((name) => !this.#functions.has(name));
  }
}

async function callFunction(run: (input: never) => unknown, context: StepContext): Promise<StepResult> {
  const output: unknown = await run(context as never);
  return { output: output as JsonValue };
}

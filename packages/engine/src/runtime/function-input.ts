import type { JsonObject, JsonValue } from "@braid/core";
import type { RunView } from "./run-view.ts";
import type { Sight } from "./sight.ts";

/** What a function of the builder gets where it stands for a control expression; handlers get the same and more. */
export interface FunctionInput {
  /** The run's input. */
  readonly input: JsonValue;
  /** Outputs of the direct dependencies that completed, by id. */
  readonly deps: { readonly [step: string]: JsonValue | undefined };
  /** Output of the step before, in a sequential list. */
  readonly prev: JsonValue | undefined;
  readonly item: JsonValue | undefined;
  readonly index: number | undefined;
  readonly context: JsonObject;
  readonly run: JsonObject;
}

/**
 * Makes the object; its members are put together when they are first read. The view must have what `keysOfFunction`
 * names.
 */
export function functionInput(view: RunView, sight: Sight): FunctionInput {
  const item = view.item(sight);
  const { read } = view.reader;
  let context: JsonObject | undefined;
  return Object.freeze({
    input: read(-1, -1).output ?? {},
    deps: lazyDeps(view, sight),
    get prev() {
      return prevOf(view, sight);
    },
    item: item?.value,
    index: item?.index,
    get context() {
      context ??= view.contextOf(sight);
      return context;
    },
    get run() {
      return sight.run();
    },
  });
}

/**
 * `deps` of a step. A dependency without an output is there and undefined. The output of a task is looked up at once,
 * which costs less than a member that does so later; others are put together, and only if they are read.
 */
export function lazyDeps(view: RunView, sight: Sight): { readonly [step: string]: JsonValue | undefined } {
  const deps: { [step: string]: JsonValue | undefined } = {};
  for (const source of view.sourcesOf(sight)) {
    const { id, kind, isMap } = view.run.info.step(source);
    if (kind === "task" && !isMap) {
      deps[id] = sight.output(source, view.reader.read);
      continue;
    }
    let output: { readonly value: JsonValue | undefined } | undefined;
    Object.defineProperty(deps, id, {
      enumerable: true,
      get: () => {
        output ??= { value: sight.output(source, view.reader.read) };
        return output.value;
      },
    });
  }
  return Object.freeze(deps);
}

/** The output of the one step before in a sequential list; undefined after a barrier of several. */
export function prevOf(view: RunView, sight: Sight): JsonValue | undefined {
  if (sight.step < 0) return undefined;
  const { plan } = view.run.info;
  const before = plan.steps[sight.step]!.incoming.map((edge) => plan.edges[edge]!).filter(({ on }) => on === "order");
  const [only] = before;
  return before.length === 1 && only !== undefined ? sight.output(only.from, view.reader.read) : undefined;
}

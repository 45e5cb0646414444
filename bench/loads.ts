import { workflow } from "@braid/engine";
import type { WorkflowInCode } from "@braid/engine";

/** Graphs of steps that do nothing: what is left to time is the engine. */
export type LoadKind = "chain" | "diamond" | "fan-out" | "map" | "relay" | "hold";

/** So many runs of one graph. */
export interface Load {
  readonly kind: LoadKind;
  readonly runs: number;
  /** Steps of a chain, branches of a fan-out, items of a map. */
  readonly size: number;
}

/** What a load tells whoever times it. */
export interface LoadHooks {
  /** The last function of a run has been called. */
  readonly onLast?: () => void;
  /** A step of a relay or a hold has been started. */
  readonly onStart?: (runId: string, stepId: string) => void;
  /** A hold was told to stop. */
  readonly onStop?: (runId: string) => void;
}

/** `step` of the builder with its types left out: the lists here are made by loops. */
interface AnyList {
  step(id: string, options: object, run: (context: HandlerContext) => unknown): AnyList;
}

interface HandlerContext {
  readonly runId: string;
  readonly stepId: string;
  readonly signal: AbortSignal;
}

/** Queues of a relay, taken by turns. */
export const RELAY_QUEUES = ["even", "odd"] as const;

const nothing = (): null => null;

/** All steps of all runs, counted alike for every engine: a fan-out or map is its branches and one join. */
export function stepsOf({ kind, runs, size }: Load): number {
  if (kind === "diamond") return runs * 5;
  return runs * (kind === "fan-out" || kind === "map" ? size + 1 : size);
}

export function buildLoad({ kind, size }: Pick<Load, "kind" | "size">, hooks: LoadHooks = {}): WorkflowInCode {
  switch (kind) {
    case "chain":
      return chain(size, hooks);
    case "diamond":
      return diamond(hooks);
    case "fan-out":
      return fanOut(size, hooks);
    case "map":
      return map(size, hooks);
    case "relay":
      return relay(size, hooks);
    case "hold":
      return hold(hooks);
    default:
      return kind satisfies never;
  }
}

const start = (name: string): AnyList => workflow(name);
const finished = (list: AnyList): WorkflowInCode => list as unknown as WorkflowInCode;

const lastOf =
  ({ onLast }: LoadHooks) =>
  (): null => {
    onLast?.();
    return null;
  };

const before = (index: number): readonly string[] => (index === 0 ? [] : [`s${index - 1}`]);

function chain(length: number, hooks: LoadHooks): WorkflowInCode {
  const last = lastOf(hooks);
  let list = start(`chain-${length}`);
  for (let index = 0; index < length; index += 1) {
    list = list.step(`s${index}`, { dependsOn: before(index) }, index === length - 1 ? last : nothing);
  }
  return finished(list);
}

function diamond(hooks: LoadHooks): WorkflowInCode {
  let list = start("diamond").step("a", { dependsOn: [] }, nothing);
  for (const id of ["b", "c", "d"]) list = list.step(id, { dependsOn: ["a"] }, nothing);
  return finished(list.step("e", { dependsOn: ["b", "c", "d"] }, lastOf(hooks)));
}

function fanOut(width: number, hooks: LoadHooks): WorkflowInCode {
  const ids = Array.from({ length: width }, (_, index) => `s${index}`);
  let list = start(`fan-out-${width}`);
  for (const id of ids) list = list.step(id, { dependsOn: [] }, nothing);
  return finished(list.step("join", { dependsOn: ids }, lastOf(hooks)));
}

function map(items: number, hooks: LoadHooks): WorkflowInCode {
  return workflow(`map-${items}`)
    .map(
      "items",
      { dependsOn: [], forEach: { items: () => Array.from({ length: items }, (_, index) => index) } },
      nothing,
    )
    .step("join", { dependsOn: ["items"] }, lastOf(hooks));
}

/** A chain whose steps stand in two queues by turns, so that no step is run by the worker that ran the one before it. */
function relay(length: number, { onStart }: LoadHooks): WorkflowInCode {
  let list = start(`relay-${length}`);
  for (let index = 0; index < length; index += 1) {
    list = list.step(
      `s${index}`,
      { dependsOn: before(index), queue: RELAY_QUEUES[index % RELAY_QUEUES.length] },
      ({ runId, stepId }) => {
        onStart?.(runId, stepId);
        return null;
      },
    );
  }
  return finished(list);
}

/** One step that runs until it is told to stop. */
function hold({ onStart, onStop }: LoadHooks): WorkflowInCode {
  const held = ({ runId, stepId, signal }: HandlerContext): Promise<null> =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        onStop?.(runId);
        resolve(null);
      });
      onStart?.(runId, stepId);
    });
  return finished(start("hold").step("held", { dependsOn: [] }, held));
}

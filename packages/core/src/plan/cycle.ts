import type { Reading } from "../definition/reading.ts";
import { describeStep } from "./draft.ts";
import type { DraftEdge, DraftStep } from "./draft.ts";
import { ENDS_WITH_MEMBER, STARTS_MEMBER, isCyclic, stepOf } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/** Longest path that a message shows whole. */
const MAX_SHOWN = 16;

interface CycleSearch {
  readonly timeline: Timeline;
  readonly steps: readonly DraftStep[];
  readonly edges: readonly DraftEdge[];
}

/**
 * Reports one cycle for each set of steps that wait for each other (a strongly connected component): the shortest one
 * through its first step. Linear in steps and edges, without recursion.
 */
export function reportCycles(search: CycleSearch, report: Reading): void {
  const { timeline, steps } = search;
  if (!isCyclic(timeline)) return;
  const component = findComponents(timeline);
  const seen = new Set<number>();
  for (let node = 0; node < component.length; node += 1) {
    const own = component[node]!;
    if (own < 0 || seen.has(own)) continue;
    seen.add(own);
    const arcs = shortestCycle(timeline, component, node);
    if (arcs.length === 0) continue;
    const first = steps[stepOf(timeline, node)]!;
    report.error({
      code: "cycle",
      message: `${describeStep(first)} waits for itself: ${describeCycle(search, node, arcs)}.`,
      hint: "Each arrow says where it comes from; one of them has to go.",
      path: first.at,
    });
  }
}

/** The closed path in words: `a` -> `b` (explicit) -> `a` (inferred). Ways into and out of a block name the block. */
function describeCycle({ timeline, steps, edges }: CycleSearch, start: number, arcs: readonly number[]): string {
  let last = stepOf(timeline, start);
  const parts = [describeStep(steps[last]!)];
  for (const arc of arcs) {
    const step = stepOf(timeline, timeline.targets[arc]!);
    // From the start of a block to its own end is no step of the path.
    if (step !== last) parts.push(`${describeStep(steps[step]!)} (${originOf(timeline.labels[arc]!, edges)})`);
    last = step;
  }
  if (parts.length > MAX_SHOWN) {
    const half = MAX_SHOWN / 2;
    parts.splice(half, parts.length - MAX_SHOWN, `… ${parts.length - MAX_SHOWN} more …`);
  }
  return parts.join(" -> ");
}

function originOf(label: number, edges: readonly DraftEdge[]): string {
  const edge = edges[label];
  if (edge !== undefined)
    return edge.on === "failure" || edge.on === "settled" ? `${edge.origin}, on ${edge.on}` : edge.origin;
  if (label === STARTS_MEMBER) return "member";
  return label === ENDS_WITH_MEMBER ? "end" : "waits for its handler";
}

/** Number of the component of each node on or between cycles, -1 elsewhere. Tarjan's algorithm with an explicit stack. */
function findComponents({ size, order, offsets, targets }: Timeline): Int32Array {
  const nodes = 2 * size;
  const isSorted = new Uint8Array(nodes);
  for (const node of order) isSorted[node] = 1;
  const component = new Int32Array(nodes).fill(-1);
  const found = new Int32Array(nodes);
  const low = new Int32Array(nodes);
  const next = offsets.slice(0, nodes);
  const open: number[] = [];
  const path: number[] = [];
  let time = 0;
  let components = 0;

  const enter = (node: number): void => {
    time += 1;
    found[node] = time;
    low[node] = time;
    open.push(node);
    path.push(node);
  };
  const leave = (node: number): void => {
    path.pop();
    const parent = path.at(-1);
    if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[node]!);
    if (low[node] !== found[node]) return;
    for (let member = open.pop(); member !== undefined; member = open.pop()) {
      component[member] = components;
      if (member === node) break;
    }
    components += 1;
  };
  const advance = (node: number): void => {
    const arc = next[node]!;
    if (arc === offsets[node + 1]) return leave(node);
    next[node] = arc + 1;
    const target = targets[arc]!;
    if (found[target] === 0) enter(target);
    else if (component[target] === -1) low[node] = Math.min(low[node]!, found[target]!);
  };

  for (let root = 0; root < nodes; root += 1) {
    if (isSorted[root] === 1 || found[root] !== 0) continue;
    enter(root);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) advance(node);
  }
  return component;
}

/** The arcs of a shortest way from a node back to itself inside its component; none where the component is that node alone. */
function shortestCycle(timeline: Timeline, component: Int32Array, start: number): readonly number[] {
  const { offsets, targets } = timeline;
  const arrival = new Map<number, { readonly arc: number; readonly from: number }>();
  const queue = [start];
  for (const node of queue) {
    for (let arc = offsets[node]!; arc < offsets[node + 1]!; arc += 1) {
      const target = targets[arc]!;
      if (component[target] !== component[start] || arrival.has(target)) continue;
      arrival.set(target, { arc, from: node });
      if (target === start) return trace(arrival, start);
      queue.push(target);
    }
  }
  return [];
}

function trace(arrival: ReadonlyMap<number, { readonly arc: number; readonly from: number }>, start: number): number[] {
  const arcs: number[] = [];
  let node = start;
  do {
    const step = arrival.get(node)!;
    arcs.push(step.arc);
    node = step.from;
  } while (node !== start);
  return arcs.toReversed();
}

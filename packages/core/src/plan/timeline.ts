/**
 * The course of a plan as one flat graph: every step has a start and an end, which for a step without members are the
 * same node. An edge leads from the end of its source to the start of its target; a block starts before its members and
 * ends after them. So every question about order (cycles, ancestors, longest paths) is one walk over one graph, whatever
 * blocks there are.
 */
export interface Timeline {
  /** Number of steps. Step `i` starts at node `i` and ends at node `endOf(timeline, i)`. */
  readonly size: number;
  readonly ends: Int32Array;
  /** Arcs of node `n`: `targets[offsets[n]]` up to `targets[offsets[n + 1]]`, with their labels. */
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
  readonly labels: Int32Array;
  /** Nodes in topological order; those on or behind a cycle are missing. */
  readonly order: Int32Array;
}

/** Labels of arcs that are not edges; those that are have the edge's index. */
export const STARTS_MEMBER = -1;
export const ENDS_WITH_MEMBER = -2;
const WAITS_FOR_HANDLER = -3;

/** What a timeline is made of; plans and drafts both have it. */
export interface TimelineSource {
  readonly size: number;
  /** The step that owns the list of a step, or -1. */
  readonly ownerOf: (step: number) => number;
  /** Whether a step is a block, group or phase. */
  readonly isContainer: (step: number) => boolean;
  readonly edges: readonly { readonly from: number; readonly to: number }[];
  /** Pairs (handler, group) where the group's end waits for the handler's decision. */
  readonly handlers?: readonly (readonly [handler: number, group: number])[];
}

export function buildTimeline(source: TimelineSource): Timeline {
  const { size, edges } = source;
  const ends = Int32Array.from({ length: size }, (_, step) => (source.isContainer(step) ? size + step : step));
  const arcs = new ArcList();
  for (let step = 0; step < size; step += 1) {
    const owner = source.ownerOf(step);
    if (owner >= 0) {
      arcs.add(owner, step, STARTS_MEMBER);
      arcs.add(ends[step]!, ends[owner]!, ENDS_WITH_MEMBER);
    }
    // A block may be empty, and its end comes after its start all the same.
    if (ends[step] !== step) arcs.add(step, ends[step]!, ENDS_WITH_MEMBER);
  }
  for (const [index, edge] of edges.entries()) arcs.add(ends[edge.from]!, edge.to, index);
  for (const [handler, group] of source.handlers ?? []) arcs.add(handler, ends[group]!, WAITS_FOR_HANDLER);
  const graph = arcs.toGraph(2 * size);
  return { size, ends, ...graph, order: sortTopologically(graph, 2 * size) };
}

/** The step of a node. */
export function stepOf(timeline: Timeline, node: number): number {
  return node < timeline.size ? node : node - timeline.size;
}

/** Whether some nodes are on a cycle. */
export function isCyclic(timeline: Timeline): boolean {
  return timeline.order.length < 2 * timeline.size;
}

/**
 * Longest path from each node to the end, in units of `weightOf`; a step weighs once, at its start. Nodes on or behind a
 * cycle have 0.
 */
export function longestPaths(timeline: Timeline, weightOf: (step: number) => number): Float64Array {
  const { order, offsets, targets, size } = timeline;
  const lengths = new Float64Array(2 * size);
  for (let place = order.length - 1; place >= 0; place -= 1) {
    const node = order[place]!;
    let longest = 0;
    for (let arc = offsets[node]!; arc < offsets[node + 1]!; arc += 1) {
      longest = Math.max(longest, lengths[targets[arc]!]!);
    }
    lengths[node] = longest + (node < size ? weightOf(node) : 0);
  }
  return lengths;
}

interface ArcGraph {
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
  readonly labels: Int32Array;
}

class ArcList {
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #labels: number[] = [];

  add(from: number, to: number, label: number): void {
    this.#from.push(from);
    this.#to.push(to);
    this.#labels.push(label);
  }

  /** Counts, then places: arcs of one node keep the order in which they were added. */
  toGraph(nodes: number): ArcGraph {
    const offsets = new Int32Array(nodes + 1);
    for (const from of this.#from) offsets[from + 1]! += 1;
    for (let node = 0; node < nodes; node += 1) offsets[node + 1]! += offsets[node]!;
    const next = offsets.slice(0, nodes);
    const targets = new Int32Array(this.#to.length);
    const labels = new Int32Array(this.#to.length);
    for (let arc = 0; arc < this.#from.length; arc += 1) {
      const from = this.#from[arc]!;
      const place = next[from]!;
      next[from] = place + 1;
      targets[place] = this.#to[arc]!;
      labels[place] = this.#labels[arc]!;
    }
    return { offsets, targets, labels };
  }
}

/** Kahn's algorithm with a queue. */
function sortTopologically({ offsets, targets }: ArcGraph, nodes: number): Int32Array {
  const indegrees = new Int32Array(nodes);
  for (const target of targets) indegrees[target]! += 1;
  const order = new Int32Array(nodes);
  let length = 0;
  for (let node = 0; node < nodes; node += 1) if (indegrees[node] === 0) order[length++] = node;
  for (let place = 0; place < length; place += 1) {
    const node = order[place]!;
    for (let arc = offsets[node]!; arc < offsets[node + 1]!; arc += 1) {
      const target = targets[arc]!;
      indegrees[target]! -= 1;
      if (indegrees[target] === 0) order[length++] = target;
    }
  }
  return order.slice(0, length);
}

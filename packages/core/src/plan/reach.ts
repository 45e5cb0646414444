import type { Timeline } from "./timeline.ts";

/** "Does a way lead from the end of `from` to the start of `to`?" */
export interface ReachQuery {
  readonly from: number;
  readonly to: number;
}

/** Sources that one pass over the graph answers for, one bit each. */
const SOURCES_PER_PASS = 32;

/**
 * Answers many questions about an acyclic timeline. Sources are taken in topological order, 32 at a time; a pass marks
 * what they reach, and looks only at the nodes between the first source and the last asker. References mostly go to near
 * steps, so the passes are short; the worst case is a pass over the whole graph for each 32 sources.
 */
export function answerReach(timeline: Timeline, queries: readonly ReachQuery[]): readonly boolean[] {
  const answers = queries.map(() => false);
  const { order, ends } = timeline;
  const places = new Int32Array(2 * timeline.size);
  for (const [place, node] of order.entries()) places[node] = place;
  const levels = longestWays(timeline);
  const waiting = queries
    .map(({ from, to }, index) => ({ index, source: places[ends[from]!]!, asker: places[to]! }))
    // A way leads to higher levels only, which settles most questions about steps that stand beside each other.
    .filter(({ source, asker }) => levels[order[source]!]! < levels[order[asker]!]!)
    .toSorted((a, b) => a.source - b.source);
  const marks = new Int32Array(2 * timeline.size);
  for (let next = 0; next < waiting.length;) {
    const pass: PassQuery[] = [];
    let bit = -1;
    let source = -1;
    for (; next < waiting.length; next += 1) {
      const query = waiting[next]!;
      if (query.source !== source) bit += 1;
      if (bit === SOURCES_PER_PASS) break;
      source = query.source;
      pass.push({ ...query, mask: 1 << bit });
    }
    const last = pass.reduce((place, { asker }) => Math.max(place, asker), 0);
    markReached({ timeline, places, last }, marks, pass);
    for (const { index, asker, mask } of pass) answers[index] = (marks[timeline.order[asker]!]! & mask) !== 0;
    for (let place = pass[0]!.source; place <= last; place += 1) marks[timeline.order[place]!] = 0;
  }
  return answers;
}

interface PassQuery {
  readonly index: number;
  /** Places in the topological order. */
  readonly source: number;
  readonly asker: number;
  readonly mask: number;
}

/** Arcs on the longest way to each node. */
function longestWays({ size, order, offsets, targets }: Timeline): Int32Array {
  const levels = new Int32Array(2 * size);
  for (const node of order) {
    const level = levels[node]! + 1;
    for (let arc = offsets[node]!; arc < offsets[node + 1]!; arc += 1) {
      if (levels[targets[arc]!]! < level) levels[targets[arc]!] = level;
    }
  }
  return levels;
}

interface PassRange {
  readonly timeline: Timeline;
  readonly places: Int32Array;
  /** Place of the last asker: nothing behind it is marked. */
  readonly last: number;
}

function markReached({ timeline, places, last }: PassRange, marks: Int32Array, pass: readonly PassQuery[]): void {
  const { order, offsets, targets } = timeline;
  for (const { source, mask } of pass) marks[order[source]!]! |= mask;
  for (let place = pass[0]!.source; place < last; place += 1) {
    const node = order[place]!;
    const mark = marks[node]!;
    if (mark === 0) continue;
    for (let arc = offsets[node]!; arc < offsets[node + 1]!; arc += 1) {
      const target = targets[arc]!;
      if (places[target]! <= last) marks[target]! |= mark;
    }
  }
}

import { quote } from "../definition/describe.ts";
import { memberPointer } from "../definition/pointer.ts";
import type { Reading } from "../definition/reading.ts";
import type { DraftStep } from "./draft.ts";
import { answerReach } from "./reach.ts";
import type { ReachQuery } from "./reach.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Warns of keys of the shared context that two steps write without one coming after the other: the later shard wins in
 * the order of definition then, which is seldom what was meant. Writers of one key that are all ordered form a chain, so it
 * is enough to ask about neighbours in topological order.
 */
export function warnOfConcurrentWrites(steps: readonly DraftStep[], timeline: Timeline, report: Reading): void {
  const places = new Int32Array(2 * timeline.size);
  for (const [place, node] of timeline.order.entries()) places[node] = place;
  const pairs: { readonly key: string; readonly first: DraftStep; readonly second: DraftStep }[] = [];
  for (const { key, writers } of writersByKey(steps)) {
    const sorted = writers.toSorted((a, b) => places[a.index]! - places[b.index]!);
    for (const [index, second] of sorted.entries()) {
      const first = sorted[index - 1];
      if (first !== undefined) pairs.push({ key, first, second });
    }
  }
  const queries: readonly ReachQuery[] = pairs.map(({ first, second }) => ({ from: first.index, to: second.index }));
  const isOrdered = answerReach(timeline, queries);
  const warned = new Set<string>();
  for (const [index, { key, first, second }] of pairs.entries()) {
    const where = `${second.list.phase}/${key}`;
    if (isOrdered[index]! || warned.has(where)) continue;
    warned.add(where);
    const [before, after] = first.index < second.index ? [first, second] : [second, first];
    report.warning({
      code: "concurrent_context_write",
      message: `${quote(before.id)} and ${quote(after.id)} both write ${quote(key)} to the context, and neither comes after the other.`,
      hint: "The one that is defined later wins. Let one depend on the other, or write two keys.",
      path: memberPointer(`${after.at}/set`, key),
    });
  }
}

/** Writers of each key that has several. Lists that run one after the other cannot collide, so each is taken alone. */
function writersByKey(
  steps: readonly DraftStep[],
): readonly { readonly key: string; readonly writers: readonly DraftStep[] }[] {
  const found = new Map<string, { readonly key: string; readonly writers: DraftStep[] }>();
  for (const step of steps) {
    for (const key of Object.keys(step.definition?.set ?? {})) {
      const where = `${step.list.phase}/${key}`;
      const entry = found.get(where);
      if (entry === undefined) found.set(where, { key, writers: [step] });
      else entry.writers.push(step);
    }
  }
  return [...found.values()].filter(({ writers }) => writers.length > 1);
}

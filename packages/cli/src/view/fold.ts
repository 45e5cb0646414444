import type { NodeView } from "./run-view.ts";
import { isSettled } from "./run-view.ts";

/** A row of the table: a node, or a line that stands for nodes there is no room for. */
export type Row =
  | { readonly kind: "node"; readonly node: NodeView }
  | { readonly kind: "folded"; readonly what: FoldedKind; readonly count: number };

export type FoldedKind = "finished" | "pending" | "active";

/**
 * Chooses what a screen of `budget` lines shows. Finished rows go first, the oldest before the others, then rows that
 * have not started, the last before the others, then active ones. Failed rows stay as long as anything does, and rows
 * keep their order.
 */
export function foldRows(nodes: readonly NodeView[], budget: number): readonly Row[] {
  const room = Math.max(1, budget);
  if (nodes.length <= room) return nodes.map((node) => ({ kind: "node", node }));
  const left = new Set(nodes);
  const counts: Record<FoldedKind, number> = { finished: 0, pending: 0, active: 0 };
  for (const { what, candidates } of foldOrder(nodes)) {
    for (const node of candidates) {
      if (left.size + lines(counts) <= room) break;
      left.delete(node);
      counts[what] += 1;
    }
  }
  const shown: Row[] = nodes.filter((node) => left.has(node)).map((node) => ({ kind: "node", node }));
  const folded = (what: FoldedKind): readonly Row[] =>
    counts[what] === 0 ? [] : [{ kind: "folded", what, count: counts[what] }];
  return [...folded("finished"), ...shown, ...folded("active"), ...folded("pending")].slice(0, room);
}

function isFinished({ status }: NodeView): boolean {
  return isSettled(status) && status !== "failed";
}

function foldOrder(
  nodes: readonly NodeView[],
): readonly { readonly what: FoldedKind; readonly candidates: readonly NodeView[] }[] {
  const finished = nodes.filter(isFinished).toSorted((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0));
  const pending = nodes.filter((node) => node.status === "pending").toReversed();
  const active = nodes.filter((node) => !isSettled(node.status) && node.status !== "pending").toReversed();
  const failed = nodes.filter((node) => node.status === "failed");
  return [
    { what: "finished", candidates: finished },
    { what: "pending", candidates: pending },
    { what: "active", candidates: active },
    { what: "finished", candidates: failed },
  ];
}

function lines(counts: Readonly<Record<FoldedKind, number>>): number {
  return Number(counts.finished > 0) + Number(counts.pending > 0) + Number(counts.active > 0);
}

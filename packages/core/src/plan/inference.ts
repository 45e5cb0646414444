import { quote } from "../definition/describe.ts";
import type { Reading } from "../definition/reading.ts";
import { describeStep, liftToCommonList } from "./draft.ts";
import type { DraftEdge, DraftStep, Lifted } from "./draft.ts";
import type { EdgeBook } from "./edge-book.ts";
import { answerReach } from "./reach.ts";
import type { StepRead } from "./references.ts";
import { isCyclic } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

interface Inference {
  readonly book: EdgeBook;
  readonly report: Reading;
  /** The course by explicit and order edges alone. */
  readonly timeline: () => Timeline;
}

/**
 * Turns what steps read into edges: a step that reads another one, which is not before it already, waits for it. The edge
 * joins the two members of the common list. Reports what cannot be read, and changes nothing: all edges are added at once.
 */
export function inferEdges(reads: readonly StepRead[], inference: Inference): readonly DraftEdge[] {
  const open: OpenRead[] = [];
  for (const read of reads) {
    const lifted = readAcrossLists(read, inference);
    if (lifted !== null) open.push({ read, lifted });
  }
  if (open.length === 0) return [];
  const timeline = inference.timeline();
  // Who comes before whom has no answer on a cycle, which is reported anyway.
  if (isCyclic(timeline)) return [];
  const isBefore = answerReach(
    timeline,
    open.map(({ read }) => ({ from: read.target.index, to: read.reader.index })),
  );
  return joinEdges(
    open.filter((_, index) => !isBefore[index]!),
    inference.report,
  );
}

interface OpenRead {
  readonly read: StepRead;
  readonly lifted: Lifted;
}

/** The two members of the common list, when only the graph can say whether one comes before the other; else null. */
function readAcrossLists(read: StepRead, { book, report }: Inference): Lifted | null {
  const { reader, target } = read;
  if (reader === target && read.isAfterwards) return null;
  const lifted = liftToCommonList(reader, target);
  if (lifted === null) {
    if (!runsInEarlierPhase(target, reader)) refuse(read, "which does not run before it", report);
    return null;
  }
  const { list, a, b } = lifted;
  if (a === b) {
    refuse(read, reader === target ? "itself" : "while one of the two is part of the other", report);
    return null;
  }
  if (list.kind === "group") {
    refuse(read, `which runs at the same time, in ${list.owner?.name ?? "one group"}`, report);
    return null;
  }
  if (a.position >= 0 && b.position >= 0) {
    if (b.position > a.position)
      refuse(read, `which the list puts after ${a === reader ? "it" : describeStep(a)}`, report);
    return null;
  }
  // Most references go to what `dependsOn` names, and need no search.
  return book.between(b.index, a.index) === undefined ? lifted : null;
}

const ORDER_OF_PHASES = { steps: 0, onSuccess: 1, onFailure: 1, finally: 2 } as const;

function runsInEarlierPhase(target: DraftStep, reader: DraftStep): boolean {
  return ORDER_OF_PHASES[target.list.phase] < ORDER_OF_PHASES[reader.list.phase];
}

/** One edge for each pair, `success` if any of its expressions reads an output. */
function joinEdges(open: readonly OpenRead[], report: Reading): readonly DraftEdge[] {
  const edges = new Map<DraftStep, Map<DraftStep, DraftEdge>>();
  for (const { read, lifted } of open) {
    const { a, b } = lifted;
    if (!canInfer(read, a, report)) continue;
    let ofReader = edges.get(a);
    if (ofReader === undefined) edges.set(a, (ofReader = new Map()));
    const on = read.readsOutput || ofReader.get(b)?.on === "success" ? "success" : "settled";
    ofReader.set(b, { from: b.index, to: a.index, on, origin: "inferred", port: null });
  }
  return [...edges.values()].flatMap((ofReader) => Array.from(ofReader.values()));
}

function canInfer(read: StepRead, waiting: DraftStep, report: Reading): boolean {
  if (waiting.list.phase === "finally") {
    refuse(read, "which may run at the same time: an expression orders nothing in `finally`", report);
    return false;
  }
  const join = waiting.definition?.join?.kind;
  if (join !== "any" && join !== "first" && join !== "quorum") return true;
  refuse(read, `which does not come before it, and ${describeStep(waiting)} has \`join: ${join}\``, report);
  return false;
}

function refuse({ reader, text, path }: StepRead, why: string, report: Reading): void {
  report.error({
    code: "unknown_reference",
    message: `${quote(reader.id)} reads \`${text}\`, ${why}.`,
    hint: "A step can read what comes before it: add it to `dependsOn`, or move one of the two.",
    path,
  });
}

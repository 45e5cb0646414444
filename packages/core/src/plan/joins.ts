import { quote } from "../definition/describe.ts";
import type { StepDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";
import type { DraftEdge, DraftStep } from "./draft.ts";
import { stepOf } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/** The edges of a plan by their target. */
export type Incoming = readonly (readonly DraftEdge[])[];

export function groupByTarget(edges: readonly DraftEdge[], size: number): Incoming {
  const incoming: DraftEdge[][] = Array.from({ length: size }, () => []);
  for (const edge of edges) incoming[edge.to]!.push(edge);
  return incoming;
}

/** Reports joins that no number of completed steps could satisfy. */
export function checkJoins(steps: readonly DraftStep[], incoming: Incoming, report: Reading): void {
  for (const step of steps) {
    const join = step.definition?.join;
    if (join === undefined || join.kind === "all" || join.kind === "settled") continue;
    const edges = incoming[step.index]!.length;
    const path = `${step.at}/join`;
    if (edges === 0) {
      report.error({
        code: "join_unsatisfiable",
        message: `${quote(step.id)} has \`join: ${join.kind}\` and depends on nothing, so nothing could start it.`,
        hint: "Name its dependencies, or leave out `join`.",
        path,
      });
    } else if (join.kind === "quorum" && !(Number.isInteger(join.quorum) && join.quorum >= 1 && join.quorum <= edges)) {
      report.error({
        code: "join_unsatisfiable",
        message: `${quote(step.id)} needs ${join.quorum} of its ${edges} dependencies.`,
        hint: edges === 1 ? "A quorum of one dependency is 1." : `A quorum is a whole number from 1 to ${edges}.`,
        path,
      });
    }
  }
}

/**
 * Warns of steps that cannot start whatever happens: those whose edges can never be satisfied, because they wait for the
 * failure of a step that cannot fail, or for a step that cannot start itself. Only what is certain is reported.
 */
export function warnOfUnreachable(
  { steps, incoming }: { readonly steps: readonly DraftStep[]; readonly incoming: Incoming },
  timeline: Timeline,
  report: Reading,
): void {
  const isUnreachable = new Uint8Array(steps.length);
  const canSatisfy = ({ from, on }: DraftEdge): boolean => {
    if (on === "settled" || on === "order") return true;
    if (isUnreachable[from] === 1) return false;
    return on === "success" || canFail(steps[from]!);
  };
  for (const node of timeline.order) {
    const step = steps[stepOf(timeline, node)]!;
    if (node !== step.index || step.definition === null) continue;
    const edges = incoming[step.index]!;
    const hopeless = edges.find((edge) => !canSatisfy(edge));
    const cannotStart = hopeless !== undefined && edges.filter(canSatisfy).length < neededOf(step.definition);
    const { owner } = step.list;
    if (!cannotStart && (owner === null || isUnreachable[owner.index] === 0)) continue;
    isUnreachable[step.index] = 1;
    if (!cannotStart) continue;
    report.warning({
      code: "unreachable_step",
      message: `${quote(step.id)} can never start: ${reasonOf(steps, hopeless)}.`,
      path: step.at,
    });
  }
}

/** How many edges must be satisfied at least for a step to start. */
function neededOf({ join }: StepDefinition): number {
  if (join?.kind === "settled") return 0;
  return join?.kind === "quorum" ? join.quorum : 1;
}

/** A step that does nothing and asks nothing cannot fail. */
function canFail({ definition }: DraftStep): boolean {
  if (definition === null || definition.when !== undefined || definition.startDelay !== undefined) return true;
  return definition.action.kind !== "none" && definition.action.kind !== "entrypoint";
}

function reasonOf(steps: readonly DraftStep[], { from, on }: DraftEdge): string {
  const source = quote(steps[from]!.id);
  if (on === "failure" && !canFail(steps[from]!))
    return `it waits for a failure of ${source}, which has nothing that could fail`;
  return `it waits for ${source}, which can never start either`;
}

import { quote } from "../definition/describe.ts";
import type { DependencyDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";
import { describeStep, liftToCommonList } from "./draft.ts";
import type { DraftEdge, DraftStep } from "./draft.ts";
import type { EdgeBook } from "./edge-book.ts";
import { resolveStep } from "./names.ts";
import type { StepNames } from "./names.ts";

/** Turns every `dependsOn` into explicit edges, and reports the entries that cannot be edges. */
export function addExplicitEdges(
  steps: readonly DraftStep[],
  names: StepNames,
  { book, report }: { readonly book: EdgeBook; readonly report: Reading },
): void {
  for (const step of steps) {
    const own: DraftEdge[] = [];
    for (const entry of step.definition?.dependsOn ?? []) {
      const source = resolveStep(names, entry.ref, { code: "missing_dependency", path: entry.at, report });
      if (source === null || !canDepend(step, source, { entry, report })) continue;
      const isAgain = book.between(source.index, step.index) !== undefined;
      const earlier = isAgain ? own.filter(({ from }) => from === source.index) : [];
      if (isAgain && isDuplicate(step, earlier, { entry, report })) continue;
      const { on, port = null } = entry;
      const edge: DraftEdge = { from: source.index, to: step.index, on, origin: "explicit", port };
      own.push(edge);
      book.add(edge);
    }
  }
}

interface Judgement {
  readonly entry: DependencyDefinition;
  readonly report: Reading;
}

/** Edges join steps of one list; only `failure` and `settled` edges may leave a group, which is no border that authors drew. */
function canDepend(step: DraftStep, source: DraftStep, { entry, report }: Judgement): boolean {
  if (source === step) {
    report.error({ code: "self_dependency", message: `${quote(step.id)} depends on itself.`, path: entry.at });
    return false;
  }
  if (source.list === step.list) return true;
  if (entry.on !== "success" && source.list.kind === "group" && source.list.owner?.list === step.list) return true;
  report.error({
    code: "cross_scope_dependency",
    message: `${quote(step.id)} depends on ${quote(source.id)}, which stands in another list of steps.`,
    hint: crossingHint(step, source),
    path: entry.at,
  });
  return false;
}

function crossingHint(step: DraftStep, source: DraftStep): string {
  const lifted = liftToCommonList(step, source);
  if (lifted === null) {
    return "`steps`, `onSuccess` or `onFailure`, and `finally` run one after the other; a step can read those before it.";
  }
  const { a, b } = lifted;
  if (a === b) return `${describeStep(a)} holds one of the two: a block and its members cannot wait for each other.`;
  if (a.hidden === "group" || b.hidden === "group") {
    return "Steps wait for the whole group before them; only `failure` and `settled` entries can name one of its members.";
  }
  if (a === step) return `Depend on the block ${describeStep(b)}, which ends when all its members have.`;
  const target = b === source ? describeStep(b) : `the block ${describeStep(b)}`;
  return `Write the dependency on ${target} at the block ${describeStep(a)}, which holds ${quote(step.id)}.`;
}

/** One step may name another twice only for two of its output ports. */
function isDuplicate(step: DraftStep, earlier: readonly DraftEdge[], { entry, report }: Judgement): boolean {
  const differs = earlier.some(({ on }) => on !== entry.on);
  if (!differs && earlier.every(({ port }) => port !== (entry.port ?? null))) return false;
  report.error({
    code: "duplicate_dependency",
    message: differs
      ? `${quote(step.id)} depends on ${quote(entry.ref)} twice, with a different \`on\`.`
      : `${quote(step.id)} depends on ${quote(entry.ref)} twice.`,
    hint: differs ? "For both ways write `on: settled`, or `join: any` over several steps." : "Remove one of the two.",
    path: entry.at,
  });
  return true;
}

import type { DependencyDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";
import { describeStep, liftToCommonList } from "./draft.ts";
import type { DraftStep } from "./draft.ts";
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
    const seen = new Map<number, DependencyDefinition[]>();
    for (const entry of step.definition?.dependsOn ?? []) {
      const source = resolveStep(names, entry.ref, { code: "missing_dependency", path: entry.at, report });
      if (source === null || !canDepend(step, source, { entry, report })) continue;
      const earlier = seen.get(source.index);
      if (earlier === undefined) seen.set(source.index, [entry]);
      else if (isDuplicate(step, earlier, { entry, report })) continue;
      else earlier.push(entry);
      const { on, port = null } = entry;
      book.add({ from: source.index, to: step.index, on, origin: "explicit", port });
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
    report.error({ code: "self_dependency", message: `\`${step.id}\` depends on itself`, path: entry.at });
    return false;
  }
  if (source.list === step.list) return true;
  if (entry.on !== "success" && source.list.kind === "group" && source.list.owner?.list === step.list) return true;
  report.error({
    code: "cross_scope_dependency",
    message: `\`${step.id}\` depends on \`${source.id}\`, which stands in another list of steps`,
    hint: crossingHint(step, source),
    path: entry.at,
  });
  return false;
}

function crossingHint(step: DraftStep, source: DraftStep): string {
  const lifted = liftToCommonList(step, source);
  if (lifted === null) {
    return "`steps`, `onSuccess`, `onFailure` and `finally` run one after the other: steps of one can read those before";
  }
  const { a, b } = lifted;
  if (a === b) return `${describeStep(a)} holds one of them: a block and its members cannot wait for each other`;
  if (a === step) return `depend on the block ${describeStep(b)}, which ends when all its members have`;
  const target = b === source ? describeStep(b) : `the block ${describeStep(b)}`;
  return `write the dependency on ${target} at the block ${describeStep(a)}, which holds \`${step.id}\``;
}

/** One step may name another twice only for two of its output ports. */
function isDuplicate(
  step: DraftStep,
  earlier: readonly DependencyDefinition[],
  { entry, report }: Judgement,
): boolean {
  const differs = earlier.some(({ on }) => on !== entry.on);
  if (!differs && earlier.every(({ port }) => port !== entry.port)) return false;
  report.error({
    code: "duplicate_dependency",
    message: differs
      ? `\`${step.id}\` depends on \`${entry.ref}\` twice, with a different \`on\``
      : `\`${step.id}\` depends on \`${entry.ref}\` twice`,
    hint: differs ? "for both ways write `on: settled`, or `join: any` over several steps" : "remove one of the two",
    path: entry.at,
  });
  return true;
}

import type { Definition, StepDefinition } from "../definition/model.ts";
import { quote } from "../definition/describe.ts";
import type { Reading } from "../definition/reading.ts";
import { compileValue, formatReference, isProblems, parseCondition, scriptReferences } from "../expression/index.ts";
import type { AtPointer, ExpressionProblem, ExpressionReference } from "../expression/index.ts";
import type { DraftStep } from "./draft.ts";
import { placesOf, placesOfWorkflow } from "./expression-places.ts";
import type { ExpressionPlace, Role } from "./expression-places.ts";
import { ContextRules } from "./context-rules.ts";
import { resolveStep } from "./names.ts";
import type { StepNames } from "./names.ts";

/** One step reads another: all its expressions that do, taken together. */
export interface StepRead {
  readonly reader: DraftStep;
  readonly target: DraftStep;
  /** Whether the output is read, and not only the status or the error. */
  readonly readsOutput: boolean;
  /** Whether every expression that reads it is evaluated after the attempt (`set`), so that a step may read itself. */
  readonly isAfterwards: boolean;
  /** The reference as written, and the JSON pointer of the string it stands in. */
  readonly text: string;
  readonly path: string;
}

/** What the expressions of a workflow read. */
export interface CollectedReads {
  /** By reader, then by first mention. */
  readonly steps: readonly StepRead[];
  /** Expressions that name `error` or `errors`, which only handlers of a failure have. */
  readonly errors: readonly ErrorRead[];
}

export type ErrorRead = Pick<StepRead, "reader" | "text" | "path">;

interface Collector {
  readonly names: StepNames;
  readonly rules: ContextRules;
  readonly report: Reading;
}

/** Parses every expression once, reports what is wrong with it by itself, and gives what it reads of other steps. */
export function collectReads(
  definition: Definition,
  steps: readonly DraftStep[],
  { names, report }: Pick<Collector, "names" | "report">,
): CollectedReads {
  const collector: Collector = { names, report, rules: new ContextRules(definition) };
  const reads: StepRead[] = [];
  const errors: ErrorRead[] = [];
  for (const step of steps) {
    const ofStep = new Map<DraftStep, StepRead>();
    for (const found of placesOf(step).flatMap((place) => parsePlace(place, step.definition, collector))) {
      if (found.context === "error" || found.context === "errors") errors.push({ reader: step, ...found });
      const read = toStepRead(step, found, collector);
      if (read !== null) ofStep.set(read.target, join(ofStep.get(read.target), read));
    }
    reads.push(...ofStep.values());
  }
  checkOutput(definition, collector);
  return { steps: reads, errors };
}

/** What stands outside of steps adds no edges; the run's output may read every step that has run by then. */
function checkOutput(definition: Definition, collector: Collector): void {
  for (const found of placesOfWorkflow(definition).flatMap((place) => parsePlace(place, null, collector))) {
    const target = targetOf(found, collector);
    if (target?.list.phase !== "finally") continue;
    collector.report.error({
      code: "unknown_reference",
      message: `The output of the workflow reads ${quote(target.id)}, which runs after it, in \`finally\`.`,
      path: found.path,
    });
  }
}

interface Found {
  readonly role: Role;
  readonly context: string;
  readonly members: ExpressionReference;
  readonly text: string;
  readonly path: string;
}

/** The references of one place that may stand there. */
function parsePlace(place: ExpressionPlace, step: StepDefinition | null, collector: Collector): readonly Found[] {
  const { rules, report } = collector;
  const alias = step?.forEach?.as;
  const parsed = parse(place, alias === undefined ? [] : [alias]);
  for (const { pointer, ...problem } of parsed.problems) {
    const { code, message, hint } = problem;
    const finding = { code, message, hint, path: `${place.path}${pointer}` };
    if (problem.severity === "error") report.error(finding);
    else report.warning(finding);
  }
  const found: Found[] = [];
  for (const { pointer, ...reference } of parsed.references) {
    const path = `${place.path}${pointer}`;
    const text = formatReference(reference.context, reference.path);
    const problem = rules.check(reference, { role: place.role, step });
    if (problem === null) found.push({ role: place.role, context: reference.context, members: reference, text, path });
    else report[problem.severity]({ code: "unknown_reference", message: problem.message, hint: problem.hint, path });
  }
  return found;
}

interface Parsed {
  readonly references: readonly AtPointer<ExpressionReference>[];
  readonly problems: readonly AtPointer<ExpressionProblem>[];
}

function parse({ kind, value }: ExpressionPlace, extraContexts: readonly string[]): Parsed {
  if (typeof value !== "string" || kind === "value") return compileValue(value, { extraContexts });
  if (kind === "script") {
    const { references, problems } = scriptReferences(value, { extraContexts });
    return { references: references.map(inWhole), problems: problems.map(inWhole) };
  }
  const condition = parseCondition(value, { extraContexts });
  if (isProblems(condition)) return { references: [], problems: condition.map(inWhole) };
  return { references: condition.references.map(inWhole), problems: [] };
}

function inWhole<Item>(item: Item): AtPointer<Item> {
  return { ...item, pointer: "" };
}

function toStepRead(reader: DraftStep, found: Found, collector: Collector): StepRead | null {
  const target = targetOf(found, collector);
  if (target === null) return null;
  const { role, text, path, members } = found;
  const member = members.path[1];
  const readsOutput = member !== "status" && member !== "error";
  return { reader, target, readsOutput, isAfterwards: role === "set", text, path };
}

/** The step that a reference names; null for other contexts and for what was reported. */
function targetOf(found: Found, { names, report }: Collector): DraftStep | null {
  if (found.context !== "steps") return null;
  const [name] = found.members.path;
  if (name !== undefined) return resolveStep(names, name, { code: "unknown_reference", path: found.path, report });
  report.error({
    code: "unknown_reference",
    message: "An expression must name the steps it reads; `steps[…]` with a computed name could be any of them.",
    hint: "Write `steps.<id>.output`; `case(…)` chooses between several.",
    path: found.path,
  });
  return null;
}

function join(first: StepRead | undefined, read: StepRead): StepRead {
  if (first === undefined) return read;
  return {
    ...(first.isAfterwards ? read : first),
    readsOutput: first.readsOutput || read.readsOutput,
    isAfterwards: first.isAfterwards && read.isAfterwards,
  };
}

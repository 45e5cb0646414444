import type { Definition, StepDefinition } from "../definition/model.ts";
import { quote } from "../definition/describe.ts";
import type { Reading } from "../definition/reading.ts";
import { compileValue } from "../expression/compile-value.ts";
import { isProblems, parseCondition } from "../expression/parse-template.ts";
import type { ExpressionProblem } from "../expression/problem.ts";
import { formatReference } from "../expression/reference.ts";
import type { ExpressionReference } from "../expression/reference.ts";
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
  /** Steps that the run's `output` names. */
  readonly output: readonly StepRead["target"][];
  /** Steps with an expression that names `error` or `errors`, which only handlers of a failure have. */
  readonly errors: readonly { readonly reader: DraftStep; readonly text: string; readonly path: string }[];
}

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
  const errors: { reader: DraftStep; text: string; path: string }[] = [];
  for (const step of steps) {
    if (step.definition === null) continue;
    const ofStep = new Map<DraftStep, StepRead>();
    for (const place of placesOf(step.definition)) {
      for (const found of parsePlace(place, step.definition, collector)) {
        if (found.context === "error" || found.context === "errors") errors.push({ reader: step, ...found });
        const read = toStepRead(step, found, { role: place.role, collector });
        if (read !== null) ofStep.set(read.target, join(ofStep.get(read.target), read));
      }
    }
    for (const read of ofStep.values()) reads.push(read);
  }
  return { steps: reads, output: collectWorkflowReads(definition, collector), errors };
}

function collectWorkflowReads(definition: Definition, collector: Collector): readonly DraftStep[] {
  const targets = new Set<DraftStep>();
  for (const place of placesOfWorkflow(definition)) {
    for (const found of parsePlace(place, null, collector)) {
      const target = targetOf(found, collector);
      if (target === null) continue;
      targets.add(target);
      if (target.list.phase !== "finally") continue;
      collector.report.error({
        code: "unknown_reference",
        message: `The output of the workflow reads ${quote(target.id)}, which runs after it, in \`finally\`.`,
        path: found.path,
      });
    }
  }
  return [...targets];
}

interface Found {
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
    if (problem === null) found.push({ context: reference.context, members: reference, text, path });
    else report[problem.severity]({ code: "unknown_reference", message: problem.message, hint: problem.hint, path });
  }
  return found;
}

interface Parsed {
  readonly references: readonly (ExpressionReference & { readonly pointer: string })[];
  readonly problems: readonly (ExpressionProblem & { readonly pointer: string })[];
}

function parse({ kind, value }: ExpressionPlace, extraContexts: readonly string[]): Parsed {
  if (kind === "condition" && typeof value === "string") {
    const condition = parseCondition(value, { extraContexts });
    if (isProblems(condition)) return { references: [], problems: condition.map(atStart) };
    return { references: condition.references.map(atStart), problems: [] };
  }
  return compileValue(value, { extraContexts });
}

function atStart<Item>(item: Item): Item & { readonly pointer: string } {
  return { ...item, pointer: "" };
}

function toStepRead(
  reader: DraftStep,
  found: Found,
  { role, collector }: { readonly role: Role; readonly collector: Collector },
): StepRead | null {
  const target = targetOf(found, collector);
  if (target === null) return null;
  const { text, path, members } = found;
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

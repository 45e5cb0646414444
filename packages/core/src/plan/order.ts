import { quote } from "../definition/describe.ts";
import type { StepDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";

/**
 * An element of a list of steps, in definition order; a group stands where its first member does. The order of a list:
 *
 * - A block is a graph: its members are concurrent unless they name each other.
 * - A list in which a step has a `dependsOn` that says "needs" is a graph; so is one that says `mode: graph`.
 * - Every other list is ordered: its steps, and its groups of marked neighbours, run one after the other.
 *
 * A step whose `dependsOn` has only `failure` and `settled` entries does not make a graph. It leaves the order of its list
 * and hangs on those edges alone.
 */
export type Arranged =
  | { readonly kind: "step"; readonly step: StepDefinition; readonly isOrdered: boolean }
  | { readonly kind: "group"; readonly mark: true | number; readonly steps: readonly StepDefinition[] };

/** What decides the order besides the steps. */
export interface ListRules {
  readonly isBlock: boolean;
  /** `mode` of the workflow, for its main list. */
  readonly mode: "sequential" | "graph" | undefined;
}

export function arrange(steps: readonly StepDefinition[], rules: ListRules, report: Reading): readonly Arranged[] {
  if (rules.isBlock) {
    refuseNumbers(steps, "inside a block, whose members run at the same time anyway", report);
    return asGraph(steps);
  }
  if (rules.mode === "graph" || (rules.mode === undefined && steps.some(makesGraph))) {
    refuseNumbers(steps, rules.mode === "graph" ? "beside `mode: graph`" : "beside `dependsOn` in one list", report);
    if (rules.mode === undefined) checkRoots(steps, report);
    return asGraph(steps);
  }
  return asOrdered(steps, report);
}

/** Whether the `dependsOn` of a step makes its list a graph. An empty one does: it says "starts at once". */
function makesGraph({ dependsOn }: StepDefinition): boolean {
  return dependsOn !== undefined && (dependsOn.length === 0 || dependsOn.some((entry) => entry.on === "success"));
}

/** Whether a step hangs on `failure` and `settled` edges alone. */
function leavesOrder({ dependsOn }: StepDefinition): boolean {
  return dependsOn !== undefined && dependsOn.length > 0 && dependsOn.every((entry) => entry.on !== "success");
}

function asGraph(steps: readonly StepDefinition[]): readonly Arranged[] {
  return steps.map((step) => ({ kind: "step", step, isOrdered: false }));
}

function refuseNumbers(steps: readonly StepDefinition[], where: string, report: Reading): void {
  for (const { id, mark, at } of steps) {
    if (typeof mark !== "number") continue;
    report.error({
      code: "mixed_order",
      message: `${quote(id)} has \`parallelGroup: ${mark}\` ${where}.`,
      hint: "Groups order a list by file order: remove `parallelGroup`, or order the list by groups alone.",
      path: `${at}/parallelGroup`,
    });
  }
}

/** In a list that became a graph through `dependsOn`, a step without one starts at once, which may not be what was meant. */
function checkRoots(steps: readonly StepDefinition[], report: Reading): void {
  const hasMarks = steps.some((step) => step.mark !== undefined);
  for (const [place, { id, dependsOn, mark, at }] of steps.entries()) {
    if (place === 0 || dependsOn !== undefined || mark !== undefined) continue;
    if (hasMarks) {
      report.error({
        code: "mixed_order",
        message: `${quote(id)} has neither \`dependsOn\` nor a mark, in a list that has both: its place is not clear.`,
        hint: "Write `dependsOn: []` or `parallel: true` if it starts at once, else name what it depends on.",
        path: at,
      });
    } else {
      report.warning({
        code: "ambiguous_order",
        message: `${quote(id)} starts at once: other steps of the list have \`dependsOn\` and it has none.`,
        hint: "Write `dependsOn: []` if that is meant, else name what it depends on.",
        path: at,
      });
    }
  }
}

function asOrdered(steps: readonly StepDefinition[], report: Reading): readonly Arranged[] {
  const elements: Arranged[] = [];
  const numbers = new GroupNumbers(report);
  let members: StepDefinition[] | null = null;
  let mark: true | number | undefined;
  // A step that leaves the order does not part its neighbours; it is listed after the group that it stands in.
  let aside: Arranged[] = [];
  const close = (): void => {
    if (members !== null && mark !== undefined) elements.push({ kind: "group", mark, steps: members });
    elements.push(...aside);
    members = null;
    aside = [];
  };
  for (const step of steps) {
    if (leavesOrder(step)) {
      refuseNumbers([step], "and hangs on `failure` or `settled` entries, so it is in no group", report);
      aside.push({ kind: "step", step, isOrdered: false });
    } else if (members !== null && step.mark === mark) {
      members.push(step);
    } else {
      close();
      mark = step.mark;
      if (mark === undefined) elements.push({ kind: "step", step, isOrdered: true });
      else members = [step];
      if (typeof mark === "number") numbers.open(mark, step);
    }
  }
  close();
  return elements;
}

/** Checks that the numbers of groups only rise down a list. */
class GroupNumbers {
  readonly #report: Reading;
  readonly #seen = new Map<number, StepDefinition>();
  #highest = 0;

  constructor(report: Reading) {
    this.#report = report;
  }

  open(number: number, step: StepDefinition): void {
    const earlier = this.#seen.get(number);
    if (earlier !== undefined || number < this.#highest) {
      this.#report.error({
        code: "parallel_group_split",
        message:
          earlier === undefined
            ? `\`parallelGroup: ${number}\` of ${quote(step.id)} comes after group ${this.#highest}: the numbers fall.`
            : `\`parallelGroup: ${number}\` of ${quote(step.id)} comes back after other steps; it began at ${quote(earlier.id)}.`,
        hint: "Groups run in file order: put the steps of a group side by side and let the numbers rise.",
        path: `${step.at}/parallelGroup`,
      });
    }
    this.#seen.set(number, earlier ?? step);
    this.#highest = Math.max(this.#highest, number);
  }
}

import { quote } from "../definition/describe.ts";
import { nearestName } from "../definition/nearest.ts";
import type { Reading } from "../definition/reading.ts";
import type { DraftStep } from "./draft.ts";

/** Own members of every object in some hosts; as ids they would be traps. */
const RESERVED = new Set(["__proto__", "constructor", "prototype"]);

/** Looking for near names costs a comparison with every name, so only this many misspellings get a hint. */
const MAX_HINTS = 50;

/** Finds steps by what authors write: an id or, where no id fits, a name. */
export class StepNames {
  readonly #byId = new Map<string, DraftStep>();
  readonly #byName = new Map<string, DraftStep[]>();
  #remainingHints = MAX_HINTS;

  constructor(steps: readonly DraftStep[]) {
    for (const step of steps) {
      if (step.definition === null) continue;
      if (!this.#byId.has(step.id)) this.#byId.set(step.id, step);
      const named = this.#byName.get(step.name);
      if (named === undefined) this.#byName.set(step.name, [step]);
      else named.push(step);
    }
  }

  /** All steps that fit: one, none, or several of the same name. */
  find(reference: string): readonly DraftStep[] {
    const step = this.#byId.get(reference);
    return step === undefined ? (this.#byName.get(reference) ?? []) : [step];
  }

  /** A hint with the nearest name, or undefined. */
  hintFor(reference: string): string | undefined {
    if (this.#remainingHints === 0) return undefined;
    this.#remainingHints -= 1;
    const near = nearestName(reference, this.#names());
    return near === undefined ? undefined : `Did you mean ${quote(near)}?`;
  }

  *#names(): Iterable<string> {
    yield* this.#byId.keys();
    yield* this.#byName.keys();
  }
}

/** Ids are unique in the whole workflow, and hidden steps alone have a `/` in theirs. */
export function checkIds(steps: readonly DraftStep[], report: Reading): void {
  const first = new Map<string, DraftStep>();
  for (const step of steps) {
    if (step.definition === null) continue;
    const earlier = first.get(step.id);
    if (earlier !== undefined) {
      report.error({
        code: "duplicate_step",
        message: `${quote(step.id)} is the id of two steps: here and at ${report.placeOf(earlier.at)}.`,
        hint: "Ids are unique in the whole workflow; blocks make no name space. Give one of them another `id`.",
        path: step.at,
      });
    } else {
      first.set(step.id, step);
      checkId(step, report);
    }
  }
}

function checkId(step: DraftStep, report: Reading): void {
  const { id, at } = step;
  // A step that could not be named stands under its pointer, and has been reported.
  if (id === at) return;
  if (id !== "" && !/[./\p{Cc}]/u.test(id) && !RESERVED.has(id)) return;
  report.error({
    code: "invalid_value",
    message: `${quote(id)} cannot be the id of a step.`,
    hint: "An id has no dot, no slash and no control character, and is not `constructor`, `prototype` or `__proto__`.",
    path: `${at}/id`,
  });
}

/** The one step that a text names; a text that names none or several is reported. */
export function resolveStep(names: StepNames, reference: string, { code, path, report }: Resolution): DraftStep | null {
  const found = names.find(reference);
  const [step] = found;
  if (step === undefined) {
    report.error({ code, message: `There is no step ${quote(reference)}.`, hint: names.hintFor(reference), path });
    return null;
  }
  if (found.length === 1) return step;
  const ids = found.slice(0, 5).map(({ id }) => quote(id));
  report.error({
    code: "invalid_value",
    message: `${quote(reference)} is the name of several steps: ${ids.join(", ")}${found.length > 5 ? ", …" : ""}.`,
    hint: "Use the id.",
    path,
  });
  return null;
}

/** How `resolveStep` reports a text that names no step. */
export interface Resolution {
  readonly code: "missing_dependency" | "unknown_reference";
  readonly path: string;
  readonly report: Reading;
}

import { fingerprint } from "../oracle/writer.ts";
import type { BeginLine } from "../oracle/line.ts";
import { allSteps } from "../workflows/spec.ts";
import type { StepSpec } from "../workflows/spec.ts";
import { attemptsOf } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";
import type { RunEvidence } from "./records.ts";
import type { Violation } from "./violation.ts";

/** I2 and I12: what came before what, and what the code of steps saw of it. */
export function checkOrder(evidence: Evidence): readonly Violation[] {
  const found: Violation[] = [];
  for (const record of evidence.runs.values()) {
    const spec = evidence.specs.get(record.run.workflow);
    if (spec === undefined) continue;
    const view = new RunView(evidence, record);
    const all = allSteps(spec);
    for (const step of all) {
      found.push(...view.checkRelease(step));
      for (const begin of view.beginsOf(step.id))
        found.push(...view.checkSight(step, { all, begin }), ...view.checkContext(step, begin));
    }
  }
  return found;
}

const ends: ReadonlySet<string> = new Set(["step.completed", "step.failed", "step.skipped", "step.canceled"]);

interface Sight {
  readonly all: readonly StepSpec[];
  readonly begin: BeginLine;
}

class RunView {
  readonly #record: RunEvidence;
  readonly #readyAt = new Map<string, number>();
  readonly #endedAt = new Map<string, { readonly seq: number; readonly how: string }>();
  readonly #begins = new Map<string, BeginLine[]>();
  /** When the code of accepted attempts ended, of each step the latest. */
  readonly #codeEndedAt = new Map<string, number>();

  constructor(evidence: Evidence, record: RunEvidence) {
    this.#record = record;
    for (const { type, step, seq } of record.trace) {
      const id = record.plan.steps[step]?.id ?? "";
      if (type === "step.ready") this.#readyAt.set(id, seq);
      else if (ends.has(type)) this.#endedAt.set(id, { seq, how: type });
    }
    for (const { key, step, end } of attemptsOf(record)) {
      this.#begins.set(step, [...(this.#begins.get(step) ?? []), ...(evidence.begins.get(key) ?? [])]);
      const mono = evidence.ends.get(key)?.[0]?.mono;
      if (end !== "completed" || mono === undefined) continue;
      this.#codeEndedAt.set(step, Math.max(mono, this.#codeEndedAt.get(step) ?? 0));
    }
  }

  beginsOf(step: string): readonly BeginLine[] {
    return this.#begins.get(step) ?? [];
  }

  /** A step is released after all that it needs, or after the one that won. */
  checkRelease({ id, needs, join }: StepSpec): readonly Violation[] {
    const ready = this.#readyAt.get(id);
    if (ready === undefined || needs.length === 0) return [];
    const before = needs.filter(({ step }) => (this.#endedAt.get(step)?.seq ?? Infinity) < ready);
    const isMet =
      join === undefined
        ? before.length === needs.length
        : before.some(({ step }) => this.#endedAt.get(step)!.how === "step.completed");
    if (isMet) return [];
    const open = needs.filter((need) => !before.includes(need)).map(({ step }) => step);
    return [this.#violation(`\`${id}\` was released before ${open.join(", ")} had ended`)];
  }

  /** The code begins after that of what it needs has ended, and sees the outputs that are kept. */
  checkSight({ id, needs, join }: StepSpec, { all, begin }: Sight): readonly Violation[] {
    return needs.flatMap((need): readonly Violation[] => {
      const isNeeded = join === undefined && need.on === "success";
      const endedAt = this.#codeEndedAt.get(need.step);
      const found: Violation[] = [];
      if (isNeeded && endedAt !== undefined && begin.mono < endedAt)
        found.push(
          this.#violation(`\`${id}\` began ${(endedAt - begin.mono).toFixed(1)} ms before \`${need.step}\` ended`),
        );
      const source = all.find((step) => step.id === need.step)!;
      // What a join or a wait gives out is made of what came to it, and is looked at there.
      if (source.action.kind !== "task") return found;
      const saw = begin.saw[need.step] ?? null;
      const kept = this.#keptOf(source);
      // What came over a race, or after a failure, may be there or not; what is there is what is kept.
      const isWrong = need.step in begin.saw && saw !== kept && (saw !== null || isNeeded);
      if (isWrong) found.push(this.#violation(`\`${id}\` saw another output of \`${need.step}\` than is kept`));
      return found;
    });
  }

  /** Fingerprint of the output that is kept; null where the step did not complete. */
  #keptOf({ id, action }: StepSpec): string | null {
    if (this.#endedAt.get(id)?.how !== "step.completed") return null;
    const index = this.#record.plan.steps.find((step) => step.id === id)!.index;
    const rows = this.#record.steps.filter((row) => row.step_index === index);
    if (action.kind !== "task" || action.items === undefined) return fingerprint(rows[0]!.output);
    // A map's is made of its items', in their order.
    return fingerprint(action.items.map((_, item) => rows.find((row) => row.task_index === item)?.output ?? null));
  }

  /** Shards merge in the order of the graph, ties in the order of the definition, whatever finished first. */
  checkContext({ id, action }: StepSpec, begin: BeginLine): readonly Violation[] {
    if (action.kind !== "task" || action.looksAtContext !== true) return [];
    const expected: Record<string, unknown> = {};
    for (const { index, id: source, host } of this.#record.plan.steps) {
      if (host.set === null || source === id) continue;
      const row = this.#record.steps.find((each) => each.step_index === index && each.task_index === -1);
      const { nonce } = row!.output as { readonly nonce: string };
      expected[source] = nonce;
      expected["shared"] = nonce;
    }
    if (JSON.stringify(begin.context) === JSON.stringify(expected)) return [];
    const text = `\`${id}\` saw the context ${JSON.stringify(begin.context)}, not ${JSON.stringify(expected)}`;
    return [{ invariant: "I12", run: this.#record.run.id, text }];
  }

  #violation(text: string): Violation {
    return { invariant: "I2", run: this.#record.run.id, text };
  }
}

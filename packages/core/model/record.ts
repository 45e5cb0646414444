import { createState } from "../src/kernel/load.ts";
import { transition } from "../src/kernel/transition.ts";
import type { Transition } from "../src/kernel/transition-types.ts";
import type { RunEvent } from "../src/kernel/event.ts";
import type { Plan } from "../src/plan/plan.ts";
import { RunRow, StepRow } from "../src/state/rows.ts";
import type { RowChange } from "../src/state/rows.ts";
import type { RunState } from "../src/state/run-state.ts";
import { drive } from "./drive.ts";
import type { Course } from "./drive.ts";

/** One event of a course and what the kernel made of it, as text: the rows behind `changes` live on. */
export interface Recorded {
  readonly event: RunEvent;
  readonly text: string;
  readonly done: Transition;
}

/** Everything a transition says, byte for byte. */
export const textOf = ({ changes, commands, trace, ignored }: Transition): string =>
  JSON.stringify({ changes, commands, trace, ignored });

export function record(course: Course): readonly Recorded[] {
  const state = createState(course.plan, "run-1");
  const recorded: Recorded[] = [];
  drive(course, (event) => {
    const done = transition(course.plan, state, event);
    recorded.push({ event, text: textOf(done), done });
    return done;
  });
  return recorded;
}

/** The rows of a run as a store would hold them: plain JSON, written from changes alone. */
export class JsonStore {
  readonly #rows = new Map<string, string>();
  #run = JSON.stringify(new RunRow());

  commit(changes: readonly RowChange[]): void {
    for (const change of changes) {
      if (change.table === "run") this.#run = JSON.stringify(change.after);
      else this.#rows.set(keyOf(change.after), JSON.stringify(change.after));
    }
  }

  /** New rows, as a worker would read them. */
  load(): { readonly run: RunRow; readonly steps: StepRow[] } {
    const steps = [...this.#rows.values()].map((text) => {
      const row = JSON.parse(text) as StepRow;
      return Object.assign(new StepRow(row.step, row.task), row);
    });
    return { run: Object.assign(new RunRow(), JSON.parse(this.#run) as RunRow), steps };
  }

  /** Everything stored, in an order of its own. */
  dump(): string {
    return [this.#run, ...[...this.#rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)].join("\n");
  }
}

/** The rows that a state holds, in the order of `JsonStore.dump`. */
export function dumpOf(plan: Plan, state: RunState): string {
  const store = new JsonStore();
  const rows = [...rowsOf(plan, state)].map((after): RowChange => ({ table: "step", before: null, after }));
  store.commit([{ table: "run", before: null, after: state.run }, ...rows]);
  return store.dump();
}

function* rowsOf(plan: Plan, state: RunState): Generator<StepRow> {
  for (const { index } of plan.steps) {
    const row = state.steps[index];
    if (row !== undefined) yield row;
    for (const item of state.maps.get(index)?.rows ?? []) if (item !== undefined) yield item;
  }
}

const keyOf = ({ step, task }: StepRow): string =>
  `${String(step).padStart(6, "0")}/${String(task + 1).padStart(6, "0")}`;

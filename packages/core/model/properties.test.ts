import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Command } from "../src/kernel/command.ts";
import type { RunEvent } from "../src/kernel/event.ts";
import { createState, loadState, pendingCommands, replaceRows, restore } from "../src/kernel/load.ts";
import { transition } from "../src/kernel/transition.ts";
import type { Transition } from "../src/kernel/transition-types.ts";
import type { RowChange } from "../src/state/rows.ts";
import { itemRow, stepRow } from "../src/state/run-state.ts";
import type { RunState } from "../src/state/run-state.ts";
import { stepStatus } from "../src/state/view.ts";
import { buildPlan } from "./build-plan.ts";
import { describeCourse, drive } from "./drive.ts";
import type { Course } from "./drive.ts";
import type { Host } from "./host.ts";
import { EVERYTHING, randomPlan } from "./random-plan.ts";
import type { Features } from "./random-plan.ts";
import { dumpOf, JsonStore, record, textOf } from "./record.ts";
import type { Recorded } from "./record.ts";
import { wrongReasons } from "./pending-reasons.ts";
import { courses, randomNumbers, settings, TIMEOUT_MS } from "./settings.ts";
import { staleEvents } from "./stale-events.ts";
import { checkTrace } from "./trace-rules.ts";

const anyCourse = courses({ ...EVERYTHING, maxSteps: 6 });

/** Applies recorded events once more and says where the kernel answers otherwise. */
function replay(
  { plan }: Course,
  recorded: readonly Recorded[],
  apply: (event: RunEvent, index: number) => string,
): void {
  for (const [index, { event, text }] of recorded.entries()) {
    const again = apply(event, index);
    if (again === text) continue;
    const events = recorded.slice(0, index + 1).map((one) => one.event);
    throw describeCourse(plan, events, new Error(`the answer differs: ${firstDifference(text, again)}`));
  }
}

/** The place where two texts part, with what stands around it. */
function firstDifference(first: string, second: string): string {
  let place = 0;
  while (first[place] === second[place]) place += 1;
  const cut = (text: string): string => text.slice(Math.max(0, place - 160), place + 80);
  return `\n  first …${cut(first)}…\n  now   …${cut(second)}…`;
}

const ranksOf = (recorded: readonly Recorded[]): readonly number[] | null =>
  recorded.flatMap(({ event }) => (event.type === "run.start" ? [event.ranks ?? null] : []))[0] ?? null;

test(
  "the same events give the same changes, commands and trace, byte for byte",
  () => {
    const property = fc.property(anyCourse, (course) => {
      const recorded = record(course);
      const state = createState(course.plan, "run-1");
      replay(course, recorded, (event) => textOf(transition(course.plan, state, event)));
    });
    fc.assert(property, settings(0.2));
  },
  TIMEOUT_MS,
);

test(
  "a run that is stored as JSON and loaded again, after any event, goes on as if nothing had happened",
  () => {
    const property = fc.property(anyCourse, fc.array(fc.nat({ max: 4 }), { maxLength: 40 }), (course, skips) => {
      const { plan } = course;
      const recorded = record(course);
      const ranks = ranksOf(recorded);
      const store = new JsonStore();
      let state = createState(plan, "run-1");
      let skipped = 0;
      replay(course, recorded, (event, index) => {
        const done = transition(plan, state, event);
        const text = textOf(done);
        store.commit(done.changes);
        expect(dumpOf(plan, state)).toBe(store.dump());
        if (skipped < (skips[index % Math.max(1, skips.length)] ?? 0)) skipped += 1;
        else {
          skipped = 0;
          const hasStarted = state.run.startedAt !== null;
          state = loadState(plan, "run-1", { ...store.load(), ranks: hasStarted ? ranks : null });
        }
        return text;
      });
    });
    fc.assert(property, settings(0.2));
  },
  TIMEOUT_MS,
);

test(
  "a loaded run asks for exactly what its host still owes it",
  () => {
    const property = fc.property(anyCourse, (course) => {
      const state = createState(course.plan, "run-1");
      const apply = (event: RunEvent): Transition => transition(course.plan, state, event);
      drive(course, apply, (host) => expect(asked(pendingCommands(state))).toEqual(owed(state, host)));
    });
    fc.assert(property, settings(0.2));
  },
  TIMEOUT_MS,
);

const asked = (commands: readonly Command[]): string[] =>
  commands.map((command) => `${command.type} ${"step" in command ? `${command.step}:${command.task}` : ""}`).toSorted();

function owed(state: RunState, host: Host): string[] {
  // The answer for a step that was skipped meanwhile still comes, and is stale.
  const isOpen = ({ step, task }: { step: number; task: number }): boolean =>
    step === -1 || ((task === -1 ? stepRow(state, step) : itemRow(state, step, task))?.isEvaluating ?? false);
  return [
    ...host.evaluations.filter(isOpen).map(({ step, task }) => `evaluate ${step}:${task}`),
    ...[...host.signals.values()].map(({ step, task }) => `awaitSignal ${step}:${task}`),
    ...[...host.children.values()].map(({ step, task }) => `startChild ${step}:${task}`),
  ].toSorted();
}

test(
  "stale and duplicate events change nothing and are ignored",
  () => {
    const property = fc.property(anyCourse, fc.array(fc.nat(), { maxLength: 60 }), (course, numbers) => {
      const { plan } = course;
      const state = createState(plan, "run-1");
      const earlier: RunEvent[] = [];
      drive(course, (event, host) => {
        const before = dumpOf(plan, state);
        for (const stale of staleEvents(earlier, host, numbers[earlier.length] ?? 0)) {
          const { changes, commands, trace, ignored } = transition(plan, state, stale);
          if (
            ignored === null ||
            changes.length + commands.length + trace.length > 0 ||
            dumpOf(plan, state) !== before
          ) {
            throw new Error(`a stale event was applied: ${JSON.stringify(stale)}`);
          }
        }
        earlier.push(event);
        return transition(plan, state, event);
      });
    });
    fc.assert(property, settings(0.2));
  },
  TIMEOUT_MS,
);

test(
  "restoring a refused batch gives exactly the state before, which then goes on as if nothing had happened",
  () => {
    const property = fc.property(anyCourse, fc.array(fc.nat({ max: 3 }), { maxLength: 40 }), (course, sizes) => {
      const { plan } = course;
      const recorded = record(course);
      const state = createState(plan, "run-1");
      replay(course, recorded, (event, index) => {
        const size = sizes[index % Math.max(1, sizes.length)] ?? 0;
        refuse(state, course, recorded.slice(index, index + size));
        return textOf(transition(plan, state, event));
      });
    });
    fc.assert(property, settings(0.2));
  },
  TIMEOUT_MS,
);

/** Applies events and takes them back. */
function refuse(state: RunState, { plan }: Course, batch: readonly Recorded[]): void {
  if (batch.length === 0) return;
  const before = dumpOf(plan, state);
  const { ranks } = state;
  const changes: RowChange[] = [];
  for (const { event } of batch) changes.push(...transition(plan, state, event).changes);
  restore(state, changes);
  state.ranks = ranks;
  expect(dumpOf(plan, state)).toBe(before);
}

test(
  "a worker that was overtaken restores what was refused, takes the newer rows and goes on like the others",
  () => {
    const property = fc.property(anyCourse, fc.array(fc.nat({ max: 5 }), { maxLength: 40 }), (course, lags) => {
      const { plan } = course;
      const recorded = record(course);
      const leader = createState(plan, "run-1");
      let worker = createState(plan, "run-1");
      let missed: Missed[] = [];
      let lag = 0;
      replay(course, recorded, (event, index) => {
        const { changes } = transition(plan, leader, event);
        if (lag > 0) {
          missed.push({ event, changes: changes.map((change) => copyOf(change)) });
          lag -= 1;
          return recorded[index]!.text;
        }
        worker = catchUp(worker, course, missed);
        missed = [];
        if (leader.run.startedAt !== null) lag = lags[index % Math.max(1, lags.length)] ?? 0;
        return textOf(transition(plan, worker, event));
      });
    });
    fc.assert(property, settings(0.2));
  },
  TIMEOUT_MS,
);

interface Missed {
  readonly event: RunEvent;
  readonly changes: readonly RowChange[];
}

/** The worker tries its own event on old rows, is refused, and reads what others have written meanwhile. */
function catchUp(worker: RunState, { plan }: Course, missed: readonly Missed[]): RunState {
  const [first] = missed;
  if (first === undefined) return worker;
  restore(worker, transition(plan, worker, first.event).changes);
  const store = new JsonStore();
  store.commit([{ table: "run", before: null, after: worker.run }, ...missed.flatMap(({ changes }) => changes)]);
  return replaceRows(worker, store.load());
}

/** Rows live on after a transition; a store keeps what they were. */
function copyOf(change: RowChange): RowChange {
  return JSON.parse(JSON.stringify(change)) as RowChange;
}

test(
  "every run ends, and until then every step that has not settled has a reason to wait that can be named",
  () => {
    const property = fc.property(anyCourse, (course) => {
      const state = createState(course.plan, "run-1");
      const apply = (event: RunEvent): Transition => transition(course.plan, state, event);
      drive(course, apply, (host) => {
        const problems = wrongReasons(state, host);
        if (problems.length > 0) throw new Error(problems.join("\n"));
      });
    });
    fc.assert(property, settings(0.4));
  },
  TIMEOUT_MS,
);

test(
  "no scope ever has more open attempts than its cap",
  () => {
    const property = fc.property(anyCourse, (course) => {
      const { plan } = course;
      const state = createState(plan, "run-1");
      const apply = (event: RunEvent): Transition => transition(plan, state, event);
      drive(course, apply, (host) => {
        for (const { index, maxConcurrent } of plan.scopes) {
          const cap = index === 0 ? (state.run.maxConcurrent ?? maxConcurrent) : maxConcurrent;
          const open = [...host.attempts.values()].filter(({ step }) => isInside(course, step, index)).length;
          if (cap !== null && open > cap)
            throw new Error(`scope ${index} has ${open} open attempts, its cap is ${cap}`);
        }
      });
    });
    fc.assert(property, settings(0.2));
  },
  TIMEOUT_MS,
);

function isInside({ plan }: Course, step: number, scope: number): boolean {
  for (let around = plan.steps[step]!.slots; around >= 0; around = plan.scopes[around]!.parent) {
    if (around === scope) return true;
  }
  return false;
}

test(
  "the trace has no gaps, causes stand before consequences, and nothing follows an end",
  () => {
    const property = fc.property(anyCourse, (course) => {
      const recorded = record(course);
      const problems = checkTrace(course.plan, recorded);
      if (problems.length > 0) {
        throw describeCourse(
          course.plan,
          recorded.map(({ event }) => event),
          new Error(problems.join("\n")),
        );
      }
    });
    fc.assert(property, settings(0.4));
  },
  TIMEOUT_MS,
);

const calm: Features = {
  ...EVERYTHING,
  kinds: ["task", "join"],
  maxSteps: 8,
  conditions: false,
  times: false,
  phases: false,
  isCalm: true,
};

test(
  "where no rule looks at the order of events, every order ends alike",
  () => {
    const orders = fc.tuple(randomNumbers, randomNumbers, fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 9 }));
    const property = fc.property(randomPlan(calm), orders, (spec, [first, second, outcomes]) => {
      const plan = buildPlan(spec);
      const options = { allowsCancel: false, allowsPause: true, maxRetries: 0, outcomes };
      const [one, other] = [first, second].map((numbers) => endOf({ plan, numbers, options }));
      expect(other).toEqual(one);
    });
    fc.assert(property, settings(0.4));
  },
  TIMEOUT_MS,
);

/** How everything has ended. */
function endOf(course: Course): readonly string[] {
  const state = createState(course.plan, "run-1");
  drive(course, (event) => transition(course.plan, state, event));
  const steps = course.plan.steps.map(({ id, index }) => `${id} ${stepStatus(stepRow(state, index))}`);
  // Which items a map tolerates is a matter of order; how many is not.
  const { status, toleratedFailures, failures } = state.run;
  return [status, `${failures.length} failures, ${toleratedFailures} tolerated`, ...steps];
}

import { fileURLToPath } from "node:url";
import { jsonLines } from "./braid.ts";
import type { BraidOptions, Workbench } from "./braid.ts";

export const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

interface Line {
  readonly type: string;
  readonly seq?: number;
  readonly at: string;
  readonly step: string | null;
  readonly task: number | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface StepSummary {
  readonly status: string;
  readonly attempts: number;
  readonly skipReason: string | null;
  readonly cause: string | null;
  readonly triggeredBy: readonly string[] | null;
  readonly error: { readonly code: string } | null;
  readonly output: unknown;
  readonly counts?: Readonly<Record<string, number>>;
}

interface Summary {
  readonly status: string;
  readonly toleratedFailures: number;
  readonly failures: readonly { readonly step?: string }[];
  readonly output: unknown;
  readonly steps: Readonly<Record<string, StepSummary>>;
}

/** One attempt, from the moment the engine started it to the moment the engine knew that it had ended. */
interface Interval {
  readonly from: number;
  readonly to: number;
}

const ENDS = new Set(["task.completed", "task.failed", "task.canceled"]);

/** A run as its JSON lines tell it: who ran when, in milliseconds since the run started. All times are the engine's own. */
export class RecordedRun {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly summary: Summary;
  readonly #intervals = new Map<string, Interval>();

  constructor(code: number | null, stdout: string) {
    this.code = code;
    const all = jsonLines(stdout);
    this.summary = all.at(-1) as unknown as Summary;
    this.lines = all.slice(0, -1) as unknown as readonly Line[];
    const startedAt = new Map<string, number>();
    const origin = Date.parse(this.lines.find((line) => line.type === "run.started")!.at);
    for (const line of this.lines) {
      const key = `${line.step}#${line.task}`;
      const at = Date.parse(line.at) - origin;
      if (line.type === "task.started") startedAt.set(key, at);
      else if (ENDS.has(line.type) && startedAt.has(key)) {
        this.#intervals.set(key, { from: startedAt.get(key)!, to: at });
      }
    }
  }

  get statuses(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(this.summary.steps).map(([id, step]) => [id, step.status]));
  }

  /** When the (last) attempt of a task ran. */
  interval(step: string, task = 0): Interval {
    const interval = this.#intervals.get(`${step}#${task}`);
    if (interval === undefined) throw new Error(`\`${step}\` never ran`);
    return interval;
  }

  hasRun(step: string): boolean {
    return this.#intervals.has(`${step}#0`);
  }

  /** What a step wrote, with `--logs full`. */
  log(step: string): readonly string[] {
    return this.lines
      .filter((line) => line.type === "log" && line.step === step)
      .map((line) => String(line.data["text"]));
  }

  /** All of these tasks ran at one moment: the last had started before the first had ended. */
  expectTogether(...steps: readonly (string | readonly [string, number])[]): void {
    const intervals = steps.map((step) => (typeof step === "string" ? this.interval(step) : this.interval(...step)));
    const lastStart = Math.max(...intervals.map((interval) => interval.from));
    const firstEnd = Math.min(...intervals.map((interval) => interval.to));
    if (lastStart < firstEnd) return;
    throw new Error(
      `${steps.join(", ")} never ran together: the last started at ${lastStart}, one ended at ${firstEnd}`,
    );
  }

  /** Each of these sets of steps had ended before any of the next started. */
  expectInOrder(...phases: readonly (string | readonly string[])[]): void {
    for (const [index, phase] of phases.entries()) {
      const next = phases[index + 1];
      if (next === undefined) return;
      for (const before of [phase].flat()) {
        for (const after of [next].flat()) this.#expectBefore(before, after);
      }
    }
  }

  #expectBefore(before: string, after: string): void {
    const end = this.interval(before).to;
    const start = this.interval(after).from;
    if (end <= start) return;
    throw new Error(`${after} started at ${start}, before ${before} ended at ${end}`);
  }

  /** The most tasks that ran at one moment. */
  get mostAtOnce(): number {
    const intervals = [...this.#intervals.values()];
    return Math.max(
      ...intervals.map(({ from }) => intervals.filter((other) => other.from <= from && from < other.to).length),
    );
  }
}

/** Runs a file in memory, from a directory that is not the file's, and reads its JSON lines. */
export async function recordRun(
  bench: Workbench,
  file: string,
  options: BraidOptions & { readonly args?: readonly string[] } = {},
): Promise<RecordedRun> {
  const { code, stdout, stderr } = await bench.braid(
    ["run", file, "--json", "--quiet", "--logs", "full", "--ephemeral", ...(options.args ?? [])],
    options,
  );
  if (code === 2 || code === 3) throw new Error(`braid ended with ${code}: ${stderr}`);
  return new RecordedRun(code, stdout);
}

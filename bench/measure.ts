import { loadavg } from "node:os";

/** Best of several runs, in milliseconds: what the code costs when nothing else takes the processor. */
export function best(rounds: number, work: () => void): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/**
 * Operations per second of a fixed piece of plain JavaScript (objects, maps, JSON): the unit in which absolute figures of this machine
 * are expressed, so that tables of different machines can be compared.
 */
export function machineSpeed(): number {
  const rows = 2_000;
  const ms = best(5, () => {
    const map = new Map<string, { id: number; text: string }>();
    for (let index = 0; index < rows; index += 1) map.set(`k${index % 500}`, { id: index, text: `row ${index}` });
    const text = JSON.stringify([...map.values()]);
    const parsed = JSON.parse(text) as { id: number }[];
    if (parsed.reduce((sum, row) => sum + row.id, 0) < 0) throw new Error("unreachable");
  });
  return rows / (ms / 1000);
}

/** One line of the table: a figure, and the ratio that `--check` compares. Higher is better. */
export interface Measure {
  readonly name: string;
  /** For people, with units. */
  readonly figure: string;
  /** Compared with the kept table; null where only the figure is of interest. */
  readonly ratio: number | null;
}

/** The middle of several values. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value that a share of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** A number with its thousands set apart. */
export const whole = (value: number): string => Math.round(value).toLocaleString("en");

/** Rows of Markdown. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** What else the machine was doing: processes that wanted a processor, averaged over the last minute. */
export const loadNow = (): string => (loadavg()[0] ?? 0).toFixed(1);

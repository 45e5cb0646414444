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

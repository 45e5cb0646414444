import type { Figures, Measured } from "./figures.ts";
import type { ChaosOptions } from "./options.ts";

const mostShown = 40;

export interface ReportParts {
  readonly options: ChaosOptions;
  readonly figures: Figures;
  readonly measured: Measured;
  readonly directory: string;
}

/** Prints what was found, violations first; answers whether all is as it should be. */
export function printReport({ options, figures, measured, directory }: ReportParts): boolean {
  const { violations, sometimes } = measured;
  const missed = options.hasFaults ? sometimes.filter(({ count, isNeeded }) => isNeeded && count <= 0) : [];
  for (const { invariant, run, text } of violations.slice(0, mostShown))
    console.log(`VIOLATION ${invariant}${run === null ? "" : ` run ${run}`}: ${text}`);
  if (violations.length > mostShown) console.log(`… and ${violations.length - mostShown} more`);
  for (const { name } of missed)
    console.log(`NEVER HAPPENED: ${name}; a run that does not meet it has shown nothing of it`);
  console.log(
    `\nseed ${figures.seed}, ${figures.minutes} min of faults, ${figures.workers} workers, commit ${figures.commit}, ${figures.machine}`,
  );
  printTable(figures.rows);
  printTable(Object.entries(figures.sometimes));
  printTable(Object.entries(figures.violations).map(([id, count]) => [`violations of ${id}`, count]));
  const isGood = violations.length === 0 && missed.length === 0;
  if (!isGood) {
    const { minutes, seed, workers } = options;
    console.log(`\nThe files of this run are in ${directory}.`);
    console.log(`The same faults again: npm run chaos -- --minutes ${minutes} --seed ${seed} --workers ${workers}`);
  }
  return isGood;
}

function printTable(rows: readonly (readonly [name: string, figure: string | number])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log("");
  for (const [name, figure] of rows) console.log(`${name.padEnd(width)}  ${figure}`);
}

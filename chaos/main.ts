import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Campaign } from "./campaign.ts";
import { countViolations, machine, rowsOf } from "./figures.ts";
import type { Figures, Measured } from "./figures.ts";
import { readOptions, usage } from "./options.ts";
import type { ChaosOptions } from "./options.ts";
import { printReport } from "./report.ts";

/**
 * `npm run chaos -- [--minutes n] [--seed n] [--workers n] [--json file] [--no-faults]`
 *
 * Real workers on a real PostgreSQL, with faults of every kind on a schedule that the seed decides. While they rage and when they have
 * stopped, what must hold is checked from outside. Exit code 1: something did not hold, or a fault did not hit.
 */
async function main(args: readonly string[]): Promise<number> {
  let options: ChaosOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\nUsage: ${usage}`);
    return 2;
  }
  const campaign = await Campaign.prepare(options);
  const end = (): void => campaign.endAtOnce();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  process.once("exit", () => campaign.killWorkers());
  let measured: Measured;
  try {
    measured = await campaign.run();
  } finally {
    await campaign.close();
  }
  const figures = figuresOf(options, measured);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  const isGood = printReport({ options, figures, measured, directory: campaign.directory });
  if (isGood) campaign.removeDirectory();
  return isGood ? 0 : 1;
}

function figuresOf({ seed, minutes, workers }: ChaosOptions, measured: Measured): Figures {
  return {
    seed,
    minutes,
    workers,
    commit: commitOf(),
    machine: machine(),
    rows: rowsOf(measured),
    violations: countViolations(measured.violations),
    sometimes: Object.fromEntries(measured.sometimes.map(({ name, count }) => [name, count])),
  };
}

function commitOf(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    // Not a checkout.
    return "unknown";
  }
}

process.exitCode = await main(process.argv.slice(2));

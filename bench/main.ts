import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { measureCompile } from "./compile.ts";
import { measureExamples } from "./examples.ts";
import { measureKernel } from "./kernel.ts";
import { loadNow } from "./measure.ts";
import type { Measure } from "./measure.ts";
import { measureFlatness } from "./postgres/flatness.ts";
import { measureIdle } from "./postgres/idle.ts";
import { measureLatency } from "./postgres/latency.ts";
import { installPeers, measurePeers } from "./postgres/peers.ts";
import { measureSize } from "./postgres/size.ts";
import { measureWorkers } from "./postgres/workers.ts";
import { measureSchedule } from "./schedule.ts";
import { measureSqlite } from "./sqlite.ts";
import { measureStartup } from "./startup.ts";

/**
 * `npm run bench -- [--check | --keep] [part …]`, and `npm run bench -- peers` to install the engines that `postgres` measures beside Braid.
 *
 * Prints a figure and a ratio for each measure. Ratios are made within one run of this program (against plain JavaScript on this machine,
 * a smaller size, or `node -e 0`), so that they can be compared between machines; `--keep` writes them to `kept.json`,
 * and `--check` fails when one has fallen more than 20 % below what is kept. Beside each part stands what else the machine did meanwhile.
 */
const PARTS: Readonly<Record<string, () => readonly Measure[] | Promise<readonly Measure[]>>> = {
  kernel: measureKernel,
  compile: measureCompile,
  schedule: measureSchedule,
  sqlite: measureSqlite,
  startup: measureStartup,
  examples: measureExamples,
  postgres: measurePeers,
  "postgres-workers": measureWorkers,
  "postgres-latency": measureLatency,
  "postgres-size": measureSize,
  "postgres-idle": measureIdle,
  "postgres-flatness": measureFlatness,
};

const kept = fileURLToPath(new URL("../kept.json", import.meta.url));
const LOST = 0.8;

function readKept(): Record<string, number> {
  return existsSync(kept) ? (JSON.parse(readFileSync(kept, "utf8")) as Record<string, number>) : {};
}

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith("--"));
  if (names[0] === "peers") return installPeers();
  const unknown = names.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    console.error(`There is no part \`${unknown}\`. Parts: ${Object.keys(PARTS).join(", ")}.`);
    return 2;
  }
  const before = readKept();
  const measured: Measure[] = [];
  for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
    console.log(`== ${name} (load ${loadNow()})`);
    for (const measure of await PARTS[name]!()) {
      measured.push(measure);
      console.log(lineOf(measure, before[measure.name]));
    }
  }
  console.log(`== the end (load ${loadNow()})`);
  if (args.includes("--keep")) keep(before, measured);
  return args.includes("--check") ? check(before, measured) : 0;
}

function lineOf({ name, figure, ratio }: Measure, before: number | undefined): string {
  const text = ratio === null ? "" : `ratio ${ratio.toFixed(4)}`;
  const change = ratio === null || before === undefined ? "" : ` (kept ${before.toFixed(4)})`;
  return `${name.padEnd(60)} ${figure}${text === "" ? "" : `, ${text}${change}`}`;
}

function keep(before: Record<string, number>, measured: readonly Measure[]): void {
  const ratios = measured.flatMap(({ name, ratio }) => (ratio === null ? [] : [[name, Number(ratio.toPrecision(4))]]));
  writeFileSync(kept, `${JSON.stringify({ ...before, ...Object.fromEntries(ratios) }, null, 2)}\n`);
}

function check(before: Record<string, number>, measured: readonly Measure[]): number {
  const lost = measured.filter(({ name, ratio }) => ratio !== null && ratio < (before[name] ?? 0) * LOST);
  for (const { name, ratio } of lost) {
    console.error(`${name}: ratio ${ratio!.toFixed(4)} is more than 20 % below the kept ${before[name]!.toFixed(4)}.`);
  }
  return lost.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));

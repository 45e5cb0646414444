import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measure } from "./measure.ts";

const bin = fileURLToPath(new URL("../../packages/cli/bin/braid.js", import.meta.url));
const folder = fileURLToPath(new URL("../../examples", import.meta.url));

/** Wall time of the run itself, from its summary. */
function wallTime(file: string, more: readonly string[]): number {
  const args = [bin, "run", join(folder, file), "--ephemeral", "--json", ...more];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const summary = JSON.parse(stdout.trim().split("\n").at(-1)!) as { type: string; durationMs: number };
  if (status !== 0 || summary.type !== "run.summary") throw new Error(`${file} ended with ${status}`);
  return summary.durationMs;
}

/** Every example with a cap of one and as it is written. */
export function measureExamples(): readonly Measure[] {
  const files = readdirSync(folder).filter((file) => /\.(?:yaml|json|ts)$/.test(file));
  return files.map((file) => {
    const serial = wallTime(file, ["--max-concurrent", "1"]);
    const written = wallTime(file, []);
    const ratio = serial / written;
    return {
      name: `example, ${file}`,
      figure: `${(serial / 1000).toFixed(1)} s with a cap of 1, ${(written / 1000).toFixed(1)} s as written: ${ratio.toFixed(2)} x`,
      ratio,
    };
  });
}

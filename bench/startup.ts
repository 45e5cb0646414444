import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { best } from "./measure.ts";
import type { Measure } from "./measure.ts";

const bin = fileURLToPath(new URL("../../packages/cli/bin/braid.js", import.meta.url));

const FILE = `
name: three
steps:
  - { id: a, run: "true" }
  - { id: b, run: "true" }
  - { id: c, run: "true" }
`;

/** Wall time of whole commands against `node -e 0`, on the default (durable) store. */
export function measureStartup(): readonly Measure[] {
  const directory = mkdtempSync(join(tmpdir(), "braid-bench-"));
  try {
    writeFileSync(join(directory, "three.yaml"), FILE);
    const time = (args: readonly string[]): number =>
      best(7, () => {
        const { status } = spawnSync(process.execPath, args, { cwd: directory, stdio: "ignore" });
        if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}`);
      });
    const empty = time(["-e", "0"]);
    const line = (name: string, ms: number): Measure => ({
      name,
      figure: `${ms.toFixed(0)} ms, ${((ms - empty) / empty).toFixed(2)} x \`node -e 0\` (${empty.toFixed(0)} ms) on top of it`,
      ratio: empty / ms,
    });
    return [
      line("start, braid --version", time([bin, "--version"])),
      line("start, braid validate of 3 steps", time([bin, "validate", "three.yaml"])),
      line("start, braid run of 3 steps", time([bin, "run", "three.yaml"])),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

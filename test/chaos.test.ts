import { execFile } from "node:child_process";
import { expect, test } from "vitest";

/** The faults of the same seed come at the same times; `BRAID_CHAOS_SEED` tries others. */
const seed = process.env["BRAID_CHAOS_SEED"] ?? "1";

interface Ended {
  readonly code: number | string;
  readonly output: string;
}

function chaos(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      "npm",
      ["run", "--silent", "chaos", "--", ...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? "killed"), output: `${stdout}${stderr}` });
      },
    );
  });
}

test(
  "three workers on PostgreSQL keep every promise while everything fails around them",
  { timeout: 360_000 },
  async () => {
    const { code, output } = await chaos(["--minutes", "1", "--workers", "3", "--seed", seed]);
    expect(code, output).toBe(0);
  },
);

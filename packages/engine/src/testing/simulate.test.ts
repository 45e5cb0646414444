import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";
import { noFaults } from "./simulated-world.ts";

/** `BRAID_SIM_SEED` runs one seed again; `BRAID_SIM_SEEDS` says how many are tried. */
const only = process.env["BRAID_SIM_SEED"];
const count = Number(process.env["BRAID_SIM_SEEDS"] ?? 200);
const seeds = only === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(only)];

test(
  "every run ends, and no result is accepted twice, whatever process dies when",
  async () => {
    const totals = { ...noFaults(), attempts: 0, lost: 0 };
    for (const seed of seeds) {
      const { faults, attempts, lost } = await simulate({ seed });
      for (const [name, hits] of Object.entries(faults)) totals[name as keyof typeof faults] += hits;
      totals.attempts += attempts;
      totals.lost += lost;
    }
    if (only !== undefined) return;
    // Faults that hit nothing prove nothing.
    for (const [name, hits] of Object.entries(totals)) expect(hits, name).toBeGreaterThan(0);
  },
  count * 1_000,
);

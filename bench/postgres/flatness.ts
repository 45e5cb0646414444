import { stepsOf } from "../loads.ts";
import type { Load } from "../loads.ts";
import { median, whole } from "../measure.ts";
import type { Measure } from "../measure.ts";
import { withChildren } from "./child.ts";
import { newDatabase, settle, withServer } from "./database.ts";

const PLACES = 100;

/** Small and large runs of one kind, and how often each is timed: a run of a hundred steps is over too soon to be timed once. */
const PAIRS: readonly { readonly kind: Load["kind"]; readonly sizes: readonly [small: number, large: number] }[] = [
  { kind: "chain", sizes: [100, 10_000] },
  { kind: "fan-out", sizes: [100, 10_000] },
];
const ROUNDS = [15, 3] as const;

/** What a step costs must not grow with the run. */
export async function measureFlatness(): Promise<readonly Measure[]> {
  return withServer(async (server) => {
    const measures: Measure[] = [];
    for (const { kind, sizes } of PAIRS) {
      const database = await newDatabase(server);
      const [small, large] = await withChildren([{ url: database.url, concurrency: PLACES }], async ([child]) => {
        const costs: number[] = [];
        for (const [index, size] of sizes.entries()) {
          const load: Load = { kind, runs: 1, size };
          for (let round = 0; round < 3; round += 1) await child!.ask("run", { ...load, size: 100 });
          await child!.ask("prepare", load);
          await settle(database);
          const times: number[] = [];
          for (let round = 0; round < ROUNDS[index]!; round += 1) times.push(await child!.ask("run", load));
          costs.push(median(times) / stepsOf(load));
        }
        return costs;
      });
      await database.close();
      measures.push({
        name: `postgres, ${kind} of ${whole(sizes[1])} against ${sizes[0]}`,
        figure: `${large!.toFixed(3)} against ${small!.toFixed(3)} ms a step, ${(large! / small!).toFixed(2)} x`,
        ratio: small! / large!,
      });
    }
    return measures;
  });
}

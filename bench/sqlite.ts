import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "@braid/engine";
import type { Engine, WorkflowInCode } from "@braid/engine";
import { buildLoad, stepsOf } from "./loads.ts";
import type { Load } from "./loads.ts";
import { median } from "./measure.ts";
import type { Measure } from "./measure.ts";

const LOADS: readonly (Load & { readonly name: string })[] = [
  { name: "chain 200 x 10", kind: "chain", runs: 200, size: 10 },
  { name: "diamond 400 x 5", kind: "diamond", runs: 400, size: 5 },
  { name: "fan-out 1 x 1,000", kind: "fan-out", runs: 1, size: 1_000 },
  { name: "fan-out 1 x 10,000", kind: "fan-out", runs: 1, size: 10_000 },
  { name: "map 1 x 10,000", kind: "map", runs: 1, size: 10_000 },
  { name: "chain 1 x 100", kind: "chain", runs: 1, size: 100 },
  { name: "chain 1 x 10,000", kind: "chain", runs: 1, size: 10_000 },
  { name: "fan-out 1 x 100", kind: "fan-out", runs: 1, size: 100 },
];

const PLACES = 100;

/** Durable steps per second on SQLite (`synchronous=FULL`): no-op functions, 100 attempts at a time. */
export async function measureSqlite(): Promise<readonly Measure[]> {
  const directory = await mkdtemp(join(tmpdir(), "braid-bench-"));
  try {
    const rates = new Map<string, number>();
    for (const [index, load] of LOADS.entries()) {
      const url = `sqlite:${join(directory, `${index}.db`)}`;
      rates.set(load.name, await rateOf(load, url));
    }
    return [...rates].map(([name, rate]) => {
      const ms = (1000 / rate).toFixed(2);
      return {
        name: `sqlite, ${name}`,
        figure: `${Math.round(rate).toLocaleString("en")} steps/s, ${ms} ms each`,
        ratio: flatness(name, rates),
      };
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Large shapes against small ones of the same kind in the same sitting: what a step costs must not grow with the run. */
function flatness(name: string, rates: ReadonlyMap<string, number>): number | null {
  if (name === "chain 1 x 10,000") return rates.get(name)! / rates.get("chain 1 x 100")!;
  if (name === "fan-out 1 x 10,000") return rates.get(name)! / rates.get("fan-out 1 x 100")!;
  return null;
}

/** The middle of several rounds; a load of a hundred steps is over too soon to be timed once. */
async function rateOf(load: Load, url: string): Promise<number> {
  const engine = await createEngine({ store: url });
  try {
    const source = buildLoad(load);
    await engine.register(source);
    await warmUp(engine);
    const times: number[] = [];
    const rounds = stepsOf(load) < 1_000 ? 9 : 3;
    for (let round = 0; round < rounds; round += 1) times.push(await timeOf(engine, load, source));
    return stepsOf(load) / (median(times) / 1_000);
  } finally {
    await engine.close();
  }
}

async function timeOf(engine: Engine, load: Load, source: WorkflowInCode): Promise<number> {
  const start = performance.now();
  const run = { overrides: { maxConcurrent: PLACES } };
  const handles = await engine.startMany(
    source,
    Array.from({ length: load.runs }, () => run),
  );
  const worker = await engine.work({ concurrency: PLACES });
  const results = await Promise.all(handles.map((handle) => handle.result()));
  const ms = performance.now() - start;
  await worker.stop();
  for (const { status } of results) if (status !== "completed") throw new Error(`a run ended ${status}`);
  return ms;
}

/** The first run of a process compiles the code it runs; that is start-up, not throughput. */
async function warmUp(engine: Engine): Promise<void> {
  const source = buildLoad({ kind: "chain", size: 20 });
  for (let round = 0; round < 3; round += 1) await engine.run(source);
}

import { setTimeout as sleep } from "node:timers/promises";
import { createEngine } from "@braid/engine";
import type { Engine, RunHandle } from "@braid/engine";
import type { PostgresServer } from "@braid/testbed";
import { RELAY_QUEUES, buildLoad } from "../loads.ts";
import type { Load } from "../loads.ts";
import { percentile, tableOf } from "../measure.ts";
import type { Measure } from "../measure.ts";
import { withChildren } from "./child.ts";
import type { Child } from "./child.ts";
import { sharedNow } from "./counted-store.ts";
import { newDatabase, withServer } from "./database.ts";
import type { ProgramSettings } from "./messages.ts";

const RELAY: Load = { kind: "relay", runs: 250, size: 6 };
/** A run each so often: some tens of steps a second and worker, so that what is timed is waking up and not queueing. */
const EVERY_MS = 40;
const HOLD: Load = { kind: "hold", runs: 100, size: 1 };
/** A prime, so that cancels fall on all parts of a poll. */
const CANCEL_EVERY_MS = 37;
const PLACES = 100;

interface Mode {
  readonly name: string;
  readonly isListening: boolean;
  readonly pollIntervalMs?: number;
}

/** Notifications as usual; and without them, polling as usual and often. */
const MODES: readonly Mode[] = [
  { name: "notified", isListening: true },
  { name: "poll only", isListening: false },
  { name: "poll only, every 20 ms", isListening: false, pollIntervalMs: 20 },
];

/**
 * How long a step that is ready waits for another of four workers, and how long a cancel takes to reach code on another worker.
 * The runs are started, and canceled, by this process, which has no worker.
 */
export async function measureLatency(): Promise<readonly Measure[]> {
  return withServer(async (server) => {
    const measures: Measure[] = [];
    const rows: string[][] = [];
    for (const mode of MODES) {
      const handOvers = await handOverTimes(server, mode);
      // How often a worker looks for tasks has no part in a cancel.
      const cancels = mode.pollIntervalMs === undefined ? await cancelTimes(server, mode) : [];
      for (const [what, times] of [
        ["ready to start", handOvers],
        ["cancel to signal", cancels],
      ] as const) {
        if (times.length === 0) continue;
        const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(times, share)) as [number, number, number];
        rows.push([what, mode.name, `${times.length}`, p50.toFixed(1), p90.toFixed(1), p99.toFixed(1)]);
        measures.push({
          name: `postgres, ${what}, ${mode.name}`,
          figure: `p50 ${p50.toFixed(1)}, p90 ${p90.toFixed(1)}, p99 ${p99.toFixed(1)} ms`,
          ratio: null,
        });
      }
    }
    console.log(`\n${tableOf(["what, in ms", "mode", "samples", "p50", "p90", "p99"], rows)}\n`);
    return measures;
  });
}

async function withWorkers<Value>(
  server: PostgresServer,
  { mode, queues }: { readonly mode: Mode; readonly queues: readonly (readonly string[])[] },
  use: (engine: Engine, workers: readonly Child[]) => Promise<Value>,
): Promise<Value> {
  const database = await newDatabase(server);
  const url = mode.isListening ? database.url : `${database.url}?listen=off`;
  const engine = await createEngine({ store: url });
  const { pollIntervalMs } = mode;
  const settings = queues.map((names): ProgramSettings => ({
    url,
    concurrency: PLACES,
    queues: names,
    ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
  }));
  try {
    return await withChildren(settings, (workers) => use(engine, workers));
  } finally {
    await engine.close();
    await database.close();
  }
}

/**
 * From the moment at which the commit of a step's parent was answered to the call of the step's function, on another worker: two
 * workers serve the queue of the even steps, two that of the odd ones.
 */
function handOverTimes(server: PostgresServer, mode: Mode): Promise<readonly number[]> {
  const queues = [...RELAY_QUEUES, ...RELAY_QUEUES].map((queue) => [queue]);
  return withWorkers(server, { mode, queues }, async (engine, workers) => {
    const source = buildLoad(RELAY);
    const { plan } = await engine.register(source);
    for (const worker of workers) await worker.ask("prepare", RELAY);
    const go = async (runs: number): Promise<void> => {
      const handles: RunHandle[] = [];
      for (let run = 0; run < runs; run += 1) {
        handles.push(await engine.start(source));
        await sleep(EVERY_MS);
      }
      await Promise.all(handles.map((handle) => handle.result()));
    };
    await go(RELAY.runs / 10);
    await Promise.all(workers.map((worker) => worker.ask("reset", null)));
    await go(RELAY.runs);
    const ready = (await Promise.all(workers.map((worker) => worker.ask("handOvers", null)))).flat();
    const marks = (await Promise.all(workers.map((worker) => worker.ask("marks", null)))).flat();
    const startedAt = new Map(marks.map(({ runId, stepId, at }) => [`${runId}/${stepId}`, at]));
    return ready.flatMap(({ runId, step, at }) => {
      const started = startedAt.get(`${runId}/${plan.steps[step]!.id}`);
      return started === undefined ? [] : [started - at];
    });
  });
}

/** From the request to the `AbortSignal` of a function that runs on another worker. */
function cancelTimes(server: PostgresServer, mode: Mode): Promise<readonly number[]> {
  const queues = Array.from({ length: 4 }, () => ["default"]);
  return withWorkers(server, { mode, queues }, async (engine, workers) => {
    const source = buildLoad(HOLD);
    await engine.register(source);
    for (const worker of workers) await worker.ask("prepare", HOLD);
    const handles: RunHandle[] = [];
    for (let run = 0; run < HOLD.runs; run += 1) {
      handles.push(await engine.start(source));
      await sleep(5);
    }
    const started = async (): Promise<number> =>
      (await Promise.all(workers.map((worker) => worker.ask("marks", null)))).flat().length;
    while ((await started()) < HOLD.runs) await sleep(50);
    const askedAt = new Map<string, number>();
    for (const handle of handles) {
      askedAt.set(handle.id, sharedNow());
      await Promise.all([handle.cancel(), sleep(CANCEL_EVERY_MS)]);
    }
    await Promise.all(handles.map((handle) => handle.result()));
    const marks = (await Promise.all(workers.map((worker) => worker.ask("marks", null)))).flat();
    return marks.flatMap(({ kind, runId, at }) => (kind === "stop" ? [at - askedAt.get(runId)!] : []));
  });
}

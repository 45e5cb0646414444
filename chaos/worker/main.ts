import { createEngine, createStore } from "@braid/engine";
import type { Engine, Store, WorkerHandle } from "@braid/engine";
import { sleep } from "../clock.ts";
import { OracleWriter } from "../oracle/writer.ts";
import { drainMs, graceMs, leaseMs, limits, pollIntervalMs, workerConcurrency } from "../settings.ts";
import { codedWorkflow } from "../workflows/coded.ts";
import { stepTypes } from "./step-types.ts";
import { watchStore } from "./watched-store.ts";

/** What the program tells a worker process, as JSON in its only argument. */
export interface WorkerOrders {
  readonly name: string;
  readonly url: string;
  readonly queues: readonly string[];
  readonly oracle: string;
}

const START_AGAIN_MS = 200;
const LOOK_EVERY_MS = 50;
const MEMORY_EVERY_MS = 5_000;

async function main({ name, url, queues, oracle: file }: WorkerOrders): Promise<void> {
  const oracle = new OracleWriter(file, name);
  // Whoever started this process is gone: nobody would end it.
  process.on("disconnect", () => process.exit(0));
  const { engine, store, worker } = await start({ name, url, queues, oracle });
  observe(store, oracle);
  process.on("SIGTERM", () => void leave({ engine, store, worker }));
  process.send?.("ready");
}

interface Parts {
  readonly engine: Engine;
  readonly store: Store;
  readonly worker: WorkerHandle;
}

type Orders = Omit<WorkerOrders, "oracle"> & { readonly oracle: OracleWriter };

/** A database that is not there yet is waited for, as a supervisor would by starting the program again. */
async function start(orders: Orders): Promise<Parts> {
  for (;;) {
    try {
      return await tryStart(orders);
    } catch (error) {
      console.error("the worker cannot start:", error);
      await sleep(START_AGAIN_MS);
    }
  }
}

async function tryStart({ name, url, queues, oracle }: Orders): Promise<Parts> {
  const store = watchStore(await createStore(url), oracle);
  try {
    const types = stepTypes(oracle);
    const engine = await createEngine({ store, types, limits, leaseMs, graceMs, services: { oracle }, onTrouble });
    await engine.register(codedWorkflow);
    const worker = await engine.work({ concurrency: workerConcurrency, queues, pollIntervalMs, name });
    return { engine, store, worker };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function onTrouble(what: string, error: unknown): void {
  const isGrave = what === "go on" || what.startsWith("carry on run");
  console.error(
    new Date().toISOString(),
    `could not ${what}:`,
    isGrave || !(error instanceof Error) ? error : error.message,
  );
  if (!isGrave) return;
  // The engine has given up, or a run of it: the program that watches has to hear of it.
  process.send?.({ fault: `could not ${what}: ${String(error)}` });
}

/** Writes down when notifications are heard again, and how much memory is in use. */
function observe(store: Store, oracle: OracleWriter): void {
  let isHearing = false;
  setInterval(() => {
    if (!store.isSilent && !isHearing) oracle.write({ type: "hearing" });
    isHearing = !store.isSilent;
  }, LOOK_EVERY_MS).unref();
  const noteMemory = (): void => oracle.write({ type: "memory", rssBytes: process.memoryUsage.rss() });
  noteMemory();
  setInterval(noteMemory, MEMORY_EVERY_MS).unref();
}

async function leave({ engine, store, worker }: Parts): Promise<void> {
  await worker.stop({ drainMs });
  await engine.close();
  await store.close();
  process.exit(0);
}

await main(JSON.parse(process.argv[2] ?? "{}") as WorkerOrders);

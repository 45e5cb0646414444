import { createEngine, createStore } from "@braid/engine";
import type { Engine } from "@braid/engine";
import { buildLoad } from "../loads.ts";
import type { Load } from "../loads.ts";
import { CountedStore, sharedNow } from "./counted-store.ts";
import type { Mark, ProgramSettings, Questions, Report, Request } from "./messages.ts";

/** A process of a benchmark: an engine, a worker if it is to have one, and answers to whoever started it. */
const settings = JSON.parse(process.argv[2] ?? "") as ProgramSettings;
const marks: Mark[] = [];
const sources = new Map<string, ReturnType<typeof buildLoad>>();

const tell = (report: Report, onSent: () => void = () => {}): void => {
  process.send?.(report, undefined, {}, onSent);
};

const mark = (kind: Mark["kind"], runId: string, stepId: string): void => {
  marks.push({ kind, runId, stepId, at: sharedNow() });
};

async function sourceOf(engine: Engine, load: Load): Promise<ReturnType<typeof buildLoad>> {
  const name = `${load.kind}-${load.size}`;
  const known = sources.get(name);
  if (known !== undefined) return known;
  const source = buildLoad(load, {
    ...(settings.tellsLast === true ? { onLast: () => tell({ kind: "last" }) } : {}),
    onStart: (runId, stepId) => mark("start", runId, stepId),
    onStop: (runId) => mark("stop", runId, ""),
  });
  await engine.register(source);
  sources.set(name, source);
  return source;
}

/** All runs are submitted at once, as many steps of each may be in flight as the worker has places. */
async function run(engine: Engine, load: Load): Promise<number> {
  const source = await sourceOf(engine, load);
  const overrides = { maxConcurrent: settings.maxConcurrent ?? settings.concurrency };
  const start = performance.now();
  const handles = await engine.startMany(
    source,
    Array.from({ length: load.runs }, () => ({ overrides })),
  );
  const results = await Promise.all(handles.map((handle) => handle.result()));
  const ms = performance.now() - start;
  for (const { status } of results) if (status !== "completed") throw new Error(`a run ended ${status}`);
  return ms;
}

async function main(): Promise<void> {
  const counted = new CountedStore(await createStore(settings.url));
  const engine = await createEngine({ store: counted.store });
  const { concurrency, queues, pollIntervalMs } = settings;
  const worker =
    concurrency === 0
      ? null
      : await engine.work({
          concurrency,
          ...(queues === undefined ? {} : { queues }),
          ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
        });
  const answers: { [Name in keyof Questions]: (ask: Questions[Name]["ask"]) => Promise<Questions[Name]["answer"]> } = {
    prepare: async (load) => {
      await sourceOf(engine, load);
      return null;
    },
    run: (load) => run(engine, load),
    reset: async () => {
      counted.reset();
      marks.length = 0;
      return null;
    },
    counts: async () => counted.counts,
    handOvers: async () => counted.handOvers,
    marks: async () => marks,
    stop: async () => {
      await worker?.stop();
      await engine.close();
      await counted.store.close();
      return null;
    },
  };
  process.on("message", (request: Request) => {
    const answer = answers[request.name] as (ask: unknown) => Promise<unknown>;
    void answer(request.ask).then((value) => {
      // What a driver keeps open must not keep a process that has nothing left to do.
      const onSent = request.name === "stop" ? (): void => process.exit() : (): void => {};
      tell({ kind: "answer", id: request.id, value }, onSent);
    });
  });
  tell({ kind: "ready" });
}

await main();

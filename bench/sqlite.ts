import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, workflow } from "@braid/engine";
import type { Engine, WorkflowSource } from "@braid/engine";
import type { Measure } from "./measure.ts";

/** A shape of PEERS' table: how many runs, how many steps in each. */
interface Shape {
  readonly name: string;
  readonly runs: number;
  readonly steps: number;
  readonly build: () => Exclude<WorkflowSource, string>;
}

const nothing = (): null => null;

/** `step` of the builder with its types left out: the lists here are made by loops. */
interface AnyList {
  step(id: string, options: object, run: () => null): AnyList;
}

function chain(length: number): Exclude<WorkflowSource, string> {
  let list = workflow(`chain-${length}`) as unknown as AnyList;
  for (let index = 0; index < length; index += 1) {
    list = list.step(`s${index}`, { dependsOn: index === 0 ? [] : [`s${index - 1}`] }, nothing);
  }
  return list as unknown as Exclude<WorkflowSource, string>;
}

const diamond = (): Exclude<WorkflowSource, string> =>
  workflow("diamond")
    .step("a", { dependsOn: [] }, nothing)
    .step("b", { dependsOn: ["a"] }, nothing)
    .step("c", { dependsOn: ["a"] }, nothing)
    .step("d", { dependsOn: ["a"] }, nothing)
    .step("e", { dependsOn: ["b", "c", "d"] }, nothing);

function fanOut(width: number): Exclude<WorkflowSource, string> {
  let list = workflow(`fan-out-${width}`, { maxConcurrent: width }) as unknown as AnyList;
  list = list.step("root", { dependsOn: [] }, nothing);
  const ids = Array.from({ length: width }, (_, index) => `s${index}`);
  for (const id of ids) list = list.step(id, { dependsOn: ["root"] }, nothing);
  return list.step("join", { dependsOn: ids }, nothing) as unknown as Exclude<WorkflowSource, string>;
}

const map = (items: number): Exclude<WorkflowSource, string> =>
  workflow("map", { maxConcurrent: 100 }).map(
    "items",
    { forEach: { items: () => Array.from({ length: items }, (_, index) => index) } },
    nothing,
  );

const SHAPES: readonly Shape[] = [
  { name: "chain 200 x 10", runs: 200, steps: 10, build: () => chain(10) },
  { name: "diamond 400 x 5", runs: 400, steps: 5, build: diamond },
  { name: "fan-out 1 x 1,000", runs: 1, steps: 1_002, build: () => fanOut(1_000) },
  { name: "fan-out 1 x 10,000", runs: 1, steps: 10_002, build: () => fanOut(10_000) },
  { name: "map 1 x 10,000", runs: 1, steps: 10_000, build: () => map(10_000) },
  { name: "chain 1 x 100", runs: 1, steps: 100, build: () => chain(100) },
  { name: "chain 1 x 10,000", runs: 1, steps: 10_000, build: () => chain(10_000) },
  { name: "fan-out 1 x 100", runs: 1, steps: 102, build: () => fanOut(100) },
];

/** Durable steps per second on SQLite (`synchronous=FULL`): no-op functions, 100 attempts at a time. */
export async function measureSqlite(): Promise<readonly Measure[]> {
  const directory = await mkdtemp(join(tmpdir(), "braid-bench-"));
  try {
    const rates = new Map<string, number>();
    for (const [index, shape] of SHAPES.entries()) {
      const url = `sqlite:${join(directory, `${index}.db`)}`;
      rates.set(shape.name, await rateOf(shape, url));
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

/** The middle of several rounds; a shape of a hundred steps is over too soon to be measured once. */
async function rateOf(shape: Shape, url: string): Promise<number> {
  const engine = await createEngine({ store: url });
  try {
    const source = shape.build();
    await engine.register(source);
    await warmUp(engine);
    const rates: number[] = [];
    const rounds = shape.steps * shape.runs < 1_000 ? 9 : 3;
    for (let round = 0; round < rounds; round += 1) rates.push(await runOnce(engine, shape, source));
    return rates.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
  } finally {
    await engine.close();
  }
}

async function runOnce(engine: Engine, shape: Shape, source: Exclude<WorkflowSource, string>): Promise<number> {
  const start = performance.now();
  const handles = await Promise.all(Array.from({ length: shape.runs }, () => engine.start(source)));
  const worker = await engine.work({ concurrency: 100 });
  const results = await Promise.all(handles.map((handle) => handle.result()));
  const seconds = (performance.now() - start) / 1000;
  await worker.stop();
  for (const { status } of results) if (status !== "completed") throw new Error(`a run ended ${status}`);
  return (shape.runs * shape.steps) / seconds;
}

/** The first run of a process compiles the code it runs; that is start-up, not throughput. */
async function warmUp(engine: Engine): Promise<void> {
  for (let round = 0; round < 3; round += 1) await engine.run(chain(20));
}

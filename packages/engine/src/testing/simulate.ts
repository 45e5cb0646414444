import { checkInvariants, compile, isTerminal, loadState, pendingReason } from "@braid/core";
import type { Definition, Plan } from "@braid/core";
import type { Engine } from "../engine.ts";
import type { Store } from "../store/port.ts";
import type { CommitAnswers, RunCommit } from "../store/run-commit.ts";
import { checkTrace } from "./check-trace.ts";
import { childWorkflow, randomWorkflow, SIMULATED_TYPE } from "./random-workflow.ts";
import { SeededRandom } from "./seeded-random.ts";
import { toDefinition, World } from "./simulated-world.ts";
import type { FaultCounts, FaultRates } from "./simulated-world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Runs that are started. Default 4. */
  readonly runs?: number;
  /** Processes at a time while faults rage. Default 3. */
  readonly processes?: number;
  /** Faults in the first phase; default: a bit of everything. */
  readonly rates?: FaultRates;
}

export interface SimulationReport {
  readonly seed: number;
  readonly faults: FaultCounts;
  /** Attempts whose code began. */
  readonly attempts: number;
  /** Attempts whose lease ended without a result. */
  readonly lost: number;
  readonly virtualMs: number;
}

const LEASE_MS = 15_000;
const RAGE_MS = 60_000;
/** From the end of the faults on: leases, retries, delays, children of children, with room to spare. */
const HEAL_MS = 1_800_000;

const SOME_FAULTS: FaultRates = { crash: 0.004, pause: 0.002, failure: 0.03, conflict: 0.03 };

/**
 * Runs random workflows on one store with processes that die, stand still, and lose answers, and people who cancel,
 * pause and retry. While the faults rage nothing may go wrong for good (safety); when they have stopped, every run has
 * to come to its end (liveness). Throws with the seed when something does not hold; the same seed does the same again.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const random = new SeededRandom(options.seed);
  const world = new World(random.fork(), LEASE_MS);
  try {
    return await runSimulation(options, { random, world });
  } catch (error) {
    throw new Error(
      `The simulation with seed ${options.seed} failed: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

interface Simulation {
  readonly random: SeededRandom;
  readonly world: World;
}

async function runSimulation(options: SimulationOptions, { random, world }: Simulation): Promise<SimulationReport> {
  watchCommits(world.store);
  const first = await world.spawn();
  const workflows = validWorkflows(random, options.runs ?? 4);
  for (const definition of workflows) await settled(world, first.engine.register(definition));
  const runIds: string[] = [];
  for (const { name, concurrency } of workflows.slice(1)) {
    // Where runs get into each other's way there have to be several.
    for (let count = concurrency === undefined ? 1 : 4; count > 0; count -= 1) {
      runIds.push((await settled(world, first.engine.start(name))).id);
    }
  }

  world.rates = options.rates ?? SOME_FAULTS;
  while (world.time.elapsed < RAGE_MS) {
    while (world.alive.length < (options.processes ?? 3)) await world.spawn();
    meddle(world, random, runIds);
    await world.time.run(random.integer(100, 5_000));
  }
  world.rates = { crash: 0, pause: 0, failure: 0, conflict: 0 };
  if (world.alive.length === 0) await world.spawn();
  await heal(world, random);
  // What was asked of a process that stood still comes late, and may be the retry of a run that had ended.
  await world.time.run(QUIET_MS);
  await heal(world, random);
  await checkPlaces(world);
  await checkLeases(world);
  let lost = 0;
  for (const { id } of await world.store.listRuns({ limit: 10_000 })) {
    const trace = await world.store.readTrace(id, 0, 1_000_000);
    checkTrace(trace, id);
    lost += trace.filter(({ type }) => type === "task.lost").length;
  }
  const { counts, executions, time } = world;
  return { seed: options.seed, faults: counts, attempts: executions.length, lost, virtualMs: time.elapsed };
}

/** The child comes first; of the others those that the compiler accepts. */
function validWorkflows(random: SeededRandom, count: number): readonly Definition[] {
  const found = [toDefinition(childWorkflow(random.fork()))];
  for (let tries = 0; found.length <= count && tries < count * 20; tries += 1) {
    const definition = toDefinition(randomWorkflow(random.fork(), `w${tries}`));
    if (compile(definition, { types: [SIMULATED_TYPE] }).plan !== null) found.push(definition);
  }
  return found;
}

/** Waits for something that a process does, and lets the time pass that it takes. */
async function settled<Value>(world: World, promise: Promise<Value>): Promise<Value> {
  let isDone = false;
  const done = promise.finally(() => (isDone = true));
  done.catch(() => {});
  await world.time.run(3_600_000, () => isDone);
  return done;
}

/** Somebody does something to a run, from a process that may die of it. */
function meddle({ alive }: World, random: SeededRandom, runIds: readonly string[]): void {
  if (!random.chance(0.6)) return;
  const { engine } = random.pick(alive);
  const runId = random.pick(runIds);
  const deeds: readonly (() => Promise<void>)[] = [
    () => engine.signal(runId, random.pick(["red", "green"]), 1),
    () => engine.signal(runId, random.pick(["red", "green"]), 2),
    () => engine.pause(runId),
    () => engine.resume(runId),
    () => engine.cancel(runId),
    () => engine.retry(runId),
  ];
  // Refusals are answers: the run may be over, or not.
  random
    .pick(deeds)()
    .catch(() => {});
}

/** No attempt is open under a run that has ended: the store would tell of it for ever. */
async function checkLeases({ store, time, alive }: World): Promise<void> {
  // Nobody else may be told of them.
  for (const { clock } of alive) clock.kill();
  await time.run(4 * LEASE_MS);
  const { lost } = await store.sweep({ limit: 1_000 });
  if (lost.length > 0) throw new Error(`attempts of runs that have ended are open: ${JSON.stringify(lost)}`);
}

/** Gives waiting steps their signals until every run has ended. */
async function heal(world: World, random: SeededRandom): Promise<void> {
  const until = world.time.elapsed + HEAL_MS;
  for (;;) {
    const states = await loadAll(world.store);
    const open = states.filter(({ state }) => !isTerminal(state.run.status));
    if (open.length === 0) return;
    if (world.time.elapsed > until) throw new Error(describeStuck(open));
    for (const each of open) help(random.pick(world.alive).engine, each);
    await world.time.run(5_000);
  }
}

/** Long enough for code that does not heed to have ended. */
const QUIET_MS = 120_000;

/** What workers have done must not have cost them a place, or given them one: each does as much at a time as it may. */
async function checkPlaces(world: World): Promise<void> {
  await world.time.run(QUIET_MS);
  const { alive, executions } = world;
  const places = alive.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const [first] = alive;
  const items = Array.from({ length: places + 8 }, (_, index) => index);
  const definition = toDefinition({
    name: "full",
    parallel: { maxConcurrent: items.length },
    steps: [{ id: "all", forEach: items, type: SIMULATED_TYPE, with: { ms: QUIET_MS, failures: 0, heeds: true } }],
  });
  const run = await settled(world, first!.engine.start(definition));
  await world.time.run(QUIET_MS / 2);
  const busy = executions.filter(({ runId }) => runId === run.id).length;
  if (busy !== places) throw new Error(`workers with ${places} places run ${busy} attempts at a time`);
  await settled(world, run.result());
}

/** Gives a run what it waits for. Refusals are answers: it may have gone on meanwhile. */
function help(engine: Engine, { id, state }: Loaded): void {
  if (state.run.status === "paused") engine.resume(id).catch(() => {});
  for (const row of state.steps) {
    if (row?.status !== "waiting" || row.signal === null) continue;
    const { id: step, kind } = state.plan.steps[row.step]!;
    const deed = kind === "approval" ? engine.approve(id, step) : engine.signal(id, row.signal, 3);
    deed.catch(() => {});
  }
}

interface Loaded {
  readonly id: string;
  readonly state: ReturnType<typeof loadState>;
}

async function loadAll(store: Store): Promise<readonly Loaded[]> {
  const rows = await store.listRuns({ limit: 10_000 });
  return Promise.all(
    rows.map(async ({ id }) => {
      const loaded = (await store.load(id))!;
      const { plan } = (await store.getWorkflow(loaded.workflow, loaded.workflowVersion))!;
      return { id, state: loadState(plan, id, { run: loaded.run, steps: loaded.steps, ranks: null }) };
    }),
  );
}

function describeStuck(open: readonly Loaded[]): string {
  const lines = open.map(({ id, state }) => {
    const reasons = state.plan.steps.flatMap(({ id: step, index }) => {
      const reason = pendingReason(state, index);
      return reason === null || reason.kind === "dependencies" ? [] : [`${step}: ${JSON.stringify(reason)}`];
    });
    return `run ${id} (${state.plan.workflow}) is ${state.run.status}, phase ${state.run.phase}: ${reasons.join(", ")}`;
  });
  return `these runs never end:\n${lines.join("\n")}`;
}

/** Checks the state of every run that a commit has changed, as it is in the store. */
function watchCommits(store: Store): void {
  const commit = store.commit.bind(store);
  const plans = new Map<string, Plan>();
  store.commit = async (commits: readonly RunCommit[]): Promise<CommitAnswers> => {
    const answers = await commit(commits);
    for (const [index, { runId }] of commits.entries()) {
      const answer = answers.answers[index];
      if (answer?.kind === "accepted") await checkRun(store, runId, plans);
      // Nothing here is hard to keep: what does not fit was put together wrongly.
      if (answer?.kind === "rejected") throw new Error(`a commit of run ${runId} was rejected: ${answer.message}`);
    }
    return answers;
  };
}

async function checkRun(store: Store, runId: string, plans: Map<string, Plan>): Promise<void> {
  const loaded = (await store.load(runId))!;
  const key = `${loaded.workflow} ${loaded.workflowVersion}`;
  const plan = plans.get(key) ?? (await store.getWorkflow(loaded.workflow, loaded.workflowVersion))!.plan;
  plans.set(key, plan);
  await checkGroup(store, plan);
  checkInvariants(loadState(plan, runId, { run: loaded.run, steps: loaded.steps, ranks: null }));
}

/** Runs of a workflow with a limit that are under way; the simulation has one group for each. */
async function checkGroup(store: Store, { workflow, host }: Plan): Promise<void> {
  if (host.concurrency === null) return;
  const running = await store.listRuns({ workflow, status: ["running", "paused"], limit: 1_000 });
  if (running.length <= host.concurrency.max) return;
  const ids = running.map(({ id }) => id).join(", ");
  throw new Error(
    `${running.length} runs of ${workflow} are under way, at most ${host.concurrency.max} may be: ${ids}`,
  );
}

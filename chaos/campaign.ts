import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, createStore } from "@braid/engine";
import type { Engine, Store } from "@braid/engine";
import { SeededRandom } from "@braid/engine/testing";
import { PostgresServer, TcpProxy } from "@braid/testbed";
import { judge } from "./checks/judge.ts";
import type { Violation } from "./checks/violation.ts";
import { Watch } from "./checks/watch.ts";
import { isDoneWithin, monotonicMs, sleep } from "./clock.ts";
import { Database } from "./database.ts";
import { Injector } from "./faults/injector.ts";
import { planFaults } from "./faults/schedule.ts";
import type { Measured } from "./figures.ts";
import { makeFleet } from "./fleet.ts";
import type { WorkerSlot } from "./fleet.ts";
import { Journal } from "./journal.ts";
import { Load } from "./load.ts";
import type { ChaosOptions } from "./options.ts";
import { OracleWriter } from "./oracle/writer.ts";
import { clientNames, graceMs, leaseMs, limits } from "./settings.ts";
import { stepTypes } from "./worker/step-types.ts";
import { watchStore } from "./worker/watched-store.ts";
import { makeWorkflows } from "./workflows/all.ts";
import type { WorkflowSet } from "./workflows/all.ts";

const tellEveryMs = 10_000;
const leaveWithinMs = 20_000;
/** Lease, sweep, the second report of a lost lease, signals' second notice, back-off and the longest run, on a busy machine. */
const endWithinMs = 90_000;

const streamsEndWithinMs = 10_000;

interface World {
  readonly server: PostgresServer;
  readonly url: string;
  readonly clientProxies: readonly TcpProxy[];
  readonly clients: readonly [Engine, Engine];
  readonly stores: readonly Store[];
  readonly watchStore: Store;
  readonly databases: readonly Database[];
  readonly fleet: readonly WorkerSlot[];
}

/** One run of the program: a server, workers and clients; load; faults; heal; checks. */
export class Campaign {
  readonly directory: string;
  readonly #options: ChaosOptions;
  readonly #workflows: WorkflowSet;
  readonly #world: World;
  readonly #violations: Violation[];
  readonly #begunAt = monotonicMs();

  private constructor(parts: {
    readonly directory: string;
    readonly options: ChaosOptions;
    readonly workflows: WorkflowSet;
    readonly world: World;
    readonly violations: Violation[];
  }) {
    this.directory = parts.directory;
    this.#options = parts.options;
    this.#workflows = parts.workflows;
    this.#world = parts.world;
    this.#violations = parts.violations;
  }

  static async prepare(options: ChaosOptions): Promise<Campaign> {
    const directory = mkdtempSync(join(tmpdir(), "braid-chaos-"));
    console.log(`seed ${options.seed}, files in ${directory}`);
    const violations: Violation[] = [];
    const onTrouble = (text: string): void => void violations.push({ invariant: "I18", run: null, text });
    const server = await PostgresServer.start(18, { settings: { max_connections: 100 } });
    const url = await server.createDatabase("chaos");
    const clientProxies = await Promise.all(clientNames.map(() => TcpProxy.start(url)));
    const stores = await Promise.all(
      clientNames.map(async (name, index) => {
        const oracle = new OracleWriter(join(directory, `${name}.oracle`), name);
        return watchStore(await createStore(clientProxies[index]!.url(url)), oracle);
      }),
    );
    const [first, second] = stores as [Store, Store];
    const clients = [await makeClient(first), await makeClient(second)] as const;
    const workflows = await makeWorkflows(new SeededRandom(options.seed), clients);
    const watchedStore = await createStore(url);
    await watchedStore.open();
    const databases = [new Database(url), new Database(url), new Database(url)];
    const fleet = await makeFleet({ count: options.workers, directory, serverUrl: url, onTrouble });
    const world = { server, url, clientProxies, clients, stores, watchStore: watchedStore, databases, fleet };
    return new Campaign({ directory, options, workflows, world, violations });
  }

  async run(): Promise<Measured> {
    const { seed, minutes, hasFaults } = this.#options;
    const { fleet, databases, watchStore: store, clients } = this.#world;
    const lengthMs = minutes * 60_000;
    const onTrouble = (text: string): void => void this.#violations.push({ invariant: "I18", run: null, text });
    await Promise.all(fleet.map((slot) => slot.start()));

    const journal = new Journal(join(this.directory, "journal"));
    const { specs, groupMax } = this.#workflows;
    const load = new Load({
      random: new SeededRandom(seed + 1),
      database: databases[0]!,
      journal,
      specs,
      clients,
      mostOpenRuns: 6 + 4 * fleet.length,
      onTrouble,
    });
    const watch = new Watch({ database: databases[1]!, store, groupMax });
    const injector = this.#makeInjector(onTrouble);
    const teller = setInterval(() => void this.#tell(load, injector), tellEveryMs);
    watch.start();
    const loading = load.run();

    const baselineMs = Math.min(20_000, lengthMs / 12);
    const calmFrom = monotonicMs();
    await sleep(baselineMs);
    const calm = { from: calmFrom, to: monotonicMs() };
    const faultsFrom = monotonicMs();
    if (hasFaults) await injector.run(planFaults(seed, lengthMs));
    await sleep(faultsFrom + lengthMs - monotonicMs());
    const faultsMs = monotonicMs() - faultsFrom;

    this.#say("healing");
    await injector.heal();
    const healedAt = monotonicMs();
    await load.stop();
    await loading;
    await this.#waitForEnd();
    const healMs = monotonicMs() - healedAt;
    this.#say("every run has ended");
    await isDoneWithin(streamsEndWithinMs, load.followed());
    await watch.stop();
    clearInterval(teller);
    this.#violations.push(...watch.violations, ...load.streamViolations);
    await this.#dismissWorkers();
    this.#say("checking");
    const faults = injector.records.map((record) => JSON.stringify(record)).join("\n");
    writeFileSync(join(this.directory, "faults"), `${faults}\n`);
    return judge({
      directory: this.directory,
      database: databases[2]!,
      store,
      specs: this.#workflows.all,
      journal: journal.entries,
      faults: injector.records,
      violations: this.#violations,
      times: { faultsMs, healMs, calm },
      looks: watch.looks,
      followed: load.streams,
    });
  }

  #makeInjector(onTrouble: (text: string) => void): Injector {
    const { server, url, databases, fleet, clientProxies } = this.#world;
    const isShort = this.#options.minutes < 5;
    return new Injector({ server, url, database: databases[2]!, fleet, clientProxies, isShort, onTrouble });
  }

  /** I17: every run ends. */
  async #waitForEnd(): Promise<void> {
    const until = monotonicMs() + endWithinMs;
    for (;;) {
      const open = await this.#world.databases[0]!.rows<{ id: string; text: string }>(
        "select id, workflow || ' is ' || status as text from braid.runs where finished_at is null order by id",
      );
      if (open.length === 0) return;
      if (monotonicMs() > until) {
        for (const { id, text } of open)
          this.#violations.push({ invariant: "I17", run: id, text: `${text} ${endWithinMs / 1_000} s after the heal` });
        return;
      }
      await sleep(100);
    }
  }

  /** I16: no process stays. */
  async #dismissWorkers(): Promise<void> {
    const { fleet } = this.#world;
    const gone = await Promise.all(fleet.map((slot) => slot.leave(leaveWithinMs)));
    for (const [index, isGone] of gone.entries()) {
      const text = `worker ${fleet[index]!.name} did not leave an idle store within ${leaveWithinMs / 1_000} s of SIGTERM`;
      if (!isGone) this.#violations.push({ invariant: "I16", run: null, text });
    }
  }

  async #tell(load: Load, injector: Injector): Promise<void> {
    const { fleet, databases } = this.#world;
    const states = fleet.map(({ name, state }) => `${name} ${state}`).join(", ");
    const rows = await databases[0]!
      .rows<{ open: number; ended: number }>(
        "select count(*) filter (where finished_at is null) as open, count(finished_at) as ended from braid.runs",
      )
      .catch(() => []);
    const runs = rows[0] === undefined ? "the server is down" : `${rows[0].ended} runs ended, ${rows[0].open} open`;
    this.#say(
      `${load.started} started, ${runs}; ${injector.records.length} faults; ${states}; ${this.#violations.length} violations`,
    );
  }

  #say(text: string): void {
    console.log(`${((monotonicMs() - this.#begunAt) / 1_000).toFixed(0).padStart(5)} s  ${text}`);
  }

  async close(): Promise<void> {
    const { clients, stores, watchStore: store, databases, clientProxies, fleet, server } = this.#world;
    await Promise.all(fleet.map((slot) => slot.kill()));
    await Promise.allSettled(clients.map((client) => client.close()));
    await Promise.allSettled([...stores, store, ...databases].map((each) => each.close()));
    await Promise.all([...clientProxies, ...fleet.map(({ proxy }) => proxy)].map((proxy) => proxy.close()));
    await server.stop();
  }

  /** The program was told to end: nothing of it may stay. */
  endAtOnce(): void {
    this.killWorkers();
    process.exit(130);
  }

  killWorkers(): void {
    for (const slot of this.#world.fleet) slot.killNow();
  }

  removeDirectory(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function makeClient(store: Store): Promise<Engine> {
  return createEngine({ store, types: stepTypes(null), limits, leaseMs, graceMs, onTrouble: () => undefined });
}

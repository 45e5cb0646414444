import { SeededRandom } from "@braid/engine/testing";
import type { PostgresServer, TcpProxy } from "@braid/testbed";
import type { Database } from "../database.ts";
import type { WorkerSlot } from "../fleet.ts";
import { isDoneWithin, monotonicMs } from "../clock.ts";
import { clientNames, leaseMs } from "../settings.ts";
import type { FaultKind, FaultRecord, PlannedFault } from "./fault.ts";
import { lockRows } from "./stranger.ts";

const leaveWithinMs = 60_000;
/** How long a fault waits for somebody to hit. */
const patienceMs = 10_000;
/** Between two stops of the server. */
const graceMs = 2_000;
const mostTries = 5;
const commitCutShare = 0.05;
/** Statements that commit, by the names under which the server knows them; and the end of a transaction. */
const commitMarks = ["\0commit\0", "\0commit_rare\0", "\0create_runs\0", "commit\0"].map((mark) => Buffer.from(mark));

/** How long faults last that last: shorter in a run of a minute, so that there is still work between them. */
interface Lengths {
  readonly freezeMs: number;
  readonly cutMs: number;
  readonly latencyMs: number;
}

export interface InjectorParts {
  readonly server: PostgresServer;
  readonly url: string;
  readonly database: Database;
  readonly fleet: readonly WorkerSlot[];
  /** Of each client. */
  readonly clientProxies: readonly TcpProxy[];
  readonly isShort: boolean;
  readonly onTrouble: (text: string) => void;
}

/** Carries out faults, each beside the others, and keeps a record of each. One that finds nobody to hit is counted as missed. */
export class Injector {
  readonly records: FaultRecord[] = [];
  readonly missed = new Map<FaultKind, number>();
  readonly #parts: InjectorParts;
  readonly #lengths: Lengths;
  readonly #underWay = new Set<Promise<void>>();
  /** Workers whose process a fault has in its hands, and proxies that are frozen. */
  readonly #held = new Set<WorkerSlot>();
  readonly #frozen = new Set<TcpProxy>();
  #isServerHeld = false;
  #heal: () => void = () => {};
  readonly #healed: Promise<void>;
  #isHealed = false;

  constructor(parts: InjectorParts) {
    this.#parts = parts;
    this.#lengths = parts.isShort
      ? { freezeMs: 12_000, cutMs: 5_000, latencyMs: 6_000 }
      : { freezeMs: 30_000, cutMs: 5_000, latencyMs: 20_000 };
    this.#healed = new Promise((resolve) => {
      this.#heal = () => {
        this.#isHealed = true;
        resolve();
      };
    });
  }

  /** Carries out the plan; resolves when all of it has begun. */
  async run(plan: readonly PlannedFault[]): Promise<void> {
    const begin = monotonicMs();
    for (const fault of plan) {
      await this.#wait(begin + fault.at - monotonicMs());
      if (this.#isHealed) return;
      this.#begin(fault);
    }
  }

  /** Ends what lasts, and resolves when everything is as it was. */
  async heal(): Promise<void> {
    this.#heal();
    await Promise.all(this.#underWay);
  }

  #begin({ kind, seed }: PlannedFault): void {
    const random = new SeededRandom(seed);
    const deeds: Readonly<Record<FaultKind, () => Promise<boolean>>> = {
      F1: () => this.#kill(random),
      F2: () => this.#pause(random),
      F4: () => this.#stopServer("F4", random),
      F5: () => this.#stopServer("F5", random),
      F6: () => this.#terminateSession(random),
      F7: () => this.#cut(random),
      F8: () => this.#freeze(random),
      F9: () => this.#cutCommits(random),
      F10: () => this.#delay(random),
      F15: () => this.#lockRows(),
      F21: () => this.#leave(random),
    };
    const done = deeds[kind]().then(
      (hasHit) => {
        if (!hasHit) this.missed.set(kind, (this.missed.get(kind) ?? 0) + 1);
      },
      (error: unknown) => this.#parts.onTrouble(`fault ${kind} failed: ${String(error)}`),
    );
    this.#underWay.add(done);
    void done.finally(() => this.#underWay.delete(done));
  }

  #record(kind: FaultKind, target: string): FaultRecord {
    const record = { kind, target, begunAt: monotonicMs(), endedAt: Number.POSITIVE_INFINITY };
    this.records.push(record);
    return record;
  }

  /** Waits, but not beyond the end of the faults. */
  async #wait(ms: number): Promise<void> {
    if (ms > 0 && !this.#isHealed) await isDoneWithin(ms, this.#healed);
  }

  /** What is found within a while, when others are done with it; null: it never was free. */
  async #find<Found>(look: () => Found | null): Promise<Found | null> {
    const until = monotonicMs() + patienceMs;
    for (;;) {
      const found = look();
      if (found !== null || this.#isHealed || monotonicMs() > until) return found;
      await this.#wait(200);
    }
  }

  /** A worker that works, kept from other faults until the deed is done. */
  async #withWorker(random: SeededRandom, deed: (slot: WorkerSlot) => Promise<void>): Promise<boolean> {
    const slot = await this.#find(() => {
      const able = this.#parts.fleet.filter((each) => each.state === "up" && !this.#held.has(each));
      // One stays, so that work goes on; in a fleet of one there is nobody to stay.
      const isEnough = able.length > 1 || this.#parts.fleet.length === 1;
      return able.length > 0 && isEnough ? random.pick(able) : null;
    });
    if (slot === null) return false;
    this.#held.add(slot);
    try {
      await deed(slot);
    } finally {
      this.#held.delete(slot);
    }
    return true;
  }

  #kill(random: SeededRandom): Promise<boolean> {
    return this.#withWorker(random, async (slot) => {
      const record = this.#record("F1", slot.name);
      await slot.kill();
      await this.#wait(random.integer(0, 5_000));
      record.endedAt = monotonicMs();
      await slot.start();
    });
  }

  #pause(random: SeededRandom): Promise<boolean> {
    return this.#withWorker(random, async (slot) => {
      const record = this.#record("F2", slot.name);
      slot.pause();
      await this.#wait(random.integer(Math.round(1.2 * leaseMs), 3 * leaseMs));
      slot.resume();
      record.endedAt = monotonicMs();
    });
  }

  #leave(random: SeededRandom): Promise<boolean> {
    return this.#withWorker(random, async (slot) => {
      const record = this.#record("F21", slot.name);
      const isGone = await slot.leave(leaveWithinMs);
      if (!isGone) this.#parts.onTrouble(`worker ${slot.name} did not leave within ${leaveWithinMs} ms of SIGTERM`);
      record.endedAt = monotonicMs();
      await slot.start();
    });
  }

  async #stopServer(kind: "F4" | "F5", random: SeededRandom): Promise<boolean> {
    if ((await this.#find(() => (this.#isServerHeld ? null : true))) === null) return false;
    this.#isServerHeld = true;
    const { server } = this.#parts;
    const mode = random.pick(["fast", "immediate"] as const);
    const record = this.#record(kind, kind === "F4" ? "server" : `server, ${mode}`);
    try {
      await (kind === "F4" ? server.kill9() : server.halt(mode));
      await this.#wait(random.integer(0, 1_500));
      await server.restart();
      record.endedAt = monotonicMs();
    } finally {
      // A stop right after a start would hit nobody.
      void this.#wait(graceMs).then(() => (this.#isServerHeld = false));
    }
    return true;
  }

  async #terminateSession(random: SeededRandom): Promise<boolean> {
    if (this.#isServerHeld) return false;
    const isListener = random.chance(0.4);
    try {
      const sessions = await this.#parts.database.rows<{ pid: number }>(
        `select pid from pg_stat_activity where application_name = 'braid'
          and (not $1 or query like 'listen %' or query = 'select 1') order by pid`,
        [isListener],
      );
      if (sessions.length === 0) return false;
      const record = this.#record("F6", isListener ? "a session that listens" : "a session");
      await this.#parts.database.rows("select pg_terminate_backend($1)", [random.pick(sessions).pid]);
      record.endedAt = monotonicMs();
      return true;
    } catch {
      // The server went away meanwhile, which is another fault.
      return false;
    }
  }

  #proxies(): readonly (readonly [name: string, proxy: TcpProxy])[] {
    const { fleet, clientProxies } = this.#parts;
    return [
      ...fleet.map(({ name, proxy }) => [name, proxy] as const),
      ...clientProxies.map((proxy, index) => [clientNames[index]!, proxy] as const),
    ];
  }

  async #cut(random: SeededRandom): Promise<boolean> {
    const isAll = random.chance(0.3);
    const chosen = isAll ? this.#proxies() : [random.pick(this.#proxies())];
    const isWhole = isAll || random.chance(0.5);
    const record = this.#record("F7", isAll ? "everybody" : chosen[0]![0]);
    for (const [, proxy] of chosen) {
      if (isWhole) proxy.cut();
      else if (proxy.connections.length > 0) proxy.cut(random.pick(proxy.connections));
    }
    record.endedAt = monotonicMs();
    return true;
  }

  async #freeze(random: SeededRandom): Promise<boolean> {
    const [name, proxy] = random.pick(this.#proxies());
    if (this.#frozen.has(proxy)) return false;
    this.#frozen.add(proxy);
    const record = this.#record("F8", name);
    proxy.freeze();
    await this.#wait(random.integer(Math.round(this.#lengths.freezeMs / 4), this.#lengths.freezeMs));
    proxy.thaw();
    record.endedAt = monotonicMs();
    this.#frozen.delete(proxy);
    return true;
  }

  async #cutCommits(random: SeededRandom): Promise<boolean> {
    const record = this.#record("F9", "everybody");
    const isHit = (bytes: Buffer): boolean =>
      commitMarks.some((mark) => bytes.includes(mark)) && random.chance(commitCutShare);
    const rules = this.#proxies().map(([, proxy]) => proxy.cutAfter(isHit, Number.POSITIVE_INFINITY));
    // A window without a hit would have shown nothing: it lasts until there is one.
    await this.#wait(this.#lengths.cutMs);
    while (!this.#isHealed && rules.every(({ hits }) => hits === 0)) await this.#wait(500);
    for (const rule of rules) rule.cancel();
    record.endedAt = monotonicMs();
    return rules.some(({ hits }) => hits > 0);
  }

  async #delay(random: SeededRandom): Promise<boolean> {
    const isAll = random.chance(0.4);
    const chosen = isAll ? this.#proxies() : [random.pick(this.#proxies())];
    const record = this.#record("F10", isAll ? "everybody" : chosen[0]![0]);
    // Each way: 10 to 500 ms for a request and its answer.
    for (const [, proxy] of chosen) proxy.delay(random.integer(5, 250));
    await this.#wait(this.#lengths.latencyMs);
    for (const [, proxy] of chosen) proxy.delay(0);
    record.endedAt = monotonicMs();
    return true;
  }

  async #lockRows(): Promise<boolean> {
    const record = this.#record("F15", "rows of runs");
    // Other faults end it early, or nobody comes by: it tries again.
    for (let tries = 0; tries < mostTries && !this.#isHealed; tries += 1) {
      const { held, wasInTheWay } = await lockRows(this.#parts.url, (ms) => this.#wait(ms));
      Object.assign(record, { target: `${held} rows of runs`, endedAt: monotonicMs() });
      if (wasInTheWay) return true;
      await this.#wait(graceMs);
    }
    return false;
  }
}

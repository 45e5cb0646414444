import { checkInvariants, loadState } from "@braid/core";
import type { Plan } from "@braid/core";
import type { Store } from "@braid/engine";
import { sleep } from "../clock.ts";
import type { Database } from "../database.ts";
import { keyCaps, narrowCap } from "../settings.ts";
import type { Violation } from "./violation.ts";

const everyMs = 250;
/** The looks that cost more come with every so many of the others. */
const deepEvery = 12;

/** Live leases by limit, taken from the rows of attempts and not from where the store itself looks. */
const liveLeases = `
select l.name, count(*)::integer as count from braid.steps s
cross join lateral json_to_recordset(s.limit_key::json -> 'limits') as l (name text)
where s.dispatch = 'leased' and s.limit_key is not null group by l.name`;

const leftovers = `
select r.id as run, 'an attempt is ' || s.dispatch as text from braid.runs r join braid.steps s on s.run_id = r.id
where r.finished_at is not null and s.dispatch is not null
union all
select r.id, 'step ' || s.step_index || '/' || s.task_index || ' is ' || s.status from braid.runs r join braid.steps s on s.run_id = r.id
where r.finished_at is not null and s.status not in ('completed', 'failed', 'skipped', 'canceled')
  and (s.task_index < 0 or s.status in ('queued', 'running'))
  and not exists (
    select 1 from braid.workflows w cross join lateral json_to_recordset(w.plan -> 'steps') as p (index integer, kind text)
    where w.name = r.workflow and w.version = r.workflow_version and p.index = s.step_index and p.kind = 'pool'
  )
union all
select l.run_id, 'it holds a place of ' || l.name from braid.limit_slots l left join braid.steps s
  on s.run_id = l.run_id and s.step_index = l.step_index and s.task_index = l.task_index
where s.dispatch is distinct from 'leased'`;

const groups = `
select r.workflow, count(*)::integer as count from braid.runs r
where r.run_group is not null and r.status = 'running' group by r.workflow`;

const ended = `
select r.id, r.status || ' ' || r.finished_at || ' ' || r.trace_seq || ' ' || md5(coalesce(string_agg(
    s.step_index || '/' || s.task_index || ' ' || s.status || ' ' || s.attempt || ' ' || coalesce(s.output::text, ''), ','
    order by s.step_index, s.task_index), '')) as text
from braid.runs r join braid.steps s on s.run_id = r.id where r.finished_at >= $1 group by r.id`;

/** Steps that wait for their join, whose counters differ from the number of their sources that have settled. */
const miscounted = `
select r.id as run, e."to" as step, max(coalesce(t.satisfied + t.dead + t.neutral + t.cut, 0)) as counted,
  count(*) filter (where s.settled_seq > 0)::integer as settled
from braid.runs r
join braid.workflows w on w.name = r.workflow and w.version = r.workflow_version
cross join lateral json_to_recordset(w.plan -> 'edges') as e ("from" integer, "to" integer)
left join braid.steps s on s.run_id = r.id and s.step_index = e."from" and s.task_index = -1
left join braid.steps t on t.run_id = r.id and t.step_index = e."to" and t.task_index = -1
where r.finished_at is null and coalesce(t.status, 'pending') = 'pending' and coalesce(t.fired_seq, 0) = 0
group by r.id, e."to"
having max(coalesce(t.satisfied + t.dead + t.neutral + t.cut, 0)) <> count(*) filter (where s.settled_seq > 0)`;

/** What has ended so long ago is looked at again only at the end. */
const recentMs = 60_000;

interface Miscount {
  readonly run: string;
  readonly step: number;
  readonly counted: number;
  readonly settled: number;
}

/** Looks at the tables while the faults rage: every statement sees one instant, at which everything has to hold. */
export class Watch {
  readonly violations: Violation[] = [];
  looks = 0;
  readonly #database: Database;
  readonly #store: Store;
  readonly #groupMax: ReadonlyMap<string, number>;
  readonly #plans = new Map<string, Plan>();
  readonly #ended = new Map<string, string>();
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly database: Database;
    readonly store: Store;
    readonly groupMax: ReadonlyMap<string, number>;
  }) {
    this.#database = parts.database;
    this.#store = parts.store;
    this.#groupMax = parts.groupMax;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the watch with one more look at everything. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await this.#look();
    await this.#lookDeeply(0);
  }

  async #run(): Promise<void> {
    for (let turn = 1; !this.#isOver; turn += 1) {
      await sleep(everyMs);
      try {
        await this.#look();
        if (turn % deepEvery === 0) await this.#lookDeeply(Date.now() - recentMs);
        this.looks += 1;
      } catch (error) {
        // The server is down, and there is nothing to look at; what the checks themselves do wrong is no fault.
        if (error instanceof TypeError || error instanceof ReferenceError) throw error;
      }
    }
  }

  async #look(): Promise<void> {
    for (const { name, count } of await this.#database.rows<{ name: string; count: number }>(liveLeases)) {
      const cap = name === "type:narrow" ? narrowCap : keyCaps[name.replace("key:", "")];
      if (cap !== undefined && count > cap)
        this.#found("I10", null, `${count} live leases under \`${name}\`, at most ${cap} may be`);
    }
    for (const { workflow, count } of await this.#database.rows<{ workflow: string; count: number }>(groups)) {
      const most = this.#groupMax.get(workflow) ?? Infinity;
      if (count > most)
        this.#found("I10", null, `${count} runs of the group of \`${workflow}\` are under way, at most ${most} may be`);
    }
  }

  async #lookDeeply(since: number): Promise<void> {
    for (const { run, text } of await this.#database.rows<{ run: string; text: string }>(leftovers))
      this.#found("I16", run, text);
    for (const { id, text } of await this.#database.rows<{ id: string; text: string }>(ended, [since])) {
      const before = this.#ended.get(id);
      if (before !== undefined && before !== text) this.#found("I5", id, `it had ended as ${before}, and is ${text}`);
      this.#ended.set(id, text);
    }
    for (const { run, step, counted, settled } of await this.#database.rows<Miscount>(miscounted))
      this.#found("I4", run, `step ${step} counts ${counted} resolved edges, ${settled} of its sources have settled`);
    const open = await this.#database.rows<{ id: string }>("select id from braid.runs where finished_at is null");
    for (const { id } of open) await this.#recount(id);
  }

  /** The state that any worker would load, with every counter counted anew. */
  async #recount(id: string): Promise<void> {
    const loaded = await this.#store.load(id);
    if (loaded === null) return;
    const key = `${loaded.workflow} ${loaded.workflowVersion}`;
    const plan = this.#plans.get(key) ?? (await this.#store.getWorkflow(loaded.workflow, loaded.workflowVersion))!.plan;
    this.#plans.set(key, plan);
    try {
      checkInvariants(loadState(plan, id, { run: loaded.run, steps: loaded.steps, ranks: null }));
    } catch (error) {
      this.#found("I4", id, (error as Error).message);
    }
  }

  #found(invariant: string, run: string | null, text: string): void {
    // What stays wrong is told once.
    if (this.violations.some((other) => other.invariant === invariant && other.run === run && other.text === text))
      return;
    this.violations.push({ invariant, run, text });
  }
}

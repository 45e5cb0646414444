import type { WorkerRecord } from "../records.ts";
import type { Resources } from "../run-commit.ts";
import type { Connection } from "./connection.ts";

const upsert = `
insert into workers (id, host, pid, started_at, name, queues, resources, seen_at) values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict (id) do update set
  host = excluded.host, pid = excluded.pid, started_at = excluded.started_at, name = excluded.name,
  queues = excluded.queues, resources = excluded.resources, seen_at = excluded.seen_at`;

export async function putWorker(connection: Connection, worker: WorkerRecord, now: () => number): Promise<void> {
  const { id, host, pid, startedAt, name } = worker;
  const lists = [JSON.stringify(worker.queues), JSON.stringify(worker.resources)];
  await connection.write(() => {
    connection.run(upsert, [id, host, pid, Math.floor(startedAt), name, ...lists, now()]);
  }, "lazy");
}

export async function removeWorker(connection: Connection, worker: string): Promise<void> {
  await connection.write(() => connection.run("delete from workers where id = ?", [worker]), "lazy");
}

const list = "select id, host, pid, started_at, name, queues, resources, seen_at from workers order by id";

export function listWorkers(connection: Connection): readonly (WorkerRecord & { readonly seenAt: number })[] {
  return connection.rows(list).map((cells) => {
    const [id, host, pid, startedAt, name, queues, resources, seenAt] = cells as [
      string,
      string,
      number,
      number,
      string,
      string,
      string,
      number,
    ];
    return {
      id,
      host,
      pid,
      startedAt,
      name,
      queues: JSON.parse(queues) as string[],
      resources: JSON.parse(resources) as Resources,
      seenAt,
    };
  });
}

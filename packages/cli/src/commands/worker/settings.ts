import { hostname } from "node:os";
import process from "node:process";
import type { WorkOptions } from "@braid/engine";
import { UsageError } from "../../cli-error.ts";
import { readDuration } from "../../input/duration.ts";
import type { WorkerConfig } from "../../load/worker-config.ts";
import { formatAmounts } from "../../terminal/format.ts";

export interface WorkerCommandOptions {
  readonly store?: string;
  readonly queue?: readonly string[];
  readonly concurrency: number;
  readonly resources?: Readonly<Record<string, number>>;
  readonly name?: string;
  readonly pollInterval?: string;
  readonly lease?: string;
  readonly drainTimeout: string;
  readonly config?: string;
}

export interface WorkerSettings {
  readonly work: WorkOptions & { readonly queues: readonly string[]; readonly name: string };
  readonly leaseMs: number | undefined;
  readonly drainMs: number;
}

/** A shorter lease ends while its worker only has much to do. */
const shortestLeaseMs = 500;

export function readSettings(options: WorkerCommandOptions): WorkerSettings {
  const { queue = ["default"], concurrency, resources = {}, name, pollInterval, lease, drainTimeout } = options;
  const leaseMs = lease === undefined ? undefined : readDuration("--lease", lease);
  if (leaseMs !== undefined && leaseMs < shortestLeaseMs) {
    throw new UsageError(`--lease must be at least ${shortestLeaseMs}ms, got \`${lease}\``);
  }
  return {
    work: {
      queues: [...new Set(queue)],
      concurrency,
      resources,
      name: name ?? `${hostname()}-${process.pid}`,
      ...(pollInterval === undefined ? {} : { pollIntervalMs: readDuration("--poll-interval", pollInterval) }),
    },
    leaseMs,
    drainMs: drainTimeout === "0" ? 0 : readDuration("--drain-timeout", drainTimeout),
  };
}

/** What the worker is, for its first line. */
export function describeWorker({ work }: WorkerSettings, config: WorkerConfig): string {
  const { queues, resources = {}, concurrency } = work;
  const types = ["command", "http", ...config.types.map(({ name }) => name)];
  const workflows = config.workflows.map((each) => ("definition" in each ? each.definition.name : each.name));
  return [
    `${queues.length === 1 ? "queue" : "queues"} ${queues.join(", ")}`,
    `${concurrency} at a time`,
    ...(Object.keys(resources).length === 0 ? [] : [`resources ${formatAmounts(resources)}`]),
    `step types ${types.join(", ")}`,
    ...(workflows.length === 0 ? [] : [`workflows ${workflows.join(", ")}`]),
  ].join("; ");
}

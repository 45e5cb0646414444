import type {
  Definition,
  JsonObject,
  JsonValue,
  Plan,
  RunFailure,
  RunOverrides,
  RunStatus,
  StepError,
  StepStatus,
} from "@braid/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { StepType } from "./steps/step-type.ts";
import type { Store } from "./store/port.ts";
import type { LogLine, RunSummaryRow } from "./store/records.ts";

/** Settings of an engine. Every one has a default. */
export interface EngineOptions {
  /** A store, or its URL: `memory:`, `sqlite:path`, `postgres://…`. Default `memory:`. */
  readonly store?: Store | string;
  /** Step types beside the built-in ones. */
  readonly types?: readonly StepType[];
  /** Handed to every handler as `services`. */
  readonly services?: Readonly<Record<string, unknown>>;
  /** Limits over all runs and workers of the store. Give all engines on a store the same. */
  readonly limits?: EngineLimits;
  /** Length of a lease in milliseconds. Default 15,000. */
  readonly leaseMs?: number;
  /** Largest output, item or patch in bytes of JSON. Default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /** Environment that programs of steps inherit, before declared `env`. Default: PATH, HOME, LANG, TMPDIR of this process. */
  readonly inheritedEnv?: Readonly<Record<string, string>>;
  /** Where secrets are read; default `process.env`. */
  readonly secretsEnv?: Readonly<Record<string, string | undefined>>;
  /** Called for every log line of attempts run here, after masking. */
  readonly onLog?: (line: LogLine) => void;
}

/** One limit; absent parts do not limit. */
export interface LimitSetting {
  /** Attempts at a time. */
  readonly max?: number;
  /** Starts: `count` in `perMs` milliseconds, evenly spaced but for `burst` (default 1) at once. */
  readonly rate?: { readonly count: number; readonly perMs: number; readonly burst?: number };
}

/** Limits over all runs and workers of a store. A task starts only when every limit that concerns it has room. */
export interface EngineLimits {
  /** Of all attempts together. */
  readonly global?: LimitSetting;
  /** By step type. */
  readonly types?: Readonly<Record<string, LimitSetting>>;
  /** By the key of a step's `concurrency`; what is said here wins over the step. */
  readonly keys?: Readonly<Record<string, LimitSetting>>;
}

/** What the builder makes of a workflow in code: its definition, and the functions that the definition names. */
export interface WorkflowInCode {
  readonly definition: Definition;
  readonly functions?: ReadonlyMap<string, (input: never) => unknown>;
  /** Checks and converts a run's input. */
  readonly inputSchema?: StandardSchemaV1<unknown, unknown> | null;
  /** Workflows in code that steps run as children. */
  readonly children?: readonly WorkflowInCode[];
}

/** A workflow by name, as a definition, or in code. */
export type WorkflowSource = string | Definition | WorkflowInCode;

export interface Registered {
  readonly name: string;
  readonly version: number;
  readonly plan: Plan;
}

export interface StartOptions {
  readonly input?: JsonObject;
  readonly idempotencyKey?: string;
  readonly priority?: number;
  readonly overrides?: RunOverrides;
  /** Kept with the run: `{ directory }` of the file, for instance. */
  readonly meta?: JsonObject;
}

/** A trace event as every surface shows it: the JSON line of `braid run --json`. */
export type PublicTraceEvent = JsonObject;

export interface RunResult {
  readonly runId: string;
  readonly epoch: number;
  readonly status: RunStatus;
  readonly toleratedFailures: number;
  readonly error: (StepError & { readonly step?: string }) | null;
  readonly failures: readonly RunFailure[];
  readonly output: JsonValue;
  readonly durationMs: number;
  /** In definition order; visible steps only. */
  readonly steps: { readonly [id: string]: StepResultView };
}

export interface StepResultView {
  readonly status: StepStatus;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly skipReason: string | null;
  readonly cause: string | null;
  readonly tolerated: boolean;
  readonly triggeredBy: readonly string[] | null;
  readonly error: StepError | null;
  readonly output: JsonValue;
  /** Maps and blocks only. */
  readonly counts?: {
    readonly total: number;
    readonly completed: number;
    readonly failed: number;
    readonly skipped: number;
    readonly canceled: number;
  };
}

export interface Progress {
  readonly status: RunStatus;
  readonly totalSteps: number;
  readonly completedSteps: number;
  readonly settledSteps: number;
  /** Settled of total, 0 to 100. */
  readonly percentage: number;
}

export interface RunHandle {
  readonly id: string;
  /** Resolves when the run is terminal (somebody must work on it). Rejects only on an engine fault. */
  result(): Promise<RunResult>;
  step(id: string): { result(): Promise<StepResultView> };
  /** Every trace event from `after` (default 0) on, until the run is terminal; nothing lost or doubled. */
  events(options?: { readonly after?: number }): AsyncIterable<PublicTraceEvent>;
  cancel(): Promise<void>;
}

export interface WorkOptions {
  /** Attempts at a time in this process. Default 10. */
  readonly concurrency?: number;
  readonly queues?: readonly string[];
  /** Longest wait between polls, milliseconds. Default 1,000. */
  readonly pollIntervalMs?: number;
  readonly name?: string;
  /** What it has for tasks that ask for `resources`, such as `{ cpu: 8, gpu: 1 }`. Default: nothing, or with `runIds` whatever they ask for. */
  readonly resources?: Readonly<Record<string, number>>;
  /** Only these runs and their children. */
  readonly runIds?: readonly string[];
}

export interface WorkerHandle {
  readonly id: string;
  /** Stops claiming, lets running attempts end for up to `drainMs`, then releases their leases. */
  stop(options?: { readonly drainMs?: number }): Promise<void>;
}

export interface Engine {
  readonly store: Store;
  /** Compiles and stores a workflow. Throws `InvalidDefinition` (with `diagnostics`). */
  register(workflow: Exclude<WorkflowSource, string>): Promise<Registered>;
  /** Creates a run; a worker must carry it. Input is checked against `inputs` (`InvalidInput`). */
  start(workflow: WorkflowSource, options?: StartOptions): Promise<RunHandle>;
  /** As `start` for many runs of one workflow, with as few writes as can be; handles in the order asked. */
  startMany(workflow: WorkflowSource, runs: readonly StartOptions[]): Promise<readonly RunHandle[]>;
  /** `start`, and works on it in this process until it is terminal. */
  run(workflow: WorkflowSource, options?: StartOptions & { readonly timeoutMs?: number }): Promise<RunResult>;
  get(runId: string): Promise<RunHandle | null>;
  /** Result so far, also of a run that is not terminal. */
  inspect(runId: string): Promise<RunResult | null>;
  progress(runId: string): Promise<Progress | null>;
  list(filter?: {
    readonly workflow?: string;
    readonly status?: readonly RunStatus[];
    readonly limit?: number;
    /** Only runs that are older than this one: the last of the page before. */
    readonly before?: string;
  }): Promise<readonly RunSummaryRow[]>;
  events(runId: string, options?: { readonly after?: number }): AsyncIterable<PublicTraceEvent>;
  /** A second cancel also stops `finally`. */
  cancel(runId: string): Promise<void>;
  pause(runId: string): Promise<void>;
  resume(runId: string): Promise<void>;
  retry(runId: string, options?: { readonly from?: string; readonly only?: string }): Promise<void>;
  signal(runId: string, name: string, payload?: JsonValue): Promise<void>;
  approve(runId: string, step: string, payload?: JsonValue): Promise<void>;
  reject(runId: string, step: string, payload?: JsonValue): Promise<void>;
  work(options?: WorkOptions): Promise<WorkerHandle>;
  close(): Promise<void>;
}

import type { Engine, EngineOptions } from "../engine.ts";
import { defaultMaxPayloadBytes } from "../payload/codec.ts";
import { BraidEngine } from "./braid-engine.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { systemRandom } from "./ids.ts";
import type { Random } from "./ids.ts";
import { Launcher } from "./launcher.ts";
import { HandlerRegistry } from "./registry.ts";
import type { FunctionTable } from "./control.ts";
import type { LoadType } from "./registry.ts";
import { Runtime } from "./runtime.ts";
import { defaultInheritedEnv } from "./surroundings.ts";
import { warnOfTrouble } from "./trouble.ts";
import { WorkerHost } from "./worker-host.ts";
import { Workflows } from "./workflows.ts";

const DEFAULT_LEASE_MS = 15_000;
const DEFAULT_GRACE_MS = 10_000;
const DEFAULT_PATIENCE_MS = 60_000;

/** Settings beside the public ones. */
export interface EngineParts {
  /** Functions that plans name: handlers as `workflow/step`, control values as `workflow/step#items` and the like. */
  readonly functions?: FunctionTable;
  /** Called when the store gives trouble that the engine cures by itself. Default: a warning of the process. */
  readonly onTrouble?: (what: string, error: unknown) => void;
  /** How long code that was told to stop may take before its attempt is given up. Default 10,000 ms. */
  readonly graceMs?: number;
  /** How long a store may not answer before the engine gives up. Default 60,000 ms. */
  readonly patienceMs?: number;
  /** Time and chance, for simulations. */
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Makes an engine: opens the store, and closes it again with `close` if it was named by a URL.
 *
 * @example
 * const engine = await createEngine({ store: "sqlite:.braid/braid.db" });
 * const { status, output } = await engine.run(definition, { input: { name: "world" } });
 * await engine.close();
 */
export async function createEngine(options: EngineOptions & EngineParts = {}): Promise<Engine> {
  const { store: given = "memory:", clock = systemClock, random = systemRandom } = options;
  const store = typeof given === "string" ? await createStoreOf(given) : given;
  await store.open();
  const maxPayloadBytes = options.maxPayloadBytes ?? defaultMaxPayloadBytes;
  const registry = new HandlerRegistry(builtInTypes(maxPayloadBytes), options.types ?? []);
  if (options.functions !== undefined) registry.addFunctions(options.functions);
  let launcher: Launcher;
  const runtime = new Runtime({
    store,
    clock,
    random,
    registry,
    services: options.services ?? {},
    inheritedEnv: options.inheritedEnv ?? defaultInheritedEnv(process.env),
    secretsEnv: options.secretsEnv ?? process.env,
    limits: options.limits ?? {},
    maxPayloadBytes,
    graceMs: options.graceMs ?? DEFAULT_GRACE_MS,
    patienceMs: options.patienceMs ?? DEFAULT_PATIENCE_MS,
    onLog: options.onLog ?? null,
    onTrouble: options.onTrouble ?? warnOfTrouble(clock, (text) => process.emitWarning(text, "BraidWarning")),
    startChild: (request) => launcher.startChild(request),
  });
  try {
    // Instants of the first events have to be the store's.
    await runtime.time.ask(() => store.dueRuns(1));
  } catch (error) {
    if (typeof given === "string") await store.close();
    throw error;
  }
  const workflows = new Workflows({ store, plans: runtime.plans, registry });
  launcher = new Launcher(runtime, workflows, process.env);
  const host = new WorkerHost(runtime, options.leaseMs ?? DEFAULT_LEASE_MS);
  return new BraidEngine({ runtime, workflows, launcher, host, ownsStore: typeof given === "string" });
}

/** Loaded only when a store has to be made: who brings one pays for no other. */
async function createStoreOf(url: string): Promise<EngineOptions["store"] & object> {
  const { createStore } = await import("../store/open.ts");
  return createStore(url);
}

/** Step types that every engine has, loaded with the first step that needs one. */
function builtInTypes(maxPayloadBytes: number): ReadonlyMap<string, LoadType> {
  return new Map<string, LoadType>([
    ["command", async () => (await import("../steps/command.ts")).commandStep({ maxPayloadBytes })],
    ["http", async () => (await import("../steps/http.ts")).httpStep()],
  ]);
}

import type { Plan } from "@braid/core";
import type { Engine, EngineOptions, EngineParts } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { readEnvFile } from "../input/read-data-file.ts";
import { inheritedEnvironment } from "../input/step-environment.ts";
import { withEngine } from "../store/open-engine.ts";
import type { StoreChoice } from "../store/store-url.ts";
import type { EngineListener } from "./follow-run.ts";

export interface WorkingEngine {
  readonly choice: StoreChoice;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What will run: their secrets are not inherited. */
  readonly plans: readonly Plan[];
}

/** Opens an engine that runs steps in this process, with the environment that they are to have. */
export async function withWorkingEngine(
  { choice, env, plans }: WorkingEngine,
  use: (engine: Engine, listener: EngineListener) => Promise<number>,
): Promise<number> {
  const listener: EngineListener = { onLog: () => {}, onTrouble: () => {} };
  const options: WorkingOptions = {
    inheritedEnv: inheritedEnvironment(env, plans),
    secretsEnv: env,
    onLog: (line) => listener.onLog(line),
    onTrouble: (what, error) => listener.onTrouble(what, error),
  };
  return await withEngine(choice, options, async (engine) => await use(engine, listener));
}

type WorkingOptions = Omit<EngineOptions & EngineParts, "store">;

/** The environment of the command, with the file's variables over it. */
export async function commandEnvironment(
  { io }: CommandContext,
  options: { readonly envFile?: string },
): Promise<Readonly<Record<string, string | undefined>>> {
  return options.envFile === undefined ? io.env : { ...io.env, ...(await readEnvFile(io, options.envFile)) };
}

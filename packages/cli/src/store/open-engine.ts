import type { Engine, EngineOptions, EngineParts } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { chooseStore, storeExists } from "./store-url.ts";
import type { StoreChoice, StoreOptions } from "./store-url.ts";

/** Opens the engine on a store, hands it to `use`, and closes it again whatever happens. */
export async function withEngine<Result>(
  choice: StoreChoice,
  options: Omit<EngineOptions & EngineParts, "store">,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  // Loaded when it is needed: looking at a file must not wait for the engine.
  const { createEngine } = await import("@braid/engine");
  const engine = await createEngine({ ...options, store: choice.url });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** As `withEngine`, for commands that look at a store: where there is none yet, `use` gets null and no file is made. */
export async function withStore<Result>(
  { io }: CommandContext,
  options: StoreOptions,
  use: (engine: Engine | null) => Promise<Result>,
): Promise<Result> {
  const choice = chooseStore(io, options);
  return storeExists(choice) ? await withEngine(choice, {}, use) : await use(null);
}

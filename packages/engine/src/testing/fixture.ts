import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseYaml } from "@braid/core";
import type { Definition } from "@braid/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Engine, EngineOptions } from "../engine.ts";
import { createEngine } from "../runtime/create-engine.ts";
import type { EngineParts } from "../runtime/create-engine.ts";

/** Stores that the tests of the runtime run on. */
export const storeKinds = ["memory", "sqlite"] as const;

export type StoreKind = (typeof storeKinds)[number];

/** A workflow file as a definition; throws with all its diagnostics. */
export function define(text: string): Definition {
  const parsed = parseYaml(text, { defaultName: "test" });
  if (parsed.definition !== null) return parsed.definition;
  throw new Error(parsed.diagnostics.map(({ message }) => message).join("\n"));
}

/** A schema for a workflow in code that takes its input as it comes. */
export function anyInput<Input>(): StandardSchemaV1<unknown, Input> {
  return { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as Input }) } };
}

/** Engines and directories of a test, cleared away after it. */
export class Fixture {
  readonly #engines: Engine[] = [];
  readonly #directories: string[] = [];

  directory(): string {
    const directory = mkdtempSync(join(tmpdir(), "braid-test-"));
    this.#directories.push(directory);
    return directory;
  }

  /** URL of a new store of that kind. */
  store(kind: StoreKind): string {
    return kind === "memory" ? "memory:" : `sqlite:${join(this.directory(), "braid.db")}`;
  }

  async engine(options: EngineOptions & EngineParts): Promise<Engine> {
    const engine = await createEngine(options);
    this.#engines.push(engine);
    return engine;
  }

  async clear(): Promise<void> {
    await Promise.all(this.#engines.splice(0).map((engine) => engine.close()));
    for (const directory of this.#directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  }
}

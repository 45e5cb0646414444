import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseYaml } from "@braid/core";
import type { Definition } from "@braid/core";
import { afterEach, describe, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import { createEngine } from "./create-engine.ts";

const directories: string[] = [];
const engines: Engine[] = [];

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function define(text: string): Definition {
  const parsed = parseYaml(text, { defaultName: "test" });
  if (parsed.definition === null) throw new Error(parsed.diagnostics.map(({ message }) => message).join("\n"));
  return parsed.definition;
}

async function open(store: "memory" | "sqlite"): Promise<Engine> {
  const directory = mkdtempSync(join(tmpdir(), "braid-engine-"));
  directories.push(directory);
  const engine = await createEngine({ store: store === "memory" ? "memory:" : `sqlite:${join(directory, "braid.db")}` });
  engines.push(engine);
  return engine;
}

describe.each(["memory", "sqlite"] as const)("an engine on %s", (kind) => {
  test("runs a file of commands and passes outputs on", async () => {
    const engine = await open(kind);
    const result = await engine.run(
      define(`
name: hello
inputs: {who: {type: string, default: world}}
steps:
  - id: greet
    run: echo "hello \${{ inputs.who }}"
  - id: shout
    dependsOn: [greet]
    run: echo "\${{ steps.greet.output.stdout }}!" | tr a-z A-Z
output: \${{ steps.shout.output.stdout }}
`),
    );
    expect(result).toMatchObject({ status: "completed", error: null });
    expect(result.steps["greet"]?.output).toMatchObject({ exitCode: 0, stdout: "hello world\n" });
    expect(result.output).toContain("HELLO WORLD");
  });
});

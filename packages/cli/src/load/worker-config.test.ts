import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadWorkerConfig } from "./worker-config.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "braid-config-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

let files = 0;
function load(text: string): ReturnType<typeof loadWorkerConfig> {
  files += 1;
  const name = `config-${files}.mjs`;
  writeFileSync(join(cwd, name), text);
  return loadWorkerConfig({ cwd }, name);
}

test("reads types, workflows, services and limits; what is absent is empty", async () => {
  const config = await load(`export default {
    types: [{ name: "weather", run: async () => ({ output: 1 }) }],
    limits: { global: { max: 3 } },
    services: undefined,
  };`);
  expect(config).toMatchObject({ workflows: [], services: {}, limits: { global: { max: 3 } } });
  expect(config.types.map(({ name }) => name)).toEqual(["weather"]);
});

test.each([
  ["export const a = 1;", "has no default export"],
  ["export default [];", "has no default export"],
  ["export default { type: [] };", "has an unknown key `type`"],
  ["export default { types: {} };", "`types` must be a list of step types"],
  ["export default { types: [{ name: 'x' }] };", "`types` must be a list of step types"],
  ["export default { workflows: [{}] };", "`workflows` must be a list of workflows"],
  ["export default { services: [] };", "`services` must be an object"],
  ["export default { limits: 3 };", "`limits` must be an object"],
  ["export default { definition: { name: 'x', steps: [] } };", "exports a workflow"],
  ["throw new Error('no luck');", "no luck"],
])("%s is refused", async (text, message) => {
  await expect(load(text)).rejects.toThrow(message);
});

test("a file that is no module is refused", async () => {
  await expect(loadWorkerConfig({ cwd }, "worker.yaml")).rejects.toThrow("is no module");
});

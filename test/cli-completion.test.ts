import { afterAll, beforeAll, expect, test } from "vitest";
import { Workbench } from "./support/braid.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = new Workbench();
  bench.write("release.yaml", "");
  bench.write("braid.bash", (await bench.braid(["completion", "bash"])).stdout);
});
afterAll(() => bench.remove());

async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const script = `source ./braid.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _braid; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await bench.startProgram("bash", ["-c", script, "bash", ...words]).finished;
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test.each([
  [
    ["braid", "r"],
    ["run", "runs"],
  ],
  [
    ["braid", "runs", "re"],
    ["resume", "reject", "retry"],
  ],
  [["braid", "run", "--res"], ["--resume"]],
  [
    ["braid", "run", "--logs", ""],
    ["full", "errors", "none"],
  ],
  [["braid", "run", "rel"], ["release.yaml"]],
  [["braid", "run", "--input-file", "rel"], ["release.yaml"]],
  [["braid", "completion", "--color", "al"], ["always"]],
])("bash completes %j", async (words, expected) => {
  expect(await complete(...words)).toEqual(expected);
});

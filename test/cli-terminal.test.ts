import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bin, jsonLines, Workbench } from "./support/braid.ts";
import type { Started } from "./support/braid.ts";

/** `braid` on a pseudo-terminal of 80 columns and 24 rows, made by util-linux's `script`. */
let bench: Workbench;
beforeAll(() => {
  bench = new Workbench();
  bench.write("flow.yaml", flow);
  bench.write("slow.yaml", 'name: slow\nsteps:\n  - { id: nap, run: "sleep 30" }\n');
});
afterAll(() => bench.remove());

const flow = `
name: flow
steps:
  - { id: ok, run: "sleep 0.4; echo fine", dependsOn: [] }
  - { id: items, run: "sleep 0.1", dependsOn: [], forEach: { items: [1, 2, 3, 4] } }
  - { id: bad, run: "printf '\\\\033[2Jwiped\\\\n'; exit 4", dependsOn: [ok] }
`;

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";

function onTerminal(command: string, env: Readonly<Record<string, string>> = {}): Started {
  const line = `stty cols 80 rows 24; exec "${process.execPath}" "${bin}" ${command}`;
  return bench.startProgram("script", ["-qec", line, "/dev/null"], {
    env: { TERM: "xterm-256color", ...env },
    stdin: null,
  });
}

async function statusOfNewest(): Promise<unknown> {
  const { stdout } = await bench.braid(["runs", "list", "--json", "--limit", "1"]);
  return jsonLines(stdout)[0]?.["status"];
}

describe("on a terminal", () => {
  test("a table is repainted in place, the cursor comes back, and the summary follows", async () => {
    const { code, stdout } = await onTerminal("run flow.yaml --ephemeral").finished;
    expect(code).toBe(1);
    expect(stdout.split(hideCursor)).toHaveLength(2);
    expect(stdout.lastIndexOf(showCursor)).toBeGreaterThan(stdout.lastIndexOf(hideCursor));
    expect(stdout).toMatch(/running/);
    expect(stdout).toMatch(/items.*4 of 4/);
    const end = stdout.slice(stdout.lastIndexOf(showCursor));
    expect(end).toContain("bad failed");
    expect(end).toContain("wiped");
    expect(stdout).not.toContain("\u001b[2J");
  });

  test("Ctrl-C cancels, says so, and gives the cursor back", async () => {
    const run = onTerminal("run slow.yaml --ephemeral");
    await run.says(/running.*nap/);
    run.types("\u0003");
    const { code, stdout } = await run.finished;
    expect(code).toBe(130);
    expect(stdout).toContain("press Ctrl-C again to kill");
    expect(stdout.lastIndexOf(showCursor)).toBeGreaterThan(stdout.lastIndexOf(hideCursor));
    expect(stdout).toContain("slow canceled");
  });

  test("closing it cancels the run", async () => {
    const run = onTerminal("run slow.yaml");
    await run.says(/running.*nap/);
    run.process.kill("SIGKILL");
    await expect.poll(statusOfNewest, { timeout: 20_000, interval: 300 }).toBe("canceled");
  });

  test.each([
    ["CI", { CI: "true" }],
    ["a dumb terminal", { TERM: "dumb" }],
  ])("%s gets plain lines", async (_name, env) => {
    const { stdout } = await onTerminal("run flow.yaml --ephemeral --color never", env).finished;
    expect(stdout).not.toContain(hideCursor);
    expect(stdout).toMatch(/ok +started/);
  });

  test("colors go by NO_COLOR and --color", async () => {
    expect((await onTerminal("run flow.yaml --ephemeral", { NO_COLOR: "1" }).finished).stdout).not.toContain(
      "\u001b[32m",
    );
    expect((await onTerminal("run flow.yaml --ephemeral --color never").finished).stdout).not.toContain("\u001b[32m");
    expect((await onTerminal("run flow.yaml --ephemeral").finished).stdout).toContain("\u001b[32m");
  });

  test("--json does not mix with a table", async () => {
    const { stdout } = await onTerminal("run flow.yaml --ephemeral --json").finished;
    expect(stdout).not.toContain(hideCursor);
    expect(stdout).toContain('"type":"run.summary"');
  });
});

test("GitHub Actions gets a folded group per step", async () => {
  const { stderr } = await bench.braid(["run", "flow.yaml", "--ephemeral"], {
    env: { GITHUB_ACTIONS: "true", CI: "true" },
  });
  expect(stderr).toMatch(/::group::ok\n::stop-commands::([\w-]+)\nfine\n::\1::\n::endgroup::/);
});

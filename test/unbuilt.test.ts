import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const bin = fileURLToPath(new URL("../packages/cli/bin", import.meta.url));

test("an unbuilt checkout says what to run and exits with the code of an operating error", () => {
  const home = mkdtempSync(join(tmpdir(), "braid-unbuilt-"));
  try {
    cpSync(bin, join(home, "bin"), { recursive: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(home, "bin/braid.js"), "--version"], {
      encoding: "utf8",
    });
    expect(status).toBe(3);
    expect(stdout).toBe("");
    expect(stderr).toContain("npm run build");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

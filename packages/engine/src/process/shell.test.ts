import { afterEach, expect, test, vi } from "vitest";
import { findBash, shellArgv } from "./shell.ts";

afterEach(() => {
  vi.doUnmock("node:fs");
  vi.resetModules();
});

test("runs a script in bash with the options that stop it at the first error", () => {
  expect(shellArgv({ script: "x", args: ["a"] })).toEqual([findBash(), "-eo", "pipefail", "-c", "x", "braid", "a"]);
});

test("runs a script in sh where there is no bash", async () => {
  const accessSync = vi.fn<() => void>(() => {
    throw new Error("ENOENT");
  });
  vi.resetModules();
  vi.doMock("node:fs", () => ({ accessSync, constants: { X_OK: 1 } }));
  const shell = await import("./shell.ts");
  expect(shell.shellArgv({ script: "x" })).toEqual(["/bin/sh", "-e", "-c", "x", "braid"]);
  const looks = accessSync.mock.calls.length;
  shell.shellArgv({ script: "x" });
  expect(accessSync).toHaveBeenCalledTimes(looks);
});

test.each([
  { shell: "/usr/bin/zsh", argv: ["/usr/bin/zsh", "-eo", "pipefail", "-c", "x", "braid", "a"] },
  { shell: "dash", argv: ["dash", "-e", "-c", "x", "braid", "a"] },
  { shell: "fish", argv: ["fish", "-c", "x", "braid", "a"] },
  { shell: "python3", argv: ["python3", "-c", "x", "a"] },
  { shell: "ruby", argv: ["ruby", "-e", "x", "a"] },
  { shell: "pwsh", argv: ["pwsh", "-NoProfile", "-NonInteractive", "-Command", "x", "a"] },
  { shell: ["node", "--no-warnings", "-e"], argv: ["node", "--no-warnings", "-e", "x", "a"] },
  { shell: ["bash", "-x", "-c"], argv: ["bash", "-x", "-c", "x", "braid", "a"] },
])("runs a script in $shell", ({ shell, argv }) => {
  expect(shellArgv({ script: "x", shell, args: ["a"] })).toEqual(argv);
});

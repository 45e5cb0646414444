import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "packages/cli/package.json"), "utf8")) as { version: string };

interface PackedPackage {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

describe("a checkout after `npm ci`", () => {
  const link = join(root, "node_modules/.bin/braid");

  test("links `braid` to the committed bin", () => {
    expect(realpathSync(link)).toBe(join(root, "packages/cli/bin/braid.js"));
  });

  test("has a bin that anyone may execute", () => {
    accessSync(link, constants.X_OK);
    expect(statSync(link).mode & 0o111).toBe(0o111);
  });

  test("runs the command through npx", () => {
    expect(run("npx", ["--no-install", "braid", "--version"], root)).toContain(version);
  });
});

/** The other workspaces are of no use outside this repository. */
const published = ["core", "engine", "cli"].flatMap((name) => ["--workspace", `packages/${name}`]);

describe("the packed packages in an empty directory", () => {
  let home = "";
  let packed: readonly PackedPackage[] = [];

  beforeAll(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), "braid-install-")));
    const report = run("npm", ["pack", ...published, "--json", "--pack-destination", home], root);
    // npm reports a list, or since version 12 a record by package name.
    packed = Object.values(JSON.parse(report) as Record<string, PackedPackage>);
    // Install scripts stay off: a package that had to compile or download something would fail right here or at its first start.
    const tarballs = packed.map((each) => join(home, each.filename));
    run("npm", ["install", "--prefix", home, "--ignore-scripts", "--prefer-offline", ...tarballs], home);
  });

  afterAll(() => {
    rmSync(home, { recursive: true, force: true });
  });

  test("hold what runs and its sources, and neither tests nor build records", () => {
    expect(packed.map((each) => each.name).toSorted()).toEqual(["@braid/cli", "@braid/core", "@braid/engine"]);
    for (const { name, files } of packed) {
      const paths = files.map((file) => file.path);
      expect(paths, name).toContain("package.json");
      expect(
        paths.some((path) => path.startsWith("dist/") && path.endsWith(".js")),
        name,
      ).toBe(true);
      expect(
        paths.filter((path) => /\.test\.|\.tsbuildinfo$/.test(path)),
        name,
      ).toEqual([]);
    }
  });

  test("answer `braid --version` with the version that was packed", () => {
    expect(run("npx", ["--no-install", "braid", "--version"], home)).toContain(version);
  });

  test("answer `braid --help` with the commands", () => {
    expect(run("npx", ["--no-install", "braid", "--help"], home)).toMatch(/\brun\b[\s\S]*\bvalidate\b/);
  });
});

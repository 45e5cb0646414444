import { execFile } from "node:child_process";
import { appendFile, chown, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { escapeIdentifier } from "pg";
import type { ServerCertificate } from "./certificates/certificate-authority.ts";
import { withFreePort } from "./free-port.ts";
import { runStatement } from "./run-statement.ts";
import { preparePostgresBinaries, type PostgresVersion } from "./postgres-binaries.ts";
import { Program } from "./program.ts";
import { unprivilegedIdentity } from "./unprivileged.ts";

/** Lines of a configuration file, by name. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

export interface PostgresOptions {
  /** Lines of `postgresql.conf`: `{ max_connections: 200, fsync: false }`. Without them PostgreSQL's own defaults hold. */
  readonly settings?: Settings;
  /** With it the server offers TLS, and takes connections without it as before. */
  readonly certificate?: ServerCertificate;
}

/** `fast` ends sessions and writes a checkpoint; `immediate` ends as in a crash, so that the next start has to recover. */
export type StopMode = "fast" | "immediate";

const STOP_SIGNALS: Readonly<Record<StopMode, NodeJS.Signals>> = { fast: "SIGINT", immediate: "SIGQUIT" };
const START_DEADLINE_MS = 60_000;
const POLL_MS = 10;

/**
 * A real PostgreSQL server on a free port of 127.0.0.1, for as long as a test needs it.
 *
 * It trusts every connection, `postgres` is its superuser, encoding is UTF-8 and locale C. Its states are running and down:
 * `halt` and `kill9` lead to down, `restart` from either to running, all on the same port with the same data; `stop` ends it for
 * good and removes its directory, and so does the end of this process.
 */
export class PostgresServer {
  readonly version: PostgresVersion;
  readonly port: number;
  readonly #program: Program;
  readonly #executable: string;

  private constructor(version: PostgresVersion, parts: { program: Program; executable: string; port: number }) {
    this.version = version;
    this.port = parts.port;
    this.#program = parts.program;
    this.#executable = parts.executable;
  }

  static async start(version: PostgresVersion, options: PostgresOptions = {}): Promise<PostgresServer> {
    const binaries = await preparePostgresBinaries(version);
    const program = await Program.create(`postgres-${version}`);
    try {
      await initialize(program, join(binaries, "bin", "initdb"));
      await configure(program, options);
      const executable = join(binaries, "bin", "postgres");
      return await withFreePort(async (port) => {
        const server = new PostgresServer(version, { program, executable, port });
        await server.restart();
        return server;
      });
    } catch (error) {
      await program.remove();
      throw error;
    }
  }

  get dataDirectory(): string {
    return dataDirectoryOf(this.#program);
  }

  /** What the server has printed since its first start. */
  get logFile(): string {
    return this.#program.logFile;
  }

  /** The process id of the postmaster, for signals of one's own; `undefined` while it is down. */
  get pid(): number | undefined {
    return this.#program.pid;
  }

  get isRunning(): boolean {
    return this.#program.isRunning;
  }

  /** A connection string of the superuser. */
  url(database = "postgres"): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Creates a database and returns its connection string. */
  async createDatabase(name: string): Promise<string> {
    await runStatement(this.url(), `CREATE DATABASE ${escapeIdentifier(name)}`);
    return this.url(name);
  }

  /** Stops the server and keeps its data for `restart`. */
  async halt(mode: StopMode = "fast"): Promise<void> {
    this.#program.signal(STOP_SIGNALS[mode]);
    // A paused process hears a stop only when it goes on.
    this.#program.signal("SIGCONT");
    await this.#program.waitForExit();
  }

  /** Kills the postmaster. Its other processes notice and end within moments, sessions with them. */
  async kill9(): Promise<void> {
    this.#program.signal("SIGKILL");
    await this.#program.waitForExit();
  }

  /** Starts the server again, after stopping it if it runs, and returns when it answers. */
  async restart(mode: StopMode = "fast"): Promise<void> {
    await this.halt(mode);
    const deadline = performance.now() + START_DEADLINE_MS;
    const command = { path: this.#executable, arguments: ["-D", this.dataDirectory, "-p", String(this.port)] };
    await this.#program.start(command);
    while (!(await this.#isReady())) {
      await sleep(POLL_MS);
      if (performance.now() > deadline) {
        await this.kill9();
        throw await this.#failure(`is not ready after ${START_DEADLINE_MS} ms`);
      }
      if (this.isRunning) continue;
      if (!(await this.#isLeftoverAlive())) throw await this.#failure("ended while starting");
      await this.#program.start(command);
    }
  }

  /** Ends the server for good and removes everything that it has on disk. */
  async stop(mode: StopMode = "immediate"): Promise<void> {
    const wasRunning = this.isRunning;
    await this.halt(mode);
    if (!wasRunning) await releaseSharedMemory(this.dataDirectory);
    await this.#program.remove();
  }

  /** The eighth line of `postmaster.pid` tells how far its writer, named in the first line, has come. */
  async #isReady(): Promise<boolean> {
    const lines = await readPidFile(this.dataDirectory);
    return lines[0] === String(this.pid) && lines[7]?.trim() === "ready";
  }

  /** After a kill, a new postmaster refuses to start as long as a process of the old one is attached to its memory. */
  async #isLeftoverAlive(): Promise<boolean> {
    return (await this.#program.readOutput()).includes("pre-existing shared memory block");
  }

  async #failure(what: string): Promise<Error> {
    const output = (await this.#program.readOutput()).trimEnd().split("\n").slice(-20).join("\n");
    return new Error(`PostgreSQL ${this.version} ${what}. The end of its log:\n${output}`);
  }
}

function dataDirectoryOf(program: Program): string {
  return join(program.home, "data");
}

async function initialize(program: Program, initdb: string): Promise<void> {
  await program.run({
    path: initdb,
    arguments: [
      `--pgdata=${dataDirectoryOf(program)}`,
      "--username=postgres",
      "--auth=trust",
      "--encoding=UTF8",
      "--locale=C",
      // The empty cluster need not survive a power cut; what is written later is for the setting `fsync` to decide.
      "--no-sync",
    ],
  });
}

async function configure(program: Program, { settings, certificate }: PostgresOptions): Promise<void> {
  if (certificate !== undefined) await writeCertificate(dataDirectoryOf(program), certificate);
  const all: Settings = {
    ssl: certificate !== undefined,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    // Segments in the data directory go away with it, those in `/dev/shm` would outlive a killed server.
    dynamic_shared_memory_type: "mmap",
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`);
  // In the file and not on the command line, where `ALTER SYSTEM` in a test could not override them.
  await appendFile(join(dataDirectoryOf(program), "postgresql.conf"), `\n${lines.join("")}`);
}

/** Under the names that PostgreSQL looks for. It refuses a key that others may read, or that is not its own. */
async function writeCertificate(dataDirectory: string, { certificate, key }: ServerCertificate): Promise<void> {
  await writeFile(join(dataDirectory, "server.crt"), certificate);
  const file = join(dataDirectory, "server.key");
  await writeFile(file, key, { mode: 0o600 });
  const identity = unprivilegedIdentity();
  if (identity !== undefined) await chown(file, identity.uid, identity.gid);
}

async function readPidFile(dataDirectory: string): Promise<readonly string[]> {
  const text = await readFile(join(dataDirectory, "postmaster.pid"), "utf8").catch(() => "");
  return text.split("\n");
}

/** A killed server leaves a few bytes of System V memory, which its next start would remove. There is none: do it ourselves. */
async function releaseSharedMemory(dataDirectory: string): Promise<void> {
  const lines = await readPidFile(dataDirectory);
  const id = lines[6]?.trim().split(/\s+/u)[1];
  if (id === undefined) return;
  // Without the tool, or with the memory gone already, there is nothing left that could be done.
  await promisify(execFile)("ipcrm", ["-m", id]).catch(() => undefined);
}

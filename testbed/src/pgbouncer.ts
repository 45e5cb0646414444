import { accessSync, constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withFreePort } from "./free-port.ts";
import { Program } from "./program.ts";
import type { Settings } from "./postgres-server.ts";

/** Where packages of systems put it, which need not be in the `PATH` of a user who is not root. */
const SYSTEM_DIRECTORIES = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];
const START_DEADLINE_MS = 10_000;
const POLL_MS = 10;

/** The path of the machine's pgbouncer, if there is one. */
export function findPgBouncer(): string | undefined {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), ...SYSTEM_DIRECTORIES];
  return directories.map((directory) => join(directory, "pgbouncer")).find(isExecutable);
}

export interface PgBouncerOptions {
  /** The connection string of the server behind it; clients reach every database of that server, as the user in this string. */
  readonly upstream: string;
  /** Lines of the section `[pgbouncer]`, which override ours. */
  readonly settings?: Settings;
}

/**
 * A pgbouncer of our own in front of a server, in transaction mode: each transaction of a client may run in another session of
 * the server, so nothing that a session remembers can be relied on. Startup parameters that it does not know are refused, which
 * is its default. Any user is let in without a password, also to its console.
 */
export class PgBouncer {
  readonly port: number;
  readonly #program: Program;

  private constructor(program: Program, port: number) {
    this.#program = program;
    this.port = port;
  }

  static async start(options: PgBouncerOptions): Promise<PgBouncer> {
    const path = findPgBouncer();
    if (path === undefined) throw new Error("There is no `pgbouncer` on this machine. " + HOW_TO_INSTALL);
    const program = await Program.create("pgbouncer");
    try {
      return await withFreePort(async (port) => {
        const configuration = join(program.home, "pgbouncer.ini");
        await writeFile(configuration, describeConfiguration(options, port), { mode: 0o644 });
        await program.start({ path, arguments: [configuration] });
        await waitUntilItListens(program, port);
        return new PgBouncer(program, port);
      });
    } catch (error) {
      await program.remove();
      throw error;
    }
  }

  get logFile(): string {
    return this.#program.logFile;
  }

  get pid(): number | undefined {
    return this.#program.pid;
  }

  url(database = "postgres"): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** The console, which answers `SHOW POOLS` and its like, by simple queries only. */
  get consoleUrl(): string {
    return this.url("pgbouncer");
  }

  /** Ends it at once, with every connection through it. */
  async stop(): Promise<void> {
    await this.#program.remove();
  }
}

/** What a developer has to do where it is missing. */
export const HOW_TO_INSTALL =
  "Install it (`apt-get install --no-install-recommends pgbouncer`, `brew install pgbouncer`); its system service is not needed.";

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: both mean that we cannot run it.
    return false;
  }
}

function describeConfiguration(options: PgBouncerOptions, port: number): string {
  const server = new URL(options.upstream);
  const connection: Settings = {
    host: server.hostname,
    port: server.port === "" ? 5432 : server.port,
    user: decodeURIComponent(server.username),
    ...(server.password === "" ? {} : { password: decodeURIComponent(server.password) }),
  };
  const words = Object.entries(connection).map(([name, value]) => `${name}='${String(value).replaceAll("'", "''")}'`);
  const sslMode = server.searchParams.get("sslmode");
  const settings: Settings = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    auth_type: "any",
    pool_mode: "transaction",
    max_client_conn: 500,
    ...(sslMode === null ? {} : { server_tls_sslmode: sslMode }),
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  return `[databases]\n* = ${words.join(" ")}\n\n[pgbouncer]\n${lines.join("")}`;
}

async function waitUntilItListens(program: Program, port: number): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!(await isListening(port))) {
    if (!program.isRunning) throw new Error(`pgbouncer ended while starting:\n${await program.readOutput()}`);
    if (performance.now() > deadline) {
      throw new Error(`pgbouncer does not listen after ${START_DEADLINE_MS} ms:\n${await program.readOutput()}`);
    }
    await sleep(POLL_MS);
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    // Not yet. The caller asks again.
    return false;
  } finally {
    socket.destroy();
  }
}

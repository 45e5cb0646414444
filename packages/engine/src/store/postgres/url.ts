import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { ConnectionOptions } from "node:tls";
import { StoreError } from "../store-error.ts";

/** Where a server is and who asks, in the words of the driver. What is absent comes from `PG…` variables and `~/.pgpass`. */
export interface ServerAddress {
  readonly host?: string;
  readonly port?: number;
  readonly user: string;
  readonly password?: string;
  readonly database?: string;
  readonly ssl: false | ConnectionOptions;
  /** Whether a server that offers no encryption is used without it. */
  readonly isSslOptional: boolean;
}

/** What a store URL says. */
export interface PostgresSettings {
  readonly address: ServerAddress;
  readonly schema: string;
  /** Whether a pooler in transaction mode is in between; null: to be found out. */
  readonly isPooled: boolean | null;
  /** Where notifications are heard: at the same address, at another (past a pooler), or nowhere. */
  readonly listen: ServerAddress | "same" | "off";
  /** The URL as it may be shown: without its password. */
  readonly display: string;
}

const defaultSchema = "braid";

/** PostgreSQL cuts longer names off. */
const mostNameBytes = 63;

const sslModes = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

const known = new Set(["sslmode", "sslrootcert", "schema", "pooler", "listen", "host"]);

/**
 * Reads a `postgres://` URL. Beside the usual parts it may say: `sslmode` and `sslrootcert` as in libpq, `schema` (default
 * `braid`), `pooler` (`transaction`, `none`, or `auto`), and `listen` (`off`, or the URL of the server behind the pooler). Throws
 * `StoreError` for what it does not know; no message holds the password.
 */
export function readPostgresUrl(text: string): PostgresSettings {
  const url = parse(text);
  const { searchParams } = url;
  const display = displayOf(url);
  for (const name of searchParams.keys()) {
    if (known.has(name)) continue;
    throw refused(
      `The store URL \`${display}\` has an unknown option \`${name}\`.`,
      `Options: ${[...known].join(", ")}.`,
    );
  }
  return {
    address: addressOf(url, display),
    schema: schemaOf(searchParams.get("schema") ?? defaultSchema, display),
    isPooled: pooledOf(searchParams.get("pooler") ?? "auto", display),
    listen: listenOf(searchParams.get("listen")),
    display,
  };
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // The text may hold a password, so the message does not repeat it.
    throw refused(
      "The store URL is not a valid URL.",
      "Write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with special characters percent-encoded.",
    );
  }
}

function displayOf(url: URL): string {
  const { searchParams } = url;
  const shown = new URLSearchParams();
  for (const name of ["host", "schema"]) {
    const value = searchParams.get(name);
    if (value !== null) shown.set(name, value);
  }
  const user = url.username === "" ? "" : `${url.username}@`;
  const options = shown.size === 0 ? "" : `?${shown.toString()}`;
  return `postgres://${user}${url.host}${url.pathname}${options}`;
}

function addressOf(url: URL, display: string): ServerAddress {
  const { searchParams } = url;
  const host = searchParams.get("host") ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, "");
  const database = decodeURIComponent(url.pathname.slice(1));
  return {
    ...(host === "" ? {} : { host }),
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    user: url.username === "" ? (process.env["PGUSER"] ?? userInfo().username) : decodeURIComponent(url.username),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
    ...(database === "" ? {} : { database }),
    ...sslOf(searchParams, host, display),
  };
}

const isLocal = (host: string): boolean =>
  host === "" || host.startsWith("/") || host === "localhost" || host === "::1" || host.startsWith("127.");

/** As in libpq, but on one's own machine nothing is encrypted unless it is asked for. */
function sslOf(params: URLSearchParams, host: string, display: string): Pick<ServerAddress, "ssl" | "isSslOptional"> {
  const mode = params.get("sslmode") ?? (isLocal(host) ? "disable" : "prefer");
  const file = params.get("sslrootcert");
  const trust: ConnectionOptions = file === null ? {} : { ca: readCertificate(file, display) };
  switch (mode) {
    case "disable":
      return { ssl: false, isSslOptional: false };
    case "prefer":
      return { ssl: { ...trust, rejectUnauthorized: false }, isSslOptional: true };
    case "require":
      return {
        ssl: { ...trust, rejectUnauthorized: file !== null, checkServerIdentity: anyName },
        isSslOptional: false,
      };
    case "verify-ca":
      return { ssl: { ...trust, rejectUnauthorized: true, checkServerIdentity: anyName }, isSslOptional: false };
    case "verify-full":
      return { ssl: { ...trust, rejectUnauthorized: true }, isSslOptional: false };
    default:
      throw refused(`The store URL \`${display}\` has the sslmode \`${mode}\`.`, `There are: ${sslModes.join(", ")}.`);
  }
}

const anyName = (): undefined => undefined;

function readCertificate(file: string, display: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { message } = error as Error;
    throw refused(
      `The \`sslrootcert\` of the store URL \`${display}\` cannot be read: ${message}.`,
      "Name a file of PEM certificates.",
    );
  }
}

function schemaOf(name: string, display: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes > 0 && bytes <= mostNameBytes && !name.includes("\0") && !name.startsWith("pg_")) return name;
  throw refused(
    `The store URL \`${display}\` names a schema that PostgreSQL does not allow.`,
    `A name has 1 to ${mostNameBytes} bytes and does not begin with \`pg_\`.`,
  );
}

function pooledOf(text: string, display: string): boolean | null {
  if (text === "auto") return null;
  if (text === "transaction" || text === "none") return text === "transaction";
  throw refused(`The store URL \`${display}\` has the pooler \`${text}\`.`, "There are: auto, none, transaction.");
}

function listenOf(text: string | null): PostgresSettings["listen"] {
  if (text === null) return "same";
  if (text === "off") return "off";
  const url = parse(text);
  return addressOf(url, displayOf(url));
}

function refused(what: string, hint: string): StoreError {
  return new StoreError("store_cannot_open", `${what} ${hint}`);
}

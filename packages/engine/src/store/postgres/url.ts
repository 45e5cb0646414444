import { userInfo } from "node:os";
import { refusedUrl } from "./refused-url.ts";
import { sslSettingsOf, sslWishesOf } from "./ssl-mode.ts";
import type { SslSettings, SslWishes } from "./ssl-mode.ts";

/** Where a server is and who asks, in the words of the driver. What is absent comes from `PG…` variables and `~/.pgpass`. */
export interface ServerAddress extends SslSettings {
  readonly host?: string;
  readonly port?: number;
  readonly user: string;
  readonly password?: string;
  readonly database?: string;
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

const known: ReadonlySet<string> = new Set(["sslmode", "sslrootcert", "schema", "pooler", "listen", "host"]);

/** What the URL to listen by may say: the rest is of the store and not of the way to it. */
const knownOfListen: ReadonlySet<string> = new Set(["sslmode", "sslrootcert", "host"]);

/**
 * Reads a `postgres://` URL. Beside the usual parts it may say: `sslmode` and `sslrootcert` as in libpq, `schema` (default
 * `braid`), `pooler` (`transaction`, `none`, or `auto`), and `listen` (`off`, or the URL of the server behind the pooler). Throws
 * `StoreError` for what it does not know; no message holds the password.
 */
export function readPostgresUrl(text: string): PostgresSettings {
  const url = parse(text);
  const { searchParams } = url;
  const display = displayOf(url);
  refuseUnknown(searchParams, known, `The store URL \`${display}\``);
  const wishes = sslWishesOf(searchParams);
  return {
    address: addressOf(url, wishes, display),
    schema: schemaOf(searchParams.get("schema") ?? defaultSchema, display),
    isPooled: pooledOf(searchParams.get("pooler") ?? "auto", display),
    listen: listenOf(searchParams.get("listen"), wishes),
    display,
  };
}

function refuseUnknown(params: URLSearchParams, names: ReadonlySet<string>, where: string): void {
  for (const name of params.keys()) {
    if (names.has(name)) continue;
    throw refusedUrl(`${where} has an unknown option \`${name}\`.`, `Options: ${[...names].join(", ")}.`);
  }
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // The text may hold a password, so the message does not repeat it.
    throw refusedUrl(
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

function addressOf(url: URL, wishes: SslWishes, display: string): ServerAddress {
  const { searchParams } = url;
  const host = searchParams.get("host") ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, "");
  const database = decodeURIComponent(url.pathname.slice(1));
  return {
    ...(host === "" ? {} : { host }),
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    user: url.username === "" ? (process.env["PGUSER"] ?? userInfo().username) : decodeURIComponent(url.username),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
    ...(database === "" ? {} : { database }),
    // The driver takes the host from the same variable.
    ...sslSettingsOf(wishes, host === "" ? (process.env["PGHOST"] ?? "") : host, display),
  };
}

function schemaOf(name: string, display: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes > 0 && bytes <= mostNameBytes && !name.includes("\0") && !name.startsWith("pg_")) return name;
  throw refusedUrl(
    `The store URL \`${display}\` names a schema that PostgreSQL does not allow.`,
    `A name has 1 to ${mostNameBytes} bytes and does not begin with \`pg_\`.`,
  );
}

function pooledOf(text: string, display: string): boolean | null {
  if (text === "auto") return null;
  if (text === "transaction" || text === "none") return text === "transaction";
  throw refusedUrl(`The store URL \`${display}\` has the pooler \`${text}\`.`, "There are: auto, none, transaction.");
}

/** A second way to the same server has to be as safe as the first: it is encrypted and checked alike unless it says otherwise. */
function listenOf(text: string | null, wishes: SslWishes): PostgresSettings["listen"] {
  if (text === null) return "same";
  if (text === "off") return "off";
  const url = parse(text);
  const display = displayOf(url);
  refuseUnknown(url.searchParams, knownOfListen, `The URL \`${display}\` to listen by`);
  return addressOf(url, sslWishesOf(url.searchParams, wishes), display);
}

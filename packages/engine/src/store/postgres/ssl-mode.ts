import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { refusedUrl } from "./refused-url.ts";

/** How a connection is encrypted, in the words of the driver. */
export interface SslSettings {
  readonly ssl: false | ConnectionOptions;
  /** Whether a server that offers no encryption is used without it. */
  readonly isSslOptional: boolean;
}

/** What was asked for; null: nothing. */
export interface SslWishes {
  readonly mode: string | null;
  /** A file of PEM certificates, or `system`. */
  readonly roots: string | null;
}

const sslModes = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;
type SslMode = (typeof sslModes)[number];

/** What libpq calls the authorities that everybody trusts; here they are those that Node trusts. */
const publicRoots = "system";

/** What parameters of a URL ask for; what they do not say is taken from `otherwise`. */
export function sslWishesOf(params: URLSearchParams, otherwise: SslWishes = wishesOfVariables()): SslWishes {
  return { mode: params.get("sslmode") ?? otherwise.mode, roots: params.get("sslrootcert") ?? otherwise.roots };
}

/** Those of libpq: who has set `PGSSLMODE=verify-full` counts on it. */
function wishesOfVariables(): SslWishes {
  return { mode: variable("PGSSLMODE"), roots: variable("PGSSLROOTCERT") };
}

function variable(name: string): string | null {
  const value = process.env[name] ?? "";
  return value === "" ? null : value;
}

/**
 * As in libpq, with three differences. Without a wish nothing is encrypted on one's own machine. `prefer` checks no certificate
 * even where there are roots, because what may go unencrypted is no safer for it. And without roots `verify-full` trusts whom
 * Node trusts, where libpq wants a file in the home directory, which a service rarely has.
 */
export function sslSettingsOf(wishes: SslWishes, host: string, display: string): SslSettings {
  const unencrypted: SslSettings = { ssl: false, isSslOptional: false };
  // PostgreSQL has no encryption on Unix sockets, and libpq asks for none there, whatever the mode.
  if (host.startsWith("/")) return unencrypted;
  const mode = modeOf(wishes, host, display);
  if (mode === "disable") return unencrypted;
  const { roots } = wishes;
  // With roots `require` checks them, as in libpq: who names them wants them to be used.
  const isChecked = mode !== "prefer" && (mode !== "require" || roots !== null);
  if (!isChecked) return { ssl: { rejectUnauthorized: false }, isSslOptional: mode === "prefer" };
  const trust = trustOf(roots, mode, display);
  const names = mode === "verify-full" ? {} : { checkServerIdentity: anyName };
  return { ssl: { ...trust, ...names, rejectUnauthorized: true }, isSslOptional: false };
}

function modeOf({ mode, roots }: SslWishes, host: string, display: string): SslMode {
  if (mode === null && roots === publicRoots) return "verify-full";
  if (mode === null) return isLocal(host) ? "disable" : "prefer";
  const found = sslModes.find((each) => each === mode);
  if (found !== undefined) return found;
  throw refusedUrl(
    `The store URL \`${display}\`, or PGSSLMODE, has the sslmode \`${mode}\`.`,
    `There are: ${sslModes.join(", ")}.`,
  );
}

const anyName = (): undefined => undefined;

/** Whom to trust; nobody named: whom Node trusts. */
function trustOf(roots: string | null, mode: SslMode, display: string): ConnectionOptions {
  if (roots !== null && roots !== publicRoots) return { ca: readRoots(roots, display) };
  if (mode === "verify-full") return {};
  throw refusedUrl(
    `The store URL \`${display}\` has the sslmode \`${mode}\` without an authority of its own, and public ones sign for every host.`,
    "Name a file with the certificate of the server's authority (`sslrootcert`), or use `sslmode=verify-full`.",
  );
}

function readRoots(file: string, display: string): string {
  try {
    const text = readFileSync(file, "utf8");
    // Throws where there is no certificate: the connection would take that for a list of nobody, and the server would get the blame.
    void new X509Certificate(text);
    return text;
  } catch (error) {
    throw refusedUrl(
      `The \`sslrootcert\` \`${file}\` of the store URL \`${display}\` cannot be read: ${(error as Error).message}.`,
      "Name a file of PEM certificates.",
    );
  }
}

function isLocal(host: string): boolean {
  return host === "" || host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

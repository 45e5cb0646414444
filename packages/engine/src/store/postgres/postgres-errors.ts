import { NotStorable } from "../storable.ts";
import { StoreError } from "../store-error.ts";
import type { StoreErrorCode } from "../store-error.ts";

/** What the driver throws: an answer of the server has a SQLSTATE as its code, a broken connection a code of the system. */
interface DriverError extends Error {
  readonly code?: string;
  readonly detail?: string;
  readonly constraint?: string;
}

interface Reading {
  readonly code: StoreErrorCode;
  /** What to do about it. */
  readonly advice: string;
}

const waiting = "It is tried again.";

/** SQLSTATEs that mean something of their own; the classes below take the rest. */
const states: Readonly<Record<string, Reading>> = {
  "25006": { code: "store_unavailable", advice: `It takes no writes: is it a standby? ${waiting}` },
  "28000": { code: "store_denied", advice: "Check user, password and pg_hba.conf." },
  "28P01": { code: "store_denied", advice: "Check user and password." },
  "3D000": { code: "store_cannot_open", advice: "Create the database first." },
  "3F000": { code: "store_outdated", advice: "Run `braid migrate`." },
  "40001": { code: "store_busy", advice: waiting },
  "40003": { code: "store_unavailable", advice: waiting },
  "40P01": { code: "store_busy", advice: waiting },
  "42501": { code: "store_denied", advice: "Grant the user the rights that docs/operations.md lists." },
  "42703": { code: "store_outdated", advice: "Run `braid migrate`." },
  "42P01": { code: "store_outdated", advice: "Run `braid migrate`." },
  "53100": { code: "store_full", advice: `Its disk is full: free some space. ${waiting}` },
  "53300": {
    code: "store_unavailable",
    advice: `It takes no more connections: raise \`max_connections\`, or use a pooler. ${waiting}`,
  },
  "55P03": { code: "store_busy", advice: waiting },
  "57014": { code: "store_busy", advice: waiting },
};

const classes: Readonly<Record<string, Reading>> = {
  "08": { code: "store_unavailable", advice: waiting },
  "22": { code: "store_not_storable", advice: "The data itself cannot be kept." },
  "23": { code: "store_not_storable", advice: "The data itself cannot be kept." },
  "53": { code: "store_unavailable", advice: waiting },
  "57": { code: "store_unavailable", advice: waiting },
  "54": { code: "store_not_storable", advice: "The data itself cannot be kept." },
  "58": { code: "store_io", advice: "See the log of the server." },
  XX: { code: "store_corrupt", advice: "See the log of the server." },
};

/** Codes of OpenSSL for a certificate that leads to no authority that we know. */
const untrusted: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Classes of data that are refused: of the wrong form, against a constraint, beyond a limit. */
const refusing: ReadonlySet<string> = new Set(["22", "23", "54"]);

/** Five characters, one of them a digit at least: the system has codes like `EPIPE`. */
const sqlState = /^(?=.*\d)[0-9A-Z]{5}$/;

/** Whether the data of a statement was refused, by the server or before it was sent, and would be again. */
export function isRefusedData(error: unknown): boolean {
  if (error instanceof NotStorable) return true;
  const state = stateOf(error);
  return state !== undefined && refusing.has(state.slice(0, 2));
}

/** Why data was refused, without the words that the store puts around an answer of the server. */
export function refusalOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

/** SQLSTATE of an error of the server, also behind the store's own. */
export function stateOf(error: unknown): string | undefined {
  const { code, cause } = error as DriverError;
  if (code !== undefined && sqlState.test(code)) return code;
  return cause instanceof Error ? stateOf(cause) : undefined;
}

/** An error of the driver in the store's words: where, what, and what to do. */
export function asStoreError(error: unknown, display: string): StoreError {
  if (error instanceof StoreError) return error;
  const { message, code } = error as DriverError;
  const { code: storeCode, advice } = read(error as DriverError);
  const state = code !== undefined && sqlState.test(code) ? ` (SQLSTATE ${code})` : "";
  return new StoreError(storeCode, `The store \`${display}\`: ${firstLine(message)}${state}. ${advice}`, {
    ...(code === undefined ? {} : { details: { code } }),
    cause: error,
  });
}

function read(error: DriverError): Reading {
  const { code } = error;
  if (code === undefined || !sqlState.test(code)) return brokenConnection(error);
  const reading = states[code] ?? classes[code.slice(0, 2)];
  return reading ?? { code: "store_io", advice: "See the log of the server." };
}

/** Without an answer of the server it is the way to it that has failed; nearly always that passes. */
function brokenConnection({ code, message }: DriverError): Reading {
  const tls = adviceOnTls(code ?? "", message);
  if (tls !== null) return { code: "store_cannot_open", advice: tls };
  if (message.startsWith("The server does not support SSL")) {
    return { code: "store_cannot_open", advice: "Use `sslmode=disable`, or let the server offer encryption." };
  }
  if (message.includes("password must be a string") || message.includes("no password")) {
    return { code: "store_denied", advice: "Put the password into the store URL, PGPASSWORD or ~/.pgpass." };
  }
  return { code: "store_unavailable", advice: `Is the server running, and can it be reached? ${waiting}` };
}

/** What to do where no encrypted connection comes about, which waiting does not cure; null: it is something else. */
function adviceOnTls(code: string, message: string): string | null {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return "Name the host as its certificate does, or use `sslmode=verify-ca`.";
  }
  if (code === "CERT_HAS_EXPIRED") return "Renew the certificate of the server.";
  if (code === "CERT_NOT_YET_VALID") return "Compare the clocks of both machines.";
  if (untrusted.has(code)) return "Name the certificate of its authority in the URL: `sslrootcert=FILE`.";
  if (/CERT|^INVALID_(?:CA|PURPOSE)$/.test(code)) return "Check the certificate of the server, and `sslrootcert`.";
  // Other errors of OpenSSL come from broken connections, and pass.
  const isDisagreement = /SSL routines:.*(?:protocol|version|handshake failure|no shared cipher)/.test(message);
  return isDisagreement ? "Let the server offer TLS 1.2 or newer." : null;
}

function firstLine(message: string): string {
  const [line = ""] = message.split("\n");
  // OpenSSL tells the place in its own sources, too: `…:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:…`.
  const [, reason = line] = /SSL routines:[^:]*:([^:]+)/.exec(line) ?? [];
  return reason.replace(/\.+$/, "") || "no answer";
}

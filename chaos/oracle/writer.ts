import { createHash, randomBytes } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { monotonicMs } from "../clock.ts";
import type { OracleLine } from "./line.ts";

type Content<Line> = Line extends OracleLine ? Omit<Line, "worker" | "at" | "mono"> : never;

/** Appends lines to the file of this process, each with one write: what was written outlives a `kill -9`. */
export class OracleWriter {
  readonly #file: number;
  readonly #worker: string;
  readonly #prefix = randomBytes(6).toString("base64url");
  #nonces = 0;

  constructor(path: string, worker: string) {
    this.#file = openSync(path, "a");
    this.#worker = worker;
  }

  write(line: Content<OracleLine>): void {
    const head = { worker: this.#worker, at: Date.now(), mono: monotonicMs() };
    writeSync(this.#file, `${JSON.stringify({ ...line, ...head })}\n`);
  }

  nonce(): string {
    this.#nonces += 1;
    return `${this.#prefix}.${this.#nonces}`;
  }
}

/** A short name for a value: equal values have equal ones. */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 16);
}

import { randomBytes } from "node:crypto";

/** Where identifiers come from; a test gives a seeded one, so that a failing seed fails again. */
export interface Random {
  bytes(count: number): Uint8Array;
  /** A number of [0, 1). */
  next(): number;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  next: () => Math.random(),
};

/** A UUID of version 7 (RFC 9562): ids made later sort later, which keeps a run's rows together in every index. */
export function newRunId(now: number, random: Random): string {
  return uuid7(now, random.bytes(10));
}

function uuid7(at: number, bytes: Uint8Array): string {
  const hex = at.toString(16).padStart(12, "0");
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, 10).toString("hex");
  const variant = ((bytes[2]! & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${tail.slice(0, 3)}-${variant}${tail.slice(6, 8)}-${tail.slice(8)}`;
}

/**
 * Short names that no other process makes: a random prefix and a counter. For tokens and commits, which need no
 * secrecy.
 */
export class NameSource {
  readonly prefix: string;
  #count = 0;

  constructor(random: Random) {
    this.prefix = Buffer.from(random.bytes(9)).toString("base64url");
  }

  next(): string {
    this.#count += 1;
    return `${this.prefix}.${this.#count.toString(36)}`;
  }
}

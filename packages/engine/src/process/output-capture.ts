import { dropBrokenEnd, dropBrokenStart } from "../payload/cut-text.ts";

/** Stands where the middle of an output was left out. */
export const leftOutMark = "\n[... output left out ...]\n";

/** What is kept of one stream. */
export interface CapturedOutput {
  /** Decoded as UTF-8; bytes that are not UTF-8 become U+FFFD. */
  readonly text: string;
  readonly isTruncated: boolean;
}

/**
 * Keeps the first and the last half of a stream within `maxBytes`, in one buffer that grows as needed and whose second
 * half becomes a ring. Memory does not depend on how small the chunks are, and every byte is copied once.
 */
export class OutputCapture {
  readonly #maxBytes: number;
  readonly #headBytes: number;
  #buffer = Buffer.alloc(0);
  #totalBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = Math.max(2, Math.floor(maxBytes));
    this.#headBytes = this.#maxBytes >> 1;
  }

  add(chunk: Uint8Array): void {
    let rest = this.#fill(chunk);
    const ringBytes = this.#maxBytes - this.#headBytes;
    if (rest.length > ringBytes) {
      this.#totalBytes += rest.length - ringBytes;
      rest = rest.subarray(rest.length - ringBytes);
    }
    while (rest.length > 0) {
      const at = this.#headBytes + ((this.#totalBytes - this.#headBytes) % ringBytes);
      const part = rest.subarray(0, this.#maxBytes - at);
      this.#buffer.set(part, at);
      this.#totalBytes += part.length;
      rest = rest.subarray(part.length);
    }
  }

  finish(): CapturedOutput {
    if (this.#totalBytes <= this.#maxBytes) {
      return { text: this.#buffer.toString("utf8", 0, this.#totalBytes), isTruncated: false };
    }
    const ringBytes = this.#maxBytes - this.#headBytes;
    const oldest = this.#headBytes + ((this.#totalBytes - this.#headBytes) % ringBytes);
    const head = this.#buffer.subarray(0, this.#headBytes);
    const tail = Buffer.concat([this.#buffer.subarray(oldest), this.#buffer.subarray(this.#headBytes, oldest)]);
    const first = dropBrokenEnd(head.toString("utf8", 0, wholeEnd(head)));
    const last = dropBrokenStart(tail.toString("utf8", wholeStart(tail)));
    return { text: first + leftOutMark + last, isTruncated: true };
  }

  /** Copies what fits before the ring begins and answers the rest. */
  #fill(chunk: Uint8Array): Uint8Array {
    const room = this.#maxBytes - this.#totalBytes;
    if (room <= 0) return chunk;
    const part = chunk.subarray(0, room);
    const needed = this.#totalBytes + part.length;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(part, this.#totalBytes);
    this.#totalBytes = needed;
    return chunk.subarray(part.length);
  }

  #grow(neededBytes: number): void {
    const size = Math.min(this.#maxBytes, Math.max(neededBytes, this.#buffer.length * 2, 1024));
    const larger = Buffer.alloc(size);
    larger.set(this.#buffer.subarray(0, this.#totalBytes));
    this.#buffer = larger;
  }
}

/** End of the last whole UTF-8 character, so that the cut does not add a U+FFFD that the program never wrote. */
function wholeEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Start of the first whole UTF-8 character. */
function wholeStart(bytes: Uint8Array): number {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}

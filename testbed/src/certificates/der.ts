/** Values of ASN.1 as DER bytes, as far as a certificate needs them: tag, length, content. */

function tagged(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

/** Lengths below 128 are one byte; others are preceded by how many bytes they take. */
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => tagged(0x30, ...items);

export const set = (...items: readonly Uint8Array[]): Buffer => tagged(0x31, ...items);

/** The bytes of a number whose highest bit is not set: it would be negative otherwise. */
export const integer = (bytes: Uint8Array): Buffer => tagged(0x02, bytes);

export const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.of(value ? 0xff : 0));

export const octets = (bytes: Uint8Array): Buffer => tagged(0x04, bytes);

/** Whole bytes: none of the bits of the last one is unused. */
export const bits = (bytes: Uint8Array): Buffer => tagged(0x03, Buffer.of(0), bytes);

export const text = (value: string): Buffer => tagged(0x0c, Buffer.from(value));

/** A field that is known by its number; `explicit` ones wrap a whole value, `implicit` ones only its content. */
export const explicit = (number: number, value: Uint8Array): Buffer => tagged(0xa0 + number, value);
export const implicit = (number: number, content: Uint8Array): Buffer => tagged(0x80 + number, content);

/** `2.5.29.17`: the first two numbers share a byte, each other one takes as many as it needs, seven bits in each. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap((number) => base128(number))]));
}

function base128(number: number): number[] {
  const bytes = [number & 0x7f];
  for (let left = number >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** With four digits for the year from 2050 on, with two before: certificates have it so. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/\D/gu, "")}Z`;
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

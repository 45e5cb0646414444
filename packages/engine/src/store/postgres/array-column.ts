import { checkText, NotStorable } from "../storable.ts";

/** Elements of arrays, and the numbers by which servers know their types. */
const elementTypes = { integer: 23, bigint: 20, text: 25, json: 114, jsonb: 3802, uuid: 2950 } as const;

type ElementType = keyof typeof elementTypes;

/** Types of arrays that rows can travel in. */
export type ArrayType = `${ElementType}[]`;

/** The array of a type. */
export function arrayOfType(type: string): ArrayType {
  if (type in elementTypes) return `${type as ElementType}[]`;
  throw new Error(`no array of type \`${type}\` travels`);
}

/** Of an array with one dimension: how many there are, whether there are nulls, type of the elements, length, first index. */
const headerBytes = 20;

/** What a column has at first, and what it keeps for its next batch: one with large values gives the rest back. */
const firstBytes = 512;
const mostKeptBytes = 256 * 1024;

/** Up to this length a text is written by hand, if it is ASCII: calling the runtime for it takes longer. */
const shortText = 48;

/**
 * A column of the rows of a batch, as an array in PostgreSQL's binary format. It is written as the rows come, and written over by
 * the next batch: nothing is made for a value. Literals of arrays took both sides more than twice the time, to quote, to measure
 * and to read.
 *
 * One class for all types, because the engine looks up the fields of each class of its own anew: three times as slow.
 */
export class ArrayColumn {
  readonly #name: string;
  readonly #type: ElementType;
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #view = viewOf(this.#bytes);
  #end = headerBytes;
  #length = 0;
  #hasNull = false;

  constructor(name: string, type: ArrayType) {
    this.#name = name;
    this.#type = type.slice(0, -2) as ElementType;
  }

  clear(): void {
    this.#length = 0;
    this.#hasNull = false;
    this.#end = headerBytes;
    if (this.#bytes.length > mostKeptBytes) this.#resize(firstBytes);
  }

  /** Throws `NotStorable` for a value that is not of the column's type. */
  add(value: unknown): void {
    this.#length += 1;
    if (value === null) {
      this.#hasNull = true;
      this.#reserve(4);
      this.#view.setInt32(this.#end, -1);
      this.#end += 4;
      return;
    }
    switch (this.#type) {
      case "integer":
        this.#addInteger(value);
        break;
      case "bigint":
        this.#addBigint(value);
        break;
      case "uuid":
        this.#addUuid(value);
        break;
      case "jsonb":
        // Behind the version of the format, which is one byte.
        this.#addText(`\u0001${value as string}`);
        break;
      default:
        this.#addText(value);
    }
  }

  #addInteger(value: unknown): void {
    // Bits are cut off where the value does not fit.
    if (((value as number) | 0) !== value) this.#refuse(value, "integer");
    this.#reserve(8);
    this.#view.setInt32(this.#end, 4);
    this.#view.setInt32(this.#end + 4, value);
    this.#end += 8;
  }

  #addBigint(value: unknown): void {
    if (!Number.isSafeInteger(value)) this.#refuse(value, "integer");
    this.#reserve(12);
    this.#view.setInt32(this.#end, 8);
    this.#view.setInt32(this.#end + 4, Math.floor((value as number) / 2 ** 32));
    this.#view.setInt32(this.#end + 8, (value as number) | 0);
    this.#end += 12;
  }

  /** The 32 digits of a text that `isRunId` knows. */
  #addUuid(value: unknown): void {
    if (typeof value !== "string") this.#refuse(value, "uuid");
    this.#reserve(20);
    this.#view.setInt32(this.#end, 16);
    this.#end += 4;
    const bytes = this.#bytes;
    for (let index = 0; index < 36; index += 2) {
      if (value.charCodeAt(index) === dash) index += 1;
      bytes[this.#end++] = (digitOf(value.charCodeAt(index)) << 4) | digitOf(value.charCodeAt(index + 1));
    }
  }

  #addText(value: unknown): void {
    if (typeof value !== "string") this.#refuse(value, this.#type);
    if (value.length <= shortText && this.#addShortText(value)) return;
    // JSON was checked when it was made.
    if (this.#type === "text") checkText(value, `column \`${this.#name}\``);
    const length = Buffer.byteLength(value);
    this.#reserve(4 + length);
    this.#view.setInt32(this.#end, length);
    this.#bytes.write(value, this.#end + 4);
    this.#end += 4 + length;
  }

  /** Adds nothing, and says so, if a character is not one byte, or NUL. */
  #addShortText(text: string): boolean {
    const { length } = text;
    this.#reserve(4 + length);
    const bytes = this.#bytes;
    const start = this.#end + 4;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code === 0 || code > 127) return false;
      bytes[start + index] = code;
    }
    this.#view.setInt32(this.#end, length);
    this.#end = start + length;
    return true;
  }

  #refuse(value: unknown, kind: string): never {
    throw new NotStorable(`column \`${this.#name}\` holds ${kind} values, not ${String(value)}`);
  }

  /** Makes room for so many bytes. */
  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, 2 * this.#bytes.length));
  }

  #resize(bytes: number): void {
    const before = this.#bytes;
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = viewOf(this.#bytes);
    before.copy(this.#bytes, 0, 0, this.#end);
  }

  /** A copy of the only element; null: it is null, or there is none. */
  onlyElement(): Buffer | null {
    if (this.#length === 0 || this.#hasNull) return null;
    return Buffer.from(this.#bytes.subarray(headerBytes + 4, this.#end));
  }

  get byteLength(): number {
    return this.#end;
  }

  /** Copies the array; answers where it ends. */
  copyTo(target: Buffer, start: number): number {
    const view = this.#view;
    // Without elements there are no dimensions either.
    const isEmpty = this.#length === 0;
    view.setInt32(0, isEmpty ? 0 : 1);
    view.setInt32(4, this.#hasNull ? 1 : 0);
    view.setInt32(8, elementTypes[this.#type]);
    view.setInt32(12, this.#length);
    view.setInt32(16, 1);
    return start + this.#bytes.copy(target, start, 0, isEmpty ? 12 : this.#end);
  }
}

const dash = 45;

/** A hexadecimal digit by its character. */
const digitOf = (code: number): number => (code <= 57 ? code - 48 : (code | 32) - 87);

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);

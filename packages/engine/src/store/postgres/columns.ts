import { ArrayColumn } from "./array-column.ts";
import type { ArrayType } from "./array-column.ts";
import type { Parameter } from "./link.ts";

/** A value that travels in an array. */
export type Value = string | number | null;

/** Name of a column of an `unnest`, and the type of its array. */
export type ColumnType = readonly [name: string, type: ArrayType];

/**
 * Rows that travel as one array for each column. One object serves all batches, one after the other: a batch is written in one go,
 * from `clear` to `parametersOf`.
 */
export class Columns {
  readonly arrays: readonly ArrayColumn[];
  #next = 0;
  length = 0;

  constructor(types: readonly ColumnType[]) {
    this.arrays = types.map(([name, type]) => new ArrayColumn(name, type));
  }

  clear(): void {
    this.#next = 0;
    this.length = 0;
    for (const array of this.arrays) array.clear();
  }

  /** Adds the next value of a row. */
  put(value: unknown): void {
    this.arrays[this.#next]!.add(value);
    this.#next += 1;
  }

  /** Ends a row. */
  end(): void {
    if (this.#next !== this.arrays.length) {
      throw new Error(`a row has ${this.#next} values for ${this.arrays.length} columns`);
    }
    this.#next = 0;
    this.length += 1;
  }

  add(row: readonly Value[]): void {
    for (const value of row) this.put(value);
    this.end();
  }
}

/**
 * The values of rows that are the only ones of their sort, or null for each where there is no row. All but the first begin with the
 * position of the run, which is left out.
 */
export function valuesOf(run: Columns, parts: readonly Columns[]): Parameter[] {
  const values: Parameter[] = run.arrays.map((array) => array.onlyElement());
  for (const { arrays } of parts) {
    for (let index = 1; index < arrays.length; index += 1) values.push(arrays[index]!.onlyElement());
  }
  return values;
}

/** The arrays, in one copy that nobody writes over. */
export function parametersOf(parts: readonly Columns[]): Parameter[] {
  let size = 0;
  for (const { arrays } of parts) for (const array of arrays) size += array.byteLength;
  const bytes = Buffer.allocUnsafe(size);
  const parameters: Parameter[] = [];
  let start = 0;
  for (const { arrays } of parts) {
    for (const array of arrays) {
      const end = array.copyTo(bytes, start);
      parameters.push(bytes.subarray(start, end));
      start = end;
    }
  }
  return parameters;
}

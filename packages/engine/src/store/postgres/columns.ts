import { literalOf } from "./link.ts";
import type { Parameter } from "./link.ts";

/** A value that travels in an array. */
export type Value = string | number | null;

/** Name of a column of an `unnest`, and the type of its array. */
export type ColumnType = readonly [name: string, type: string];

/** Rows that travel as one array for each column. The arrays are written as the rows come. */
export class Columns {
  readonly #types: readonly ColumnType[];
  readonly #literals: string[];
  length = 0;

  constructor(types: readonly ColumnType[]) {
    this.#types = types;
    this.#literals = types.map(() => "{");
  }

  add(row: readonly Value[]): void {
    if (row.length !== this.#types.length) {
      throw new Error(`a row has ${row.length} values for ${this.#types.length} columns`);
    }
    const separator = this.length === 0 ? "" : ",";
    for (let index = 0; index < row.length; index += 1) {
      this.#literals[index] += separator + literalOf(row[index]!);
    }
    this.length += 1;
  }

  /** The arrays, as literals of PostgreSQL. */
  parameters(): Parameter[] {
    return this.#literals.map((literal) => `${literal}}`);
  }
}

/** Numbers the parameters of a statement in the order in which it takes them. */
export class Parameters {
  #count = 0;

  /** Rows of parallel arrays, as an item of `from`. */
  unnest(alias: string, columns: readonly ColumnType[]): UnnestText {
    const { source, names } = this.#arrays(columns);
    return {
      text: `${source} as ${alias} (${names})`,
      withOrdinality: (name) => `${source} with ordinality as ${alias} (${names}, ${name})`,
    };
  }

  /** As `unnest`, with a column of the elements of one JSON document. */
  unnestWithDocument(alias: string, columns: readonly ColumnType[], document: string): Pick<UnnestText, "text"> {
    const { source, names } = this.#arrays(columns);
    this.#count += 1;
    const elements = `json_array_elements($${this.#count}::json)`;
    return { text: `rows from (${source}, ${elements}) as ${alias} (${names}, ${document})` };
  }

  #arrays(columns: readonly ColumnType[]): { readonly source: string; readonly names: string } {
    const arrays = columns.map(([, type]) => {
      this.#count += 1;
      return `$${this.#count}::${type}`;
    });
    return { source: `unnest(${arrays.join(", ")})`, names: columns.map(([name]) => name).join(", ") };
  }
}

export interface UnnestText {
  readonly text: string;
  readonly withOrdinality: (name: string) => string;
}

import type { ColumnType } from "./columns.ts";

/** Numbers the parameters of a statement in the order in which it takes them. */
export class Parameters {
  #count = 0;

  /** Rows of parallel arrays, as an item of `from`; `number` names a column that counts them. */
  rows(alias: string, columns: readonly ColumnType[], number?: string): string {
    const arrays = columns.map(([, type]) => {
      this.#count += 1;
      return `$${this.#count}::${type}`;
    });
    const names = columns.map(([name]) => name);
    if (number !== undefined) names.push(number);
    return `unnest(${arrays.join(", ")})${number === undefined ? "" : " with ordinality"} as ${alias} (${names.join(", ")})`;
  }

  /** One row, its values as they are: the parameter of each column. */
  row(columns: readonly ColumnType[]): (name: string) => string {
    const places = new Map(columns.map(([name]) => [name, `$${(this.#count += 1)}`]));
    return (name) => {
      const place = places.get(name);
      if (place === undefined) throw new Error(`no column \`${name}\` is sent`);
      return place;
    };
  }
}

import { padBefore, padTo, widthOf } from "../terminal/width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "right";
}

/** Rows under titles, columns as wide as what they hold. The last column is not padded. */
export function renderTextTable(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => widthOf(row[index] ?? ""))));
  return all.map((row) =>
    row
      .map((cell, index) => fit(cell, index, { columns, widths }))
      .join("  ")
      .trimEnd(),
  );
}

function fit(
  cell: string,
  index: number,
  { columns, widths }: { readonly columns: readonly Column[]; readonly widths: readonly number[] },
): string {
  const width = widths[index] ?? 0;
  if (columns[index]?.align === "right") return padBefore(cell, width);
  return index === columns.length - 1 ? cell : padTo(cell, width);
}

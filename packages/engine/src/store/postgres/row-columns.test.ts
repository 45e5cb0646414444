import { RunRow, StepRow } from "@braid/core";
import { expect, test } from "vitest";
import { decodeRun, decodeStep, encodeRun, encodeStep } from "../codec.ts";
import type { Cell } from "../codec.ts";
import { isColdRun, isColdStep, runTravel, stepTravel } from "./row-columns.ts";
import type { TravelColumn } from "./row-columns.ts";

/** Another value than the one of a new row. */
function otherCell({ kind, initial }: TravelColumn<never>): Cell {
  if (kind === "text") return "other";
  return kind === "json" ? "[1]" : initial === 1 ? 2 : 1;
}

const changed = (cells: readonly Cell[], column: TravelColumn<never>): Cell[] =>
  cells.with(column.index, otherCell(column));

test.each(runTravel.cold)("a run is not cold whose $name is not that of a new one", (column) => {
  expect(isColdRun(decodeRun(changed(encodeRun(new RunRow()), column)))).toBe(false);
});

test.each(stepTravel.cold)("a step is not cold whose $name is not that of a new one", (column) => {
  expect(isColdStep(decodeStep(changed(encodeStep(new StepRow(0, -1)), column)))).toBe(false);
});

test("rows are cold that differ from new ones in hot columns only", () => {
  const run = runTravel.hot.reduce((cells, column) => changed(cells, column), encodeRun(new RunRow()));
  expect(isColdRun(decodeRun(run))).toBe(true);
  const step = stepTravel.hot.reduce((cells, column) => changed(cells, column), encodeStep(new StepRow(0, -1)));
  expect(isColdStep(decodeStep(step))).toBe(true);
});

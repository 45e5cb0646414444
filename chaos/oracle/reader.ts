import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OracleLine } from "./line.ts";

/** Lines of all processes, each process's in its order. A line that a killed process did not finish is left out. */
export function readOracle(directory: string): readonly OracleLine[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".oracle"))
    .toSorted()
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"))
    .flatMap((text) => parseLine(text));
}

function parseLine(text: string): OracleLine[] {
  if (text === "") return [];
  try {
    return [JSON.parse(text) as OracleLine];
  } catch {
    return [];
  }
}

import type { RunSummaryRow } from "@braid/engine";
import type { Engine } from "@braid/engine";
import { UsageError } from "../cli-error.ts";
import { oneLine } from "../terminal/sanitize.ts";

const searched = 10_000;
/** Ids are UUIDs. */
const wholeLength = 36;
/** Fewer characters would match by chance; ids made in the same minute share their beginning, so the end counts too. */
const shortest = 4;

/** The whole id of a run that was named by its id, or by enough of the beginning or end of it. */
export async function findRunId(engine: Engine, name: string): Promise<string> {
  if (name.length === wholeLength) return name;
  if (name.length < shortest) {
    throw new UsageError(`\`${name}\` is too short to name a run; give at least ${shortest} characters of its id`);
  }
  const wanted = name.toLowerCase();
  const matches = (await engine.store.listRuns({ limit: searched })).filter(
    ({ id }) => id.startsWith(wanted) || id.endsWith(wanted),
  );
  const [first, second] = matches;
  if (first === undefined)
    throw new UsageError(`there is no run \`${name}\` in this store`, "See them with: braid runs list");
  if (second === undefined) return first.id;
  throw new UsageError(`\`${name}\` names ${matches.length} runs: ${describeMatches(matches)}`);
}

function describeMatches(matches: readonly RunSummaryRow[]): string {
  const shown = matches.slice(0, 3).map((row) => `\`${row.id}\` (${oneLine(row.workflow)})`);
  return [...shown, ...(matches.length > shown.length ? ["…"] : [])].join(", ");
}

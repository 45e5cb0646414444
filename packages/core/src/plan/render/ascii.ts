import { isContainer, membersOf } from "../course.ts";
import type { Plan } from "../plan.ts";
import { detailsOf, titleOf } from "./labels.ts";
import { ASCII, UNICODE, drawLanes } from "./lanes.ts";
import type { Glyphs } from "./lanes.ts";
import { drawnList, sectionsOf } from "./lists.ts";
import type { DrawnList } from "./lists.ts";

export interface AsciiOptions {
  /** Box-drawing characters; false draws with plain ASCII. Default true. */
  readonly unicode?: boolean;
}

/** Most names that a line lists. */
const MAX_NAMES = 5;

/**
 * A plan as text, for a terminal: one line per step, layer by layer, with lines from each step to those behind it. Members
 * of a block or group stand in a box below it. A list too wide to draw is written as lines that name what they wait for.
 */
export function toAscii(plan: Plan, options: AsciiOptions = {}): string {
  const glyphs = options.unicode === false ? ASCII : UNICODE;
  const lines = [...drawList(plan, plan.scopes[0]!.members, glyphs)];
  for (const { title, members } of sectionsOf(plan)) {
    lines.push("", `${title}:`, ...drawList(plan, members, glyphs).map((line) => `  ${line}`));
  }
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** Blocks nest no deeper than `compile` allows, so the recursion is bounded. */
function drawList(plan: Plan, members: readonly number[], glyphs: Glyphs): readonly string[] {
  const list = drawnList(plan, members);
  const rows = drawLanes(list, glyphs, (step) => isContainer(plan, step));
  if (rows === null) return listRows(plan, list, glyphs);
  const lines: string[] = [];
  for (const { step, connector, line, below } of rows) {
    if (connector !== null) lines.push(connector);
    lines.push(`${line} ${labelOf(plan, step)}`);
    if (isContainer(plan, step)) lines.push(...drawBox(plan, step, { glyphs, prefix: below }));
  }
  return lines;
}

function drawBox(
  plan: Plan,
  step: number,
  { glyphs, prefix }: { readonly glyphs: Glyphs; readonly prefix: string },
): readonly string[] {
  const margin = prefix === "" ? "  " : `${prefix} `;
  const inside = drawList(plan, membersOf(plan, step), glyphs).map((line) => `${margin}${glyphs.vertical} ${line}`);
  return [
    `${margin}${glyphs.boxTop}${glyphs.horizontal}`,
    ...inside,
    `${margin}${glyphs.boxBottom}${glyphs.horizontal}`,
  ];
}

function listRows(plan: Plan, { rows, sources }: DrawnList, glyphs: Glyphs): readonly string[] {
  const lines: string[] = [];
  for (const step of rows) {
    const names = (sources.get(step) ?? []).map((source) => titleOf(plan.steps[source]!));
    const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
    const after = names.length === 0 ? "" : `  after ${names.slice(0, MAX_NAMES).join(", ")}${more}`;
    lines.push(`${isContainer(plan, step) ? glyphs.block : glyphs.step} ${labelOf(plan, step)}${after}`);
    if (isContainer(plan, step)) lines.push(...drawBox(plan, step, { glyphs, prefix: "" }));
  }
  return lines;
}

function labelOf(plan: Plan, step: number): string {
  const planStep = plan.steps[step]!;
  const details = detailsOf(plan, planStep);
  return details.length === 0 ? titleOf(planStep) : `${titleOf(planStep)} (${details.join(", ")})`;
}

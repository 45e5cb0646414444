import type { DrawnList } from "./lists.ts";

/** The characters of a text drawing. */
export interface Glyphs {
  readonly step: string;
  readonly block: string;
  readonly vertical: string;
  readonly horizontal: string;
  /** By the sides that meet: up 1, down 2, left 4, right 8. */
  readonly corners: string;
  readonly boxTop: string;
  readonly boxBottom: string;
}

export const UNICODE: Glyphs = {
  step: "●",
  block: "◆",
  vertical: "│",
  horizontal: "─",
  corners: " ╵╷│╴╯╮┤╶╰╭├─┴┬┼",
  boxTop: "╭",
  boxBottom: "╰",
};

export const ASCII: Glyphs = {
  step: "*",
  block: "#",
  vertical: "|",
  horizontal: "-",
  corners: " |||-+++-+++-+++",
  boxTop: "+",
  boxBottom: "+",
};

/** A row of a drawing: the lanes before a step, those of its line, and those that go on below it. */
export interface LaneRow {
  readonly step: number;
  /** The line that leads to the step from its sources; null for a step without any. */
  readonly connector: string | null;
  readonly line: string;
  readonly below: string;
}

/** With more lines side by side nobody can follow them. */
const MAX_LANES = 40;

/**
 * Draws a list downwards. A lane is a vertical line that carries one step's way to all the steps behind it; a step joins
 * the lanes that lead to it and stands in the first of those that end there. Where a line crosses a lane it does not join,
 * the lane is drawn through. Null when the drawing would have too many lanes.
 */
export function drawLanes(
  list: DrawnList,
  glyphs: Glyphs,
  isBlock: (step: number) => boolean,
): readonly LaneRow[] | null {
  const rows: LaneRow[] = [];
  const lanes: (Lane | null)[] = [];
  for (const step of list.rows) {
    const place = join(lanes, list, step);
    if (lanes.length > MAX_LANES) return null;
    const connector = place.joined.length === 0 ? null : drawConnector(place, glyphs);
    const remaining = list.targets.get(step)?.length ?? 0;
    lanes[place.column] = null;
    const mark = isBlock(step) ? glyphs.block : glyphs.step;
    const line = drawLine(lanes, place.column, { mark, glyphs });
    lanes[place.column] = remaining > 0 ? { source: step, remaining } : null;
    while (lanes.length > 0 && lanes.at(-1) === null) lanes.pop();
    rows.push({ step, connector, line, below: drawLine(lanes, -1, { mark, glyphs }) });
  }
  return rows;
}

interface Lane {
  readonly source: number;
  remaining: number;
}

/** How a step meets the lanes. */
interface Meeting {
  /** Where the step stands. */
  readonly column: number;
  /** Columns of the lanes that lead to it. */
  readonly joined: readonly number[];
  /** Whether each column has a line above and below the connector. */
  readonly above: readonly boolean[];
  readonly below: readonly boolean[];
}

function join(lanes: (Lane | null)[], list: DrawnList, step: number): Meeting {
  const above = lanes.map((lane) => lane !== null);
  const sources = new Set(list.sources.get(step));
  const joined: number[] = [];
  const ended: number[] = [];
  for (const [column, lane] of lanes.entries()) {
    if (lane === null || !sources.has(lane.source)) continue;
    joined.push(column);
    lane.remaining -= 1;
    if (lane.remaining === 0) ended.push(column);
  }
  for (const column of ended) lanes[column] = null;
  const column = ended[0] ?? firstFree(lanes);
  const below = lanes.map((lane) => lane !== null);
  below[column] = true;
  return { column, joined, above, below };
}

function firstFree(lanes: (Lane | null)[]): number {
  const free = lanes.indexOf(null);
  if (free >= 0) return free;
  lanes.push(null);
  return lanes.length - 1;
}

function drawConnector({ column, joined, above, below }: Meeting, glyphs: Glyphs): string {
  const first = Math.min(column, ...joined);
  const last = Math.max(column, ...joined);
  let text = "";
  for (let at = 0; at < Math.max(above.length, below.length); at += 1) {
    const isCrossed = at > first && at < last && !joined.includes(at) && at !== column;
    const hasLane = above[at] === true || below[at] === true;
    if (isCrossed) text += hasLane ? glyphs.vertical : glyphs.horizontal;
    else text += glyphs.corners.charAt(sides({ at, first, last }, above[at] === true, below[at] === true));
    text += at >= first && at < last ? glyphs.horizontal : " ";
  }
  return text.trimEnd();
}

function sides(
  { at, first, last }: { readonly at: number; readonly first: number; readonly last: number },
  up: boolean,
  down: boolean,
): number {
  const left = at > first && at <= last;
  const right = at >= first && at < last;
  return (up ? 1 : 0) + (down ? 2 : 0) + (left ? 4 : 0) + (right ? 8 : 0);
}

function drawLine(
  lanes: readonly (Lane | null)[],
  column: number,
  { mark, glyphs }: { readonly mark: string; readonly glyphs: Glyphs },
): string {
  const cells = lanes.map((lane, at) => (at === column ? mark : lane === null ? " " : glyphs.vertical));
  return cells.join(" ").trimEnd();
}

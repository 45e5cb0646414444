import { membersOf, ownerOf } from "../course.ts";
import type { Plan } from "../plan.ts";

/** One list of a plan as drawings take it: its members, and who comes before whom among them. */
export interface DrawnList {
  /** By layer, then in definition order. */
  readonly rows: readonly number[];
  /** Members before each member and behind it, by step index. Edges that leave a group start at the group. */
  readonly sources: ReadonlyMap<number, readonly number[]>;
  readonly targets: ReadonlyMap<number, readonly number[]>;
}

/** The lists of a plan that are drawn under a heading of their own. */
export function sectionsOf(plan: Plan): readonly { readonly title: string; readonly members: readonly number[] }[] {
  const { onSuccess, onFailure, finally: last } = plan.phases;
  const phases = [onSuccess, onFailure, last].filter((phase) => phase !== null);
  return phases.map((phase) => ({ title: plan.steps[phase]!.name, members: membersOf(plan, phase) }));
}

export function drawnList(plan: Plan, members: readonly number[]): DrawnList {
  const isMember = new Set(members);
  const sources = new Map<number, number[]>(members.map((member) => [member, []]));
  const targets = new Map<number, number[]>(members.map((member) => [member, []]));
  for (const member of members) {
    for (const edge of plan.steps[member]!.incoming) {
      const { from } = plan.edges[edge]!;
      const source = isMember.has(from) ? from : ownerOf(plan, from);
      if (sources.get(member)!.includes(source)) continue;
      sources.get(member)!.push(source);
      targets.get(source)?.push(member);
    }
  }
  const levels = levelsOf(members, sources, targets);
  const rows = members.toSorted((a, b) => levels.get(a)! - levels.get(b)! || a - b);
  return { rows, sources, targets };
}

/** Length of the longest way to each member inside its list. */
function levelsOf(
  members: readonly number[],
  sources: ReadonlyMap<number, readonly number[]>,
  targets: ReadonlyMap<number, readonly number[]>,
): ReadonlyMap<number, number> {
  const levels = new Map<number, number>();
  const remaining = new Map(members.map((member) => [member, sources.get(member)!.length]));
  const queue = members.filter((member) => remaining.get(member) === 0);
  for (const member of queue) levels.set(member, 0);
  for (const member of queue) {
    for (const target of targets.get(member)!) {
      levels.set(target, Math.max(levels.get(target) ?? 0, levels.get(member)! + 1));
      remaining.set(target, remaining.get(target)! - 1);
      if (remaining.get(target) === 0) queue.push(target);
    }
  }
  return levels;
}

import { printable } from "../../definition/describe.ts";
import { isContainer, membersOf } from "../course.ts";
import type { Plan, PlanEdge } from "../plan.ts";
import { detailsOf, titleOf } from "./labels.ts";

/**
 * A plan as a Graphviz digraph: blocks, groups and the lists beside `steps` are clusters. Graphviz joins nodes only, so a
 * cluster has an invisible one for its edges, which are cut off at its border.
 */
export function toDot(plan: Plan): string {
  const { onSuccess, onFailure, finally: last } = plan.phases;
  const phases = [onSuccess, onFailure, last].filter((phase) => phase !== null);
  const lines = [
    `digraph ${quoted(printable(plan.workflow))} {`,
    "  compound=true;",
    "  node [shape=box, style=rounded];",
    ...drawMembers(plan, [...plan.scopes[0]!.members, ...phases], "  "),
    ...plan.edges.map((edge) => `  s${edge.from} -> s${edge.to}${attributesOf(plan, edge)};`),
    "}",
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Blocks nest no deeper than `compile` allows, so the recursion is bounded. */
function drawMembers(plan: Plan, members: readonly number[], indent: string): readonly string[] {
  const lines: string[] = [];
  for (const member of members) {
    const step = plan.steps[member]!;
    const label = `label=${quoted([titleOf(step), ...detailsOf(plan, step)].join("\n"))}`;
    if (!isContainer(plan, member)) {
      const shape = step.kind === "task" ? "" : ", shape=ellipse";
      lines.push(`${indent}s${member} [${label}${shape}];`);
      continue;
    }
    lines.push(`${indent}subgraph cluster_s${member} {`, `${indent}  ${label};`);
    lines.push(`${indent}  s${member} [shape=point, style=invis];`);
    lines.push(...drawMembers(plan, membersOf(plan, member), `${indent}  `), `${indent}}`);
  }
  return lines;
}

function attributesOf(plan: Plan, { from, to, on, port }: PlanEdge): string {
  const attributes: string[] = [];
  if (isContainer(plan, from)) attributes.push(`ltail=cluster_s${from}`);
  if (isContainer(plan, to)) attributes.push(`lhead=cluster_s${to}`);
  if (on === "failure" || on === "settled") attributes.push(`label=${on}`, "style=dashed");
  if (port !== null) attributes.push(`label=${quoted(printable(port))}`);
  return attributes.length === 0 ? "" : ` [${attributes.join(", ")}]`;
}

/** A string of the DOT language, in which a backslash would begin an escape sequence. */
function quoted(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}

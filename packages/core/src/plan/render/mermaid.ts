import { printable } from "../../definition/describe.ts";
import { isContainer, membersOf } from "../course.ts";
import type { Plan, PlanEdge, PlanStep } from "../plan.ts";
import { detailsOf, titleOf } from "./labels.ts";

/** A plan as a Mermaid flowchart: blocks, groups and the lists beside `steps` are subgraphs. */
export function toMermaid(plan: Plan): string {
  const lines = ["---", `title: ${JSON.stringify(printable(plan.workflow))}`, "---", "flowchart TD"];
  const { onSuccess, onFailure, finally: last } = plan.phases;
  const phases = [onSuccess, onFailure, last].filter((phase) => phase !== null);
  lines.push(...drawMembers(plan, [...plan.scopes[0]!.members, ...phases], "  "));
  for (const edge of plan.edges) lines.push(`  s${edge.from} ${arrowOf(edge)} s${edge.to}`);
  return lines.map((line) => `${line}\n`).join("");
}

/** Blocks nest no deeper than `compile` allows, so the recursion is bounded. */
function drawMembers(plan: Plan, members: readonly number[], indent: string): readonly string[] {
  const lines: string[] = [];
  for (const member of members) {
    const step = plan.steps[member]!;
    if (!isContainer(plan, member)) {
      lines.push(`${indent}s${member}${shapeOf(plan, step)}`);
      continue;
    }
    lines.push(`${indent}subgraph s${member}["${labelOf(plan, step)}"]`);
    lines.push(...drawMembers(plan, membersOf(plan, member), `${indent}  `), `${indent}end`);
  }
  return lines;
}

function shapeOf(plan: Plan, step: PlanStep): string {
  const label = `"${labelOf(plan, step)}"`;
  switch (step.kind) {
    case "join":
      return `(${label})`;
    case "sleep":
    case "signal":
    case "approval":
      return `([${label}])`;
    case "child":
      return `[[${label}]]`;
    case "task":
    case "block":
    case "phase":
    case "pool":
      return `[${label}]`;
    default:
      return step.kind satisfies never;
  }
}

function labelOf(plan: Plan, step: PlanStep): string {
  const details = detailsOf(plan, step).map(escape);
  return [escape(titleOf(step)), ...details].join("<br/>");
}

function arrowOf({ on, port }: PlanEdge): string {
  if (on === "failure") return `-. "failure" .->`;
  if (on === "settled") return `-. "settled" .->`;
  return port === null ? "-->" : `-- "${escape(printable(port))}" -->`;
}

/** Everything but letters, digits and harmless signs as a character code, so that no text can be syntax or HTML. */
function escape(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} _.,:()/+-]/gu, (character) => `#${character.codePointAt(0)};`);
}

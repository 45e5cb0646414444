import { chapters } from "./tables.ts";
import type { Chapter, Rule, Scenario } from "./scenario.ts";

const HEAD = `# Semantics

Every rule of the kernel, with the scenarios that the tests run. This file is made from them by \`npm run semantics\`; a test
fails when it is not up to date.

A scenario is a workflow and a play: what happens to the run, and every change that follows. Workers take every
queued task at once unless the scenario holds it back; \`stop a\` means that the running attempt of \`a\` is told to stop, and
what it then reports is an event of its own.
`;

/** The text of `docs/semantics.md`. */
export function semanticsDocument(): string {
  const rules = chapters.flatMap((chapter) => chapter.rules);
  const missing = rules.filter((rule) => rule.scenarios.length === 0).map((rule) => `\`${rule.id}\``);
  const count = rules.reduce((sum, rule) => sum + rule.scenarios.length, 0);
  const matrix = `${rules.length} rules, ${count} scenarios. Rules without a scenario: ${missing.join(", ") || "none"}.`;
  return [HEAD, matrix, table(rules), ...chapters.map(chapterText)].join("\n\n") + "\n";
}

function table(rules: readonly Rule[]): string {
  const rows = rules.map(
    (rule) => `| [\`${rule.id}\`](#${anchor(rule.id)}) | ${rule.scenarios.length} | \`${rule.place}\` |`,
  );
  return ["| rule | scenarios | place |", "| --- | --- | --- |", ...rows].join("\n");
}

const anchor = (id: string): string => id.replaceAll(".", "");

function chapterText(chapter: Chapter): string {
  return [`## ${chapter.title}`, chapter.intro, ...chapter.rules.map(ruleText)].join("\n\n");
}

function ruleText(rule: Rule): string {
  return [`### ${rule.id}`, rule.text, ...rule.scenarios.map(scenarioText)].join("\n\n");
}

function scenarioText(scenario: Scenario): string {
  const notes: string[] = [];
  if (scenario.held !== undefined)
    notes.push(`No worker takes ${scenario.held.map((step) => `\`${step}\``).join(", ")}.`);
  for (const [step, answer] of Object.entries(scenario.answers ?? {})) {
    if (answer.when === false) notes.push(`The condition of \`${step}\` is false.`);
    if (answer.error !== undefined) notes.push(`\`${step}\` cannot be evaluated: \`${answer.error.code}\`.`);
  }
  const parts = [`**${scenario.title}**`, `\`\`\`yaml\n${scenario.workflow.trim()}\n\`\`\``];
  if (notes.length > 0) parts.push(notes.join(" "));
  return [...parts, playTable(scenario)].join("\n\n");
}

function playTable(scenario: Scenario): string {
  const rows = scenario.play.map(([event, ...changes]) => `| ${event} | ${changes.join("<br>") || "nothing"} |`);
  return ["| what happens | what follows |", "| --- | --- |", ...rows].join("\n");
}

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Figures } from "./figures.ts";

/** `node chaos/dist/document.js figures.json`: puts the figures that `--json` wrote into their place in docs/reliability.md. */
const page = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));
const [begin, end] = ["<!-- figures: begin -->", "<!-- figures: end -->"];

function table(
  head: readonly [name: string, figure: string],
  rows: readonly (readonly [string, string | number])[],
): string {
  const lines = [head, head.map(() => "---"), ...rows].map(([name, figure]) => `| ${name} | ${figure} |`);
  return lines.join("\n");
}

function section({ seed, minutes, workers, commit, machine, rows, violations, sometimes }: Figures): string {
  const hits = Object.entries(sometimes).filter(([name]) => !/^F\d+ /.test(name) || name.startsWith("F11"));
  return [
    `\`npm run chaos -- --minutes ${minutes} --workers ${workers} --seed ${seed}\`, commit ${commit}, ${machine}, which other work shared.`,
    table(
      ["violations of", "number"],
      Object.entries(violations).map(([id, count]) => [id, count]),
    ),
    table(["figure", "value"], rows),
    table(["met on the way", "times"], hits),
  ].join("\n\n");
}

const [file = ""] = process.argv.slice(2);
const figures = JSON.parse(readFileSync(file, "utf8")) as Figures;
const text = readFileSync(page, "utf8");
const [before, rest] = [text.slice(0, text.indexOf(begin)), text.slice(text.indexOf(end))];
writeFileSync(page, `${before}${begin}\n\n${section(figures)}\n\n${rest}`);

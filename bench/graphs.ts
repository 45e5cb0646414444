import { compile, normalize } from "@braid/core";
import type { Plan } from "@braid/core";
import { randomNumbers } from "./random.ts";

/** Dependencies of each step, by index; the workflow of a benchmark before it has a form. */
export type Graph = readonly (readonly number[])[];

/** A random graph: each step depends on up to `degree` of the 200 steps before it; one in twenty is a root. */
export function randomGraph(size: number, degree: number, seed = 1): Graph {
  const random = randomNumbers(seed);
  return Array.from({ length: size }, (_, index) => {
    if (index === 0 || random() < 0.05) return [];
    const sources = new Set<number>();
    for (let edge = 0; edge < degree; edge += 1) sources.add(Math.max(0, index - 1 - Math.floor(random() * 200)));
    return [...sources];
  });
}

/** A workflow of that graph as a file would write it. */
export function writtenWorkflow(name: string, graph: Graph): Record<string, unknown> {
  const steps = graph.map((sources, index) => ({
    id: `s${index}`,
    run: "true",
    dependsOn: sources.map((source) => `s${source}`),
  }));
  return { name, steps };
}

/** Compiles a written workflow; a benchmark's own mistakes are thrown. */
export function planOf(written: unknown): Plan {
  const { definition, diagnostics } = normalize(written);
  if (definition === null) throw new Error(JSON.stringify(diagnostics.slice(0, 3)));
  const { plan, diagnostics: problems } = compile(definition, { types: null });
  if (plan === null) throw new Error(JSON.stringify(problems.slice(0, 3)));
  return plan;
}

import type { Engine, WorkflowSource } from "@braid/engine";
import type { SeededRandom } from "@braid/engine/testing";
import { codedSpec, codedWorkflow } from "./coded.ts";
import { definitionOf } from "./definition.ts";
import { childSpecs, fixedSpecs } from "./fixed.ts";
import { randomSpec } from "./random.ts";
import type { WorkflowSpec } from "./spec.ts";

const randomCount = 30;

export interface WorkflowSet {
  /** Those that clients start. */
  readonly specs: readonly WorkflowSpec[];
  /** These and those that only others start, by name. */
  readonly all: ReadonlyMap<string, WorkflowSpec>;
  /** Runs at a time, by the name of the workflow. */
  readonly groupMax: ReadonlyMap<string, number>;
}

/** What a client starts: the schema of a workflow in code is not kept with it, so it is not started by its name. */
export const sourceOf = ({ name }: WorkflowSpec): WorkflowSource => (name === codedSpec.name ? codedWorkflow : name);

/** Makes the workflows of a seed, and stores them. */
export async function makeWorkflows(random: SeededRandom, clients: readonly Engine[]): Promise<WorkflowSet> {
  const invented = Array.from({ length: randomCount }, (_, index) => randomSpec(random.fork(), `random-${index}`));
  const written = [...childSpecs, ...fixedSpecs, ...invented];
  for (const client of clients) {
    await client.register(codedWorkflow);
    for (const spec of written) await client.register(definitionOf(spec));
  }
  const specs = [codedSpec, ...fixedSpecs, ...invented];
  return {
    specs,
    all: new Map([...specs, ...childSpecs].map((spec) => [spec.name, spec])),
    groupMax: new Map(specs.flatMap(({ name, groupMax }) => (groupMax === undefined ? [] : [[name, groupMax]]))),
  };
}

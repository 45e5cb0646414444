import { type CommandStepOptions, commandStep } from "./command.ts";
import { type HttpStepOptions, httpStep } from "./http.ts";
import type { StepType } from "./step-type.ts";

/** The step types of one engine, by name. */
export interface StepTypeRegistry {
  get(name: string): StepType | undefined;
  has(name: string): boolean;
  /** In the order in which they were given. */
  names(): readonly string[];
}

/** The step types that every engine has. */
export function builtinTypes(options: CommandStepOptions & HttpStepOptions = {}): readonly StepType[] {
  return [commandStep(options), httpStep(options)];
}

/** Indexes step types. Throws when two have one name: which of them a step means could not be said. */
export function createRegistry(types: Iterable<StepType>): StepTypeRegistry {
  const byName = new Map<string, StepType>();
  for (const type of types) {
    if (byName.has(type.name)) throw new TypeError(`There are two step types with the name \`${type.name}\`.`);
    byName.set(type.name, type);
  }
  return { get: (name) => byName.get(name), has: (name) => byName.has(name), names: () => [...byName.keys()] };
}

import type { Plan } from "@braid/core";
import type { Io } from "../io.ts";

/**
 * What the programs of a run inherit: the environment of the command itself, as a shell would give it, without the
 * variables that hold declared secrets. Those reach only the steps that name them.
 */
export function inheritedEnvironment(env: Io["env"], plans: readonly Plan[]): Readonly<Record<string, string>> {
  const sources = plans.flatMap((plan) => Object.values(plan.host.secrets));
  const secrets = new Set(sources.flatMap((source) => ("env" in source ? [source.env] : [])));
  const kept = Object.entries(env).flatMap(([name, value]) => {
    return value === undefined || secrets.has(name) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}

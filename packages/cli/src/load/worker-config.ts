import { resolve } from "node:path";
import { nearestName } from "@braid/core";
import type { Definition } from "@braid/core";
import type { EngineLimits, EngineOptions, StepType, WorkflowInCode } from "@braid/engine";
import { UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { isModuleFile } from "./run-code.ts";
import { isWorkflow, loadExports } from "./workflow-module.ts";

/** What a worker has beside the built-in step types. */
export interface WorkerConfig {
  readonly types: readonly StepType[];
  /** Their functions are what it has; they are stored too, so that their runs can be started by name. */
  readonly workflows: readonly (WorkflowInCode | Definition)[];
  readonly services: NonNullable<EngineOptions["services"]>;
  readonly limits: EngineLimits;
}

export const noConfig: WorkerConfig = { types: [], workflows: [], services: {}, limits: {} };

const keys = Object.keys(noConfig);
const example = "export default { types: [], workflows: [], services: {}, limits: {} };";

/** Reads a module that says what a worker has: `export default { types, workflows, services, limits }`. */
export async function loadWorkerConfig(io: Pick<Io, "cwd">, file: string): Promise<WorkerConfig> {
  if (!isModuleFile(file)) {
    throw new UsageError(`--config \`${file}\` is no module`, "It must be a .ts, .mts, .js or .mjs file.");
  }
  const { default: config } = await loadExports(resolve(io.cwd, file), file);
  if (isWorkflow(config) || isDefinition(config)) {
    throw new UsageError(
      `--config \`${file}\` exports a workflow, not what a worker has`,
      "Write: export default { workflows: [yourWorkflow] };",
    );
  }
  if (!isObject(config)) throw new UsageError(`--config \`${file}\` has no default export`, `Write: ${example}`);
  return { ...noConfig, ...checked(config, file) };
}

function checked(config: Readonly<Record<string, unknown>>, file: string): Partial<WorkerConfig> {
  for (const key of Object.keys(config)) {
    if (keys.includes(key)) continue;
    const nearest = nearestName(key, keys);
    const hint = nearest === undefined ? `There are: ${keys.join(", ")}.` : `Did you mean \`${nearest}\`?`;
    throw new UsageError(`--config \`${file}\` has an unknown key \`${key}\``, hint);
  }
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  const { types = [], workflows = [], services = {}, limits = {} } = given;
  expect(isArrayOf(types, isType), "types", "a list of step types, made by `defineStepType`");
  expect(
    isArrayOf(workflows, (each) => isWorkflow(each) || isDefinition(each)),
    "workflows",
    "a list of workflows, made by `workflow(…)` or `loadYaml`",
  );
  expect(isObject(services), "services", "an object");
  expect(isObject(limits), "limits", "an object");
  return given;

  function expect(isRight: boolean, key: string, what: string): void {
    if (!isRight) throw new UsageError(`--config \`${file}\`: \`${key}\` must be ${what}`);
  }
}

function isArrayOf(value: unknown, isRight: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isRight);
}

function isDefinition(value: unknown): boolean {
  return isObject(value) && typeof value["name"] === "string" && Array.isArray(value["steps"]);
}

function isType(value: unknown): boolean {
  return isObject(value) && typeof value["name"] === "string" && typeof value["run"] === "function";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

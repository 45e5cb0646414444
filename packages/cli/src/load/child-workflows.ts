import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { Plan } from "@braid/core";
import type { CommandContext } from "../command-context.ts";
import { loadPlan } from "./load-plan.ts";
import type { ValidWorkflow } from "./load-plan.ts";

const kinds = [".yaml", ".yml", ".json", ".ts", ".mts", ".js", ".mjs"];
/** A name becomes part of a path here, so it may hold nothing that means something in one. */
const safeName = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The workflows that steps of this one run as children, as far as they are files of their name beside it
 * (`workflow: deploy` finds `deploy.yaml`), and theirs in turn. What is not there is left to the store. Null when one of
 * them is not valid, which has been reported.
 */
export async function loadChildren(
  context: CommandContext,
  parent: ValidWorkflow,
  options: { readonly json?: boolean },
): Promise<readonly ValidWorkflow[] | null> {
  const found = new Map<string, ValidWorkflow>();
  const open = [...childNames(parent.plan)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const file = name === parent.plan.workflow || found.has(name) ? undefined : findFile(parent.directory, name);
    if (file === undefined) continue;
    const child = await loadPlan(context, relative(context.io.cwd, file), options);
    if (child === null) return null;
    // A file that only happens to have this name holds another workflow.
    if (child.plan.workflow !== name) continue;
    found.set(name, child);
    open.push(...childNames(child.plan));
  }
  return [...found.values()];
}

/** Names that are written out; one that is an expression is known only when its step runs. */
function childNames({ steps }: Plan): readonly string[] {
  return steps.flatMap(({ kind, host }) => {
    const name = kind === "child" ? host.control.workflow : undefined;
    return name !== undefined && safeName.test(name) ? [name] : [];
  });
}

function findFile(directory: string, name: string): string | undefined {
  return kinds.map((kind) => join(directory, `${name}${kind}`)).find((path) => existsSync(path));
}

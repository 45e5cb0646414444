import type { JsonObject } from "@braid/core";
import { workflow } from "@braid/engine";
import { perform } from "../worker/step-types.ts";
import type { OracleWriter } from "../oracle/writer.ts";
import { after, task } from "./spec.ts";
import type { WorkflowSpec } from "./spec.ts";

type Context = Parameters<typeof perform>[0] & { readonly services: Readonly<Record<string, unknown>> };

const body =
  (ms: number, looksAt: readonly string[]) =>
  (context: Context): ReturnType<typeof perform> =>
    perform(context, { ms, failures: 0, looksAt, looksAtContext: false }, context.services["oracle"] as OracleWriter);

/** Takes the input of every other workflow. */
const anyInput = {
  "~standard": { version: 1, vendor: "chaos", validate: (value: unknown) => ({ value: value as JsonObject }) },
} as const;

/** A workflow in code: its handlers are functions that only the workers have. */
export const codedWorkflow = workflow("coded", { input: anyInput })
  .step("load", { dependsOn: [] }, body(60, []))
  .map("each", { dependsOn: ["load"], forEach: { items: () => [1, 2, 3, 4], maxConcurrent: 2 } }, body(80, []))
  .step("left", { dependsOn: ["load"] }, body(120, ["load"]))
  .step("end", { dependsOn: ["each", "left"] }, body(40, ["each", "left"]));

/** The same, as the checks know it. */
export const codedSpec: WorkflowSpec = {
  name: "coded",
  mode: "fail_all",
  steps: [
    { id: "load", needs: [], action: task(60) },
    {
      id: "each",
      needs: after("load"),
      action: task(80, { items: [1, 2, 3, 4].map(() => ({ ms: 80, fails: false })), mapConcurrent: 2 }),
    },
    { id: "left", needs: after("load"), action: task(120) },
    { id: "end", needs: after("each", "left"), action: task(40) },
  ],
};

import { setTimeout as delay } from "node:timers/promises";
import { defineStepType, loadYaml, workflow } from "@braid/engine";

const weather = defineStepType<{ readonly city: string }, { readonly degrees: number }>({
  name: "weather",
  run: ({ input, services }) => {
    const degrees = services["degrees"] as ReadonlyMap<string, number>;
    return { degrees: degrees.get(input.city) ?? 0 };
  },
});

const forecast = loadYaml(`
name: forecast
inputs: { city: Oslo }
steps:
  - { id: now, type: weather, with: { city: "\${{ inputs.city }}" } }
output: "\${{ steps.now.output.degrees }}"
`);

const report = workflow("report")
  .step("collect", () => ({ rows: 3 }))
  .step("send", { dependsOn: ["collect"] }, async ({ deps, signal }) => {
    await delay(100, undefined, { signal });
    return { sent: deps.collect.rows };
  })
  .output(({ deps }) => deps.send);

/** What a worker has: `braid worker --config worker-config.ts`. */
export default {
  types: [weather],
  workflows: [report, forecast],
  services: { degrees: new Map([["Oslo", -3]]) },
  limits: { types: { weather: { max: 2 } } },
};

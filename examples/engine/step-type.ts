import { createEngine, defineStepType, StepFailure } from "@braid/engine";
import type { RunResult } from "@braid/engine";
import { parseYaml } from "@braid/core";

const lookup = defineStepType<{ readonly city: string }, { readonly degrees: number }>({
  name: "weather",
  retry: { maxAttempts: 3 },
  run: async ({ input, services, signal }) => {
    signal.throwIfAborted();
    const degrees = (services["degrees"] as ReadonlyMap<string, number>).get(input.city);
    if (degrees === undefined) {
      throw new StepFailure("unknown_city", `Nobody measures in ${input.city}.`, { retryable: false });
    }
    return { degrees };
  },
});

const text = `
name: forecast
inputs: { city: Oslo }
steps:
  - { id: now, type: weather, with: { city: "\${{ inputs.city }}" } }
output: \${{ steps.now.output.degrees }}
`;

export async function forecast(city: string): Promise<RunResult> {
  const { definition } = parseYaml(text);
  if (definition === null) throw new Error("the text is not a workflow");
  const engine = await createEngine({ types: [lookup], services: { degrees: new Map([["Oslo", -3]]) } });
  try {
    return await engine.run(definition, { input: { city } });
  } finally {
    await engine.close();
  }
}

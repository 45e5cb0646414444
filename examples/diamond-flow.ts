import { setTimeout as delay } from "node:timers/promises";
import { workflow } from "@braid/engine";

/** A sequential list that became a graph: `step2` and `step3` only ever needed `step1`, so they run at the same time. */
export default workflow("diamond-flow")
  .step("step1", { dependsOn: [] }, ({ input }) => ({ ...input, step1_done: true }))
  .step("step2", { dependsOn: ["step1"] }, async ({ deps, signal }) => {
    await delay(300, undefined, { signal });
    return { ...deps.step1, step2_done: true };
  })
  .step("step3", { dependsOn: ["step1"] }, async ({ deps, signal }) => {
    await delay(300, undefined, { signal });
    return { ...deps.step1, step3_done: true };
  })
  .step("step4", { dependsOn: ["step2", "step3"] }, ({ deps }) => ({ ...deps.step2, ...deps.step3, step4_done: true }))
  .output(({ deps }) => deps.step4);

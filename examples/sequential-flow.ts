import { workflow } from "@braid/engine";

/** Three functions, one after the other: each gets what the one before it gave. */
export default workflow("sequential-flow")
  .step("step1", ({ input }) => ({ ...input, step1Done: true }))
  .step("step2", ({ prev }) => ({ ...prev, step2Done: true }))
  .step("step3", ({ prev }) => ({ ...prev, step3Done: true }))
  .output(({ deps }) => deps.step3);

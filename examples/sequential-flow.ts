import { workflow } from "@braid/engine";

/** Three functions, one after the other: each gets what the one before it gave. */
export default workflow("sequential-flow")
  .step("step1", ({ input }) => ({ ...input, step1_done: true }))
  .step("step2", ({ prev }) => ({ ...prev, step2_done: true }))
  .step("step3", ({ prev }) => ({ ...prev, step3_done: true }))
  .output(({ deps }) => deps.step3);

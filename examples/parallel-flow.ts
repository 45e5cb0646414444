import { setTimeout as delay } from "node:timers/promises";
import { workflow } from "@braid/engine";

/** Two analyses of one text run at the same time; four units of time instead of five. A unit is `UNIT_MS`, 300 ms. */
const unit = Number(process.env["UNIT_MS"] ?? 300);

export default workflow("parallel-flow")
  // Root step: no dependencies
  .step("fetch_data", { dependsOn: [] }, async ({ input, signal }) => {
    await delay(unit, undefined, { signal });
    return { ...input, data: "fetched content" };
  })
  // Parallel branch 1
  .step("analyze_sentiment", { dependsOn: ["fetch_data"] }, async ({ deps, signal }) => {
    await delay(unit, undefined, { signal });
    return { ...deps.fetch_data, sentiment: "positive" };
  })
  // Parallel branch 2
  .step("analyze_topics", { dependsOn: ["fetch_data"] }, async ({ deps, signal }) => {
    await delay(unit, undefined, { signal });
    return { ...deps.fetch_data, topics: ["elixir", "databases"] };
  })
  // Convergence: needs both branches
  .step("merge_analysis", { dependsOn: ["analyze_sentiment", "analyze_topics"] }, async ({ deps, signal }) => {
    await delay(unit, undefined, { signal });
    return { ...deps.analyze_sentiment, ...deps.analyze_topics, analysis_complete: true };
  })
  .step("save_results", { dependsOn: ["merge_analysis"] }, async ({ deps, signal }) => {
    await delay(unit, undefined, { signal });
    return deps.merge_analysis;
  })
  .output(({ deps }) => deps.save_results);

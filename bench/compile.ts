import { compile, normalize } from "@braid/core";
import { randomGraph, writtenWorkflow } from "./graphs.ts";
import { best, machineSpeed } from "./measure.ts";
import type { Measure } from "./measure.ts";

const CASES = [
  { size: 1_000, degree: 5 },
  { size: 10_000, degree: 5 },
];

/** Time from a parsed file to a plan. The larger graph has about 50,000 edges. */
export function measureCompile(): readonly Measure[] {
  const unit = machineSpeed();
  return CASES.map(({ size, degree }) => {
    const written = writtenWorkflow(`compile-${size}`, randomGraph(size, degree));
    let edges = 0;
    const ms = best(4, () => {
      const { definition } = normalize(written);
      const { plan } = compile(definition!, { types: null });
      edges = plan!.edges.length;
    });
    const counts = `${size.toLocaleString("en")} steps, ${edges.toLocaleString("en")} edges`;
    return { name: `compile, ${counts}`, figure: `${ms.toFixed(0)} ms`, ratio: edges / (ms / 1000) / unit };
  });
}

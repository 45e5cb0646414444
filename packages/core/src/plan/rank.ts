import type { DraftStep } from "./draft.ts";
import { longestPaths } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Steps on the longest path from each step to the end of its list of lists: a member's path goes on behind its block, and
 * a block counts as the longest path through its members. Steps without members count 1, hidden ones and blocks 0.
 */
export function rankSteps(steps: readonly DraftStep[], timeline: Timeline): Float64Array {
  return longestPaths(timeline, (index) => {
    const step = steps[index]!;
    return step.definition === null || step.body !== null ? 0 : 1;
  });
}

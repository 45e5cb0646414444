import { commitClaims } from "./contract/commits.ts";
import type { StoreClaim } from "./contract/fixtures.ts";
import { dueClaims, payloadClaims, pruneClaims, recordClaims } from "./contract/records.ts";
import { taskClaims } from "./contract/tasks.ts";

export type { StoreBench, StoreClaim } from "./contract/fixtures.ts";

/**
 * What every store promises, one claim after the other. A test runs each on an empty store; an implementation may skip one
 * only by its exact words and with a reason.
 */
export const storeContract: readonly StoreClaim[] = [
  ...commitClaims,
  ...taskClaims,
  ...payloadClaims,
  ...recordClaims,
  ...dueClaims,
  ...pruneClaims,
];

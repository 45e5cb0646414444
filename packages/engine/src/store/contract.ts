import { cancelClaims } from "./contract/cancels.ts";
import { claimClaims } from "./contract/claims.ts";
import { commitClaims } from "./contract/commits.ts";
import { dueClaims } from "./contract/due.ts";
import type { StoreClaim } from "./contract/fixtures.ts";
import { leaseClaims } from "./contract/leases.ts";
import { payloadClaims } from "./contract/payloads.ts";
import { pruneClaims } from "./contract/prune.ts";
import { recordClaims } from "./contract/records.ts";
import { rowClaims } from "./contract/rows.ts";

/**
 * What every store promises, one claim after the other. A test runs each on an empty store; an implementation may skip one
 * only by its exact words and with a reason.
 */
export const storeContract: readonly StoreClaim[] = [
  ...rowClaims,
  ...commitClaims,
  ...claimClaims,
  ...leaseClaims,
  ...cancelClaims,
  ...payloadClaims,
  ...recordClaims,
  ...dueClaims,
  ...pruneClaims,
];

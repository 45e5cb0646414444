import { cancelClaims } from "./contract/cancels.ts";
import { chainClaims } from "./contract/chains.ts";
import { claimClaims } from "./contract/claims.ts";
import { commitClaims } from "./contract/commits.ts";
import { creationClaims } from "./contract/creation.ts";
import { dueClaims } from "./contract/due.ts";
import type { StoreClaim } from "./contract/fixtures.ts";
import { groupClaims } from "./contract/groups.ts";
import { leaseClaims } from "./contract/leases.ts";
import { limitClaims } from "./contract/limits.ts";
import { parkedClaims } from "./contract/parked.ts";
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
  ...creationClaims,
  ...commitClaims,
  ...chainClaims,
  ...claimClaims,
  ...limitClaims,
  ...parkedClaims,
  ...leaseClaims,
  ...cancelClaims,
  ...payloadClaims,
  ...recordClaims,
  ...dueClaims,
  ...groupClaims,
  ...pruneClaims,
];

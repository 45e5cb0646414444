import type { HostFeature } from "@braid/core";

/** Parts of definitions that not every host acts on, and this one does. */
export const hostFeatures: readonly HostFeature[] = ["keys", "resources"];

import type { HostFeature } from "@braid/core";

/** Parts of definitions that our engine acts on: its own list, which a test compares, because looking at a file must not load it. */
export const features: readonly HostFeature[] = ["keys", "resources"];

import { hostFeatures } from "@braid/engine";
import { expect, test } from "vitest";
import { features } from "./host-features.ts";

test("files are checked for what the engine acts on", () => {
  expect(features).toEqual(hostFeatures);
});

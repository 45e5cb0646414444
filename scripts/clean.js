// Removes everything that builds and tests leave behind. `tsc --build --clean` would keep outputs of sources that were deleted since.
import { readdirSync, rmSync } from "node:fs";

const packages = readdirSync("packages").map((name) => `packages/${name}/dist`);

for (const path of [...packages, "bench/dist", "chaos/dist", "testbed/dist", "coverage", "node_modules/.cache"]) {
  rmSync(path, { recursive: true, force: true });
}

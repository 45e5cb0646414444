import { setTimeout as sleep } from "node:timers/promises";

/** Looks again and again until something is so; fails after 30 seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (performance.now() < end) {
    if (await isSo()) return;
    await sleep(20);
  }
  throw new Error("it did not come about");
}

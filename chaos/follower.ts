import type { Engine } from "@braid/engine";
import type { SeededRandom } from "@braid/engine/testing";
import { sleep } from "./clock.ts";
import type { Violation } from "./checks/violation.ts";

/** Follows the events of a run as a client does whose connection breaks: it goes on after the last number it has seen. */
export async function follow(engine: Engine, run: string, random: SeededRandom): Promise<readonly Violation[]> {
  const found: Violation[] = [];
  let seen = 0;
  let isOver = false;
  while (!isOver) {
    let left = random.integer(1, 12);
    for await (const event of engine.events(run, { after: seen })) {
      const { seq, type } = event as { readonly seq: number; readonly type: string };
      if (seq !== seen + 1) found.push({ invariant: "I15", run, text: `the stream gave number ${seq} after ${seen}` });
      seen = seq;
      isOver = type === "run.completed" || type === "run.failed" || type === "run.canceled";
      left -= 1;
      if (left <= 0 && !isOver) break;
    }
    // A stream that ends by itself has given the end of the run.
    if (!isOver && left > 0) {
      found.push({ invariant: "I15", run, text: `the stream ended with number ${seen} before the run did` });
      return found;
    }
    if (!isOver) await sleep(random.integer(0, 200));
  }
  return found;
}

import type { Store } from "@braid/engine";
import type { TroubleReport } from "../view/trouble-report.ts";

const everyMs = 1_000;
/** Calls that fail are repeated within this time: silence for as long means that none does. */
const calmMs = 3_000;

export interface CureWatch {
  readonly store: Store;
  /** The worker of this process: writing its record anew shows that the store takes writes. */
  readonly workerId: string;
  readonly report: TroubleReport;
  readonly now: () => number;
}

/**
 * Finds out when trouble with the store is over. The engine tells of calls that failed and not of those that did not, so while
 * there is trouble the store is asked: it has to take a write, and nothing else may have failed for a while. Returns a
 * function that ends the watch.
 */
export function watchForCure({ store, workerId, report, now }: CureWatch): () => void {
  let isAsking = false;
  const look = async (): Promise<void> => {
    if (isAsking || !report.hasStoreTrouble || now() - report.latestStoreTrouble < calmMs) return;
    isAsking = true;
    try {
      const own = (await store.listWorkers()).find(({ id }) => id === workerId);
      if (own !== undefined && !isEnded) await store.putWorker(own);
      if (!isEnded) report.storeAnswers();
    } catch (error) {
      report.tell("write to the store", error);
    } finally {
      isAsking = false;
    }
  };
  let isEnded = false;
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return () => {
    isEnded = true;
    clearInterval(timer);
  };
}

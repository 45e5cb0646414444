import type { Engine, EngineOptions, EngineParts } from "@braid/engine";
import type { WorkerConfig } from "../../load/worker-config.ts";
import { isPassing } from "../../store/store-trouble.ts";
import type { TroubleReport } from "../../view/trouble-report.ts";
import type { Ending } from "./ending.ts";

const firstPauseMs = 500;
const longestPauseMs = 10_000;

export interface Opening {
  readonly options: EngineOptions & EngineParts;
  readonly workflows: WorkerConfig["workflows"];
  readonly report: TroubleReport;
  readonly ending: Ending;
}

/**
 * Opens the engine of a worker. A store that cannot be reached is tried again, with growing pauses, for as long as it takes: a
 * worker that ended would only be started anew. What waiting does not cure is thrown. Null: the worker was asked to end.
 */
export async function openPatiently(opening: Opening): Promise<Engine | null> {
  const { report, ending } = opening;
  let pauseMs = firstPauseMs;
  while (!ending.isReached) {
    try {
      const engine = await open(opening);
      report.storeAnswers();
      return engine;
    } catch (error) {
      if (!isPassing(error)) throw error;
      report.tell("open the store", error);
    }
    // Half of the pause is chance, so that many workers do not come back at once.
    await ending.wait(pauseMs * (0.5 + Math.random() / 2));
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
  return null;
}

async function open({ options, workflows }: Opening): Promise<Engine> {
  const { createEngine } = await import("@braid/engine");
  const engine = await createEngine(options);
  try {
    for (const workflow of workflows) await engine.register(workflow);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

import type { Engine, WorkerHandle } from "@braid/engine";
import type { CommandContext } from "../../command-context.ts";
import { UsageError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { loadWorkerConfig, noConfig } from "../../load/worker-config.ts";
import { chooseStore } from "../../store/store-url.ts";
import { codeOf } from "../../store/store-trouble.ts";
import { watchForCure } from "../../store/watch-for-cure.ts";
import { formatDuration } from "../../terminal/format.ts";
import { oneLine } from "../../terminal/sanitize.ts";
import { TroubleReport } from "../../view/trouble-report.ts";
import { Ending } from "./ending.ts";
import { openPatiently } from "./open-patiently.ts";
import { describeWorker, readSettings } from "./settings.ts";
import type { WorkerCommandOptions, WorkerSettings } from "./settings.ts";

/** After the drain, code that was told to stop has ten seconds of its own, and the last reports are written. */
const lastWordsMs = 15_000;

/** What ends a worker: its engine has failed, or others have changed the store so that it must not go on. */
const fatal: ReadonlySet<string | undefined> = new Set(["engine_fault", "store_too_new"]);

/** `braid worker`: works on all runs of a store until it is told to stop. */
export async function runWorker({ io }: CommandContext, options: WorkerCommandOptions): Promise<number> {
  const settings = readSettings(options);
  const { url } = chooseStore(io, options);
  if (url === "memory:") throw new UsageError("nobody can put a run into the memory of a worker", "Name a store.");
  const config = options.config === undefined ? noConfig : await loadWorkerConfig(io, options.config);
  const say = (line: string): void => io.stderr.write(`braid worker: ${oneLine(line, 2_000)}\n`);
  const now = (): number => io.now();
  const report = new TroubleReport({ now, write: say });
  const ending = new Ending(io);
  const { workflows, ...parts } = config;
  const engineOptions = {
    ...parts,
    store: url,
    ...(settings.leaseMs === undefined ? {} : { leaseMs: settings.leaseMs }),
    secretsEnv: io.env,
    // A database that is away is waited for, however long.
    patienceMs: Number.POSITIVE_INFINITY,
    onTrouble: (what: string, error: unknown) => {
      if (fatal.has(codeOf(error))) ending.fail(error);
      else report.tell(what, error);
    },
  };
  const engine = await openPatiently({ options: engineOptions, workflows, report, ending });
  if (engine === null) {
    say("stopped");
    return exitCode.ok;
  }
  const worker = await engine.work(settings.work);
  say(`\`${settings.work.name}\` works on ${engine.store.url}: ${describeWorker(settings, config)}`);
  const stopWatching = watchForCure({ store: engine.store, workerId: worker.id, report, now });
  const reason = await ending.reached;
  stopWatching();
  if (reason.kind === "asked") return await drain({ engine, worker, settings, ending, say });
  // What still goes wrong now is told by the reason.
  await within(lastWordsMs, leave({ engine, worker }, 0)).catch(() => {});
  throw reason.error;
}

interface Post {
  readonly engine: Engine;
  readonly worker: WorkerHandle;
}

interface Drain extends Post {
  readonly settings: WorkerSettings;
  readonly ending: Ending;
  readonly say: (line: string) => void;
}

/** Takes nothing new, lets running steps end, gives back those that do not end in time. */
async function drain({ settings: { drainMs }, ending, say, ...post }: Drain): Promise<number> {
  say(`stopping: nothing new is started, running steps have ${formatDuration(drainMs)}; signal again to stop at once`);
  const left = within(drainMs + lastWordsMs, leave(post, drainMs));
  const outcome = await Promise.race([left, ending.hurried.then(() => "hurried" as const)]);
  switch (outcome) {
    case "done":
      say("stopped");
      return exitCode.ok;
    case "late":
      say("stopped without the store, which does not answer: what ran here is repeated when its leases end");
      return exitCode.engine;
    case "hurried":
      say("stopped at once: what ran here is repeated when its leases end");
      return exitCode.canceled;
    default:
      return outcome satisfies never;
  }
}

async function leave({ engine, worker }: Post, drainMs: number): Promise<void> {
  await worker.stop({ drainMs });
  await engine.close();
}

async function within(ms: number, work: Promise<void>): Promise<"done" | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), ms)));
  try {
    return await Promise.race([work.then(() => "done" as const), late]);
  } finally {
    clearTimeout(timer);
  }
}

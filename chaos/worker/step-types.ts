import { AttemptStopped, StepFailure } from "@braid/engine";
import type { JsonValue } from "@braid/core";
import type { StepContext, StepType } from "@braid/engine";
import { fingerprint } from "../oracle/writer.ts";
import type { OracleWriter } from "../oracle/writer.ts";

/** What the code of a step does: takes so long, and fails in its first attempts (-1: in all). */
export interface Behavior {
  readonly ms: number;
  readonly failures: number;
  /** Steps whose outputs it looks at. */
  readonly looksAt: readonly string[];
  readonly looksAtContext: boolean;
}

/** An item of a map says how the code goes that it is given to. */
export interface ItemBehavior {
  readonly ms: number;
  readonly fails: boolean;
}

/** Types that differ only in their limits. */
const stepTypeNames = ["work", "narrow", "rated"] as const;

/** The step types; without an oracle they can be named in workflows, but not run. */
export function stepTypes(oracle: OracleWriter | null): readonly StepType[] {
  return stepTypeNames.map((name) => ({
    name,
    run: async (context) => {
      const { looksAt, looksAtContext, ...rest } = context.input as unknown as Behavior;
      const item = context.item as ItemBehavior | undefined;
      const behavior = item === undefined ? rest : { ms: item.ms, failures: item.fails ? -1 : 0 };
      return { output: await perform(context, { ...behavior, looksAt, looksAtContext }, oracle) };
    },
  }));
}

type BodyContext = Pick<
  StepContext,
  "runId" | "stepId" | "taskIndex" | "attempt" | "idempotencyKey" | "signal" | "context"
> & { readonly deps: { readonly [step: string]: unknown } };

/** The code of every attempt: it writes down that it begins and how it ends, before anybody else can know. */
export async function perform(
  context: BodyContext,
  { ms, failures, looksAt, looksAtContext }: Behavior,
  oracle: OracleWriter | null,
): Promise<JsonValue> {
  if (oracle === null) throw new Error("this process runs no steps");
  const { runId: run, stepId: step, taskIndex: task, attempt, idempotencyKey: key, signal } = context;
  const name = { run, step, task, attempt };
  const saw = Object.fromEntries(looksAt.map((id) => [id, seen(context.deps[id])]));
  oracle.write({ type: "begin", ...name, key, saw, context: looksAtContext ? context.context : null });
  const stopped = await waitUnlessStopped(ms, signal);
  if (stopped !== null) {
    oracle.write({ type: "end", ...name, how: "stopped", reason: stopped, nonce: null });
    throw signal.reason;
  }
  if (failures < 0 || attempt <= failures) {
    oracle.write({ type: "end", ...name, how: "failed", reason: null, nonce: null });
    throw new StepFailure("planned", `attempt ${attempt} fails`);
  }
  const nonce = oracle.nonce();
  oracle.write({ type: "end", ...name, how: "ok", reason: null, nonce });
  return { nonce };
}

const seen = (output: unknown): string | null => (output === undefined ? null : fingerprint(output));

/** Answers why the attempt was stopped, or null when the time is over. */
function waitUnlessStopped(ms: number, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ms);
    const onStop = (): void => {
      clearTimeout(timer);
      resolve(signal.reason instanceof AttemptStopped ? signal.reason.reason : String(signal.reason));
    };
    if (signal.aborted) onStop();
    else signal.addEventListener("abort", onStop, { once: true });
  });
}

import type { Store } from "./port.ts";
import type { CommitAnswers } from "./run-commit.ts";
import { StoreError } from "./store-error.ts";

/** Calls of a store that can be made to go wrong. */
export type StoreCall = {
  [Name in keyof Store]: Store[Name] extends (...args: never[]) => Promise<unknown> ? Name : never;
}[keyof Store];

/**
 * - `fail_before`: the call fails and nothing was done; `fail_after`: it was done and the answer got lost (commit-unknown).
 *   Both look the same to the caller: a `StoreError` `store_unavailable`
 * - `delay`: the call waits before it is done, or its answer before it is given
 */
export type CallFault =
  | { readonly kind: "fail_before" | "fail_after" }
  | { readonly kind: "delay"; readonly until: () => Promise<unknown>; readonly when?: "before" | "after" };

/** Only a commit: all runs of it are answered so, and nothing is done. */
export type CommitFault = { readonly kind: "conflict" } | { readonly kind: "refuse"; readonly message?: string };

export type FaultOf<Call extends StoreCall> = Call extends "commit" ? CallFault | CommitFault : CallFault;

type AnyFault = CallFault | CommitFault;

/** Makes chosen calls of a store go wrong. One instance belongs to one store. */
export class Faults {
  readonly #next = new Map<StoreCall, AnyFault[]>();
  readonly #hits = new Map<StoreCall, number>();

  /**
   * Asked before every call that has no fault waiting for it. A seeded simulator decides here; the number of the call
   * (from 1, over all calls) makes each one a place where the process may die.
   */
  decide: ((call: StoreCall, number: number) => AnyFault | null) | null = null;
  #calls = 0;

  /** Makes the next call of that name go wrong, or the next `times` of them. Several faults apply one after the other. */
  next<Call extends StoreCall>(call: Call, fault: FaultOf<Call> & { readonly times?: number }): void {
    const { times = 1, ...rest } = fault;
    const waiting = this.#next.get(call) ?? [];
    for (let count = 0; count < times; count += 1) waiting.push(rest as AnyFault);
    this.#next.set(call, waiting);
  }

  /** How many faults have hit a call so far. A test that injects faults proves with it that they happened. */
  hits(call: StoreCall): number {
    return this.#hits.get(call) ?? 0;
  }

  /** The fault of the call that is about to be made. */
  take(call: StoreCall): AnyFault | null {
    this.#calls += 1;
    const fault = this.#next.get(call)?.shift() ?? this.decide?.(call, this.#calls) ?? null;
    if (fault !== null) this.#hits.set(call, this.hits(call) + 1);
    return fault;
  }
}

/** A store whose calls go wrong as `faults` says, and are those of `store` otherwise. */
export function withFaults(store: Store, faults: Faults): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      // `onChange` is the one method that answers at once, and it cannot fail.
      if (name === "onChange") return method;
      return (...args: unknown[]): Promise<unknown> => faulty(faults, name as StoreCall, { method, args });
    },
  });
}

interface Invocation {
  readonly method: (...args: unknown[]) => unknown;
  readonly args: readonly unknown[];
}

async function faulty(faults: Faults, call: StoreCall, { method, args }: Invocation): Promise<unknown> {
  const fault = faults.take(call);
  switch (fault?.kind) {
    case undefined:
      return method(...args);
    case "fail_before":
      throw unavailable(call);
    case "fail_after":
      await method(...args);
      throw unavailable(call);
    case "delay": {
      if (fault.when !== "after") await fault.until();
      const answer = await method(...args);
      if (fault.when === "after") await fault.until();
      return answer;
    }
    case "conflict":
    case "refuse":
      return refusal(fault, method, args[0] as readonly unknown[]);
    default:
      return fault satisfies never;
  }
}

async function refusal(
  fault: CommitFault,
  method: Invocation["method"],
  commits: readonly unknown[],
): Promise<CommitAnswers> {
  // A commit of nothing changes nothing and tells the time.
  const { now } = (await method([])) as CommitAnswers;
  const answers = commits.map(() =>
    fault.kind === "conflict"
      ? ({ kind: "conflict" } as const)
      : ({ kind: "rejected", message: fault.message ?? "an injected fault" } as const),
  );
  return { now, answers };
}

function unavailable(call: StoreCall): StoreError {
  return new StoreError("store_unavailable", `The store did not answer \`${call}\` (an injected fault).`);
}

import type { NaiveState, NaiveStep, NaiveTask } from "./naive-state.ts";

/** What the result of a run names. */

/** All failures that count, in the order in which they happened: of a block its members', of a map its items'. */
export function failuresOf(state: NaiveState): string[] {
  const { plan } = state;
  const owners = Object.values(plan.phases).filter(
    (owner) => owner !== null && state.steps[owner]!.status === "failed",
  ) as number[];
  const lists = [0, ...owners.map((owner) => plan.steps[owner]!.body!)];
  return lists
    .flatMap((scope) => failuresIn(state, scope))
    .toSorted((a, b) => a.settledOrder - b.settledOrder)
    .map(({ plan: { id }, task, error }) => `${id}${task < 0 ? "" : `[${task}]`} ${error!.code}`);
}

function failuresIn(state: NaiveState, scope: number): NaiveTask[] {
  return state.plan.scopes[scope]!.members.flatMap((member) => {
    const step = state.steps[member]!;
    return step.failure === "counted" ? failuresBehind(state, step) : [];
  });
}

function failuresBehind(state: NaiveState, step: NaiveStep): NaiveTask[] {
  const { body, isMap } = step.plan;
  const inside = (): NaiveTask[] =>
    isMap ? (step.items ?? []).filter(({ failure }) => failure === "counted") : failuresIn(state, body!);
  return body === null || step.error?.code !== "scope_failed" ? [step] : inside();
}

/** The code of the run's error: its own timeout, else the first failure that counted, else its output's; `scope_failed` when only lost steps are left. */
export function errorOf(state: NaiveState): string {
  const { hasTimedOut, outputError, status } = state.run;
  if (status !== "failed") return status === "canceled" ? "canceled" : "";
  if (hasTimedOut) return "timeout";
  return failuresOf(state)[0]?.split(" ")[1] ?? outputError?.code ?? "scope_failed";
}

import type { Chapter, Rule } from "./scenario.ts";

const retry: Rule = {
  id: "task.retry",
  place: "kernel/retry.ts",
  text: "A task is tried `maxAttempts` times, once unless said, with a delay by formula; a handler may ask for a delay or say that it must not be repeated, and `on` selects error codes. A retry pending in one branch never holds up another.",
  scenarios: [
    {
      title: "exponential delays, and nobody else waits",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], retry: {maxAttempts: 3, delay: 2s, backoff: exponential, factor: 2, jitter: 0}}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: [b]}`,
      play: [
        ["start", "b starts", "a starts"],
        ["a fails", "a retries in 2s"],
        ["b completes", "b completed", "c starts"],
        ["2s pass"],
        ["a fails", "a retries in 4s"],
        ["c completes", "c completed"],
        ["4s pass"],
        ["a fails", "a failed exit_code", "run failed"],
      ],
    },
    {
      title: "the handler asks for a delay (Retry-After)",
      workflow: `
steps: [{id: a, run: a, retry: {maxAttempts: 2, delay: 1s}}]`,
      play: [
        ["start", "a starts"],
        ["a fails, retry after 30s", "a retries in 30s"],
        ["30s pass"],
        ["a completes", "a completed", "run completed"],
      ],
    },
    {
      title: "the handler says that it must not be repeated",
      workflow: `
steps: [{id: a, run: a, retry: 5}]`,
      play: [
        ["start", "a starts"],
        ["a fails for good", "a failed exit_code", "run failed"],
      ],
    },
    {
      title: "`on` selects codes, and what could not be resolved is never retried",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], retry: {maxAttempts: 5, on: [timeout]}}
  - {id: b, run: b, dependsOn: [], retry: {maxAttempts: 5}}
onFailure: continue`,
      play: [
        ["start", "a starts", "b starts"],
        ["a fails exit_code", "a failed exit_code"],
        ["b fails input_unresolved", "b failed input_unresolved", "run failed"],
      ],
    },
  ],
};

const lost: Rule = {
  id: "task.lost",
  place: "kernel/task.ts",
  text: "A lost attempt is repeated without using one up, at most three times in a row, then the task fails `lost_lease`.",
  scenarios: [
    {
      title: "three times in a row",
      isDetailed: true,
      workflow: `
steps: [{id: a, run: a}]`,
      play: [
        ["start", "a ready", "a attempt 1 started", "a starts"],
        ["a is lost", "a attempt 1 lost", "a attempt 2 started"],
        ["a is lost", "a attempt 2 lost", "a attempt 3 started"],
        ["a is lost", "a attempt 3 lost", "a attempt 4 started"],
        ["a is lost", "a attempt 4 lost", "a failed lost_lease", "run failed"],
      ],
    },
    {
      title: "losing does not use attempts up",
      workflow: `
steps: [{id: a, run: a, retry: {maxAttempts: 2, delay: 1s, jitter: 0}}]`,
      play: [
        ["start", "a starts"],
        ["a is lost"],
        ["a fails", "a retries in 1s"],
        ["1s pass"],
        ["a completes", "a completed", "run completed"],
      ],
    },
  ],
};

const clocks: Rule = {
  id: "task.clocks",
  place: "kernel/timer.ts",
  text: "`deadline` counts from the first attempt, delays included; `startDelay` once, from the moment the join fired and the condition held; the scope's `timeout` from the moment the block became ready, the run's from its start. The earliest wins.",
  scenarios: [
    {
      title: "a deadline ends a retry delay",
      workflow: `
steps: [{id: a, run: a, deadline: 5s, retry: {maxAttempts: 9, delay: 10s, jitter: 0}}]`,
      play: [
        ["start", "a starts"],
        ["a fails", "a retries in 10s"],
        ["5s pass", "a failed timeout", "run failed"],
      ],
    },
    {
      title: "a deadline stops a running attempt; what it reports then is a timeout",
      workflow: `
steps: [{id: a, run: a, deadline: 5s, retry: 3}]`,
      play: [
        ["start", "a starts"],
        ["5s pass", "stop a"],
        ["a stops", "a failed timeout", "run failed"],
      ],
    },
    {
      title: "a start delay",
      workflow: `
steps:
  - {id: a, run: a}
  - {id: b, run: b, startDelay: 3s}`,
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "b waits for delay"],
        ["3s pass", "b starts"],
        ["b completes", "b completed", "run completed"],
      ],
    },
    {
      title: "the run's timeout",
      workflow: `
timeout: 5s
steps:
  - {id: a, run: a}
  - {id: b, run: b}`,
      play: [
        ["start", "a starts"],
        ["5s pass", "b skipped scope_failed", "stop a"],
        ["a stops", "a canceled run_timeout", "run failed"],
      ],
    },
  ],
};

const waits: Rule = {
  id: "task.waiting",
  place: "kernel/start.ts",
  text: "In a delay, sleep, approval, signal or child run a step is waiting and holds no slot. A pure join takes none either.",
  scenarios: [
    {
      title: "a sleep beside work, with a cap of one",
      workflow: `
parallel: {maxConcurrent: 1}
steps:
  - {id: nap, sleep: 10s, dependsOn: []}
  - {id: a, run: a, dependsOn: []}
  - {id: both, dependsOn: [nap, a]}`,
      play: [
        ["start", "nap starts", "nap waits for timer", "a starts"],
        ["a completes", "a completed"],
        ["10s pass", "nap completed", "both starts", "both completed", "run completed"],
      ],
    },
    {
      title: "an approval in a parallel branch",
      workflow: `
steps:
  - {id: ok, approval: {message: ship it?}, dependsOn: []}
  - {id: a, run: a, dependsOn: []}
  - {id: ship, run: x, dependsOn: [ok, a]}`,
      play: [
        ["start", "ok starts", "ok waits for approval", "a starts"],
        ["a completes", "a completed"],
        ["ok is approved", "ok completed", "ship starts"],
      ],
    },
    {
      title: "an approval that is rejected",
      workflow: `
steps: [{id: ok, approval: true}]`,
      play: [
        ["start", "ok starts", "ok waits for approval"],
        ["ok is rejected", "ok failed rejected", "run failed"],
      ],
    },
    {
      title: "a child run",
      workflow: `
steps: [{id: sub, workflow: other}]`,
      play: [
        ["start", "sub starts", "sub waits for child"],
        ["child of sub completes", "sub completed", "run completed"],
      ],
    },
    {
      title: "a child run that fails, and one that somebody else canceled",
      workflow: `
steps:
  - {id: one, workflow: other, dependsOn: []}
  - {id: two, workflow: other, dependsOn: []}
onFailure: continue`,
      play: [
        ["start", "one starts", "one waits for child", "two starts", "two waits for child"],
        ["child of one fails", "one failed child_failed"],
        ["child of two is canceled", "two failed child_canceled", "run failed"],
      ],
    },
    {
      title: "a child run is canceled by its parent's run",
      workflow: `
steps: [{id: sub, workflow: other}]`,
      play: [
        ["start", "sub starts", "sub waits for child"],
        ["cancel", "stop child of sub"],
        ["child of sub is canceled", "sub canceled run_canceled", "run canceled"],
      ],
    },
  ],
};

const conditions: Rule = {
  id: "step.condition",
  place: "kernel/start.ts",
  text: "Conditions are evaluated once, when the join has fired. A condition that cannot be evaluated fails the step (`condition_error`); `whenUnmet` says what a false one does: skip, skip the branch, or fail.",
  scenarios: [
    {
      title: "a condition that cannot be evaluated fails closed",
      workflow: `
steps:
  - {id: a, run: a, when: "inputs.x"}
  - {id: b, run: b}`,
      answers: { a: { error: { code: "condition_error", message: "no" } } },
      play: [["start", "a failed condition_error", "b skipped upstream_failed", "run failed"]],
    },
    {
      title: "`whenUnmet: fail`",
      workflow: `
steps: [{id: a, run: a, when: "inputs.x", whenUnmet: fail}]`,
      answers: { a: { when: false } },
      play: [["start", "a failed condition_unmet", "run failed"]],
    },
  ],
};

const map: Rule = {
  id: "step.map",
  place: "kernel/map.ts",
  text: "A map runs one task per item: the condition is asked once for the step, zero items complete it, items retry alone, and its own cap, rate, mode and tolerance hold for the items.",
  scenarios: [
    {
      title: "a cap of two over four items, in order",
      workflow: `
steps: [{id: m, run: x, forEach: {items: [a, b, c, d], maxConcurrent: 2}}]`,
      isDetailed: true,
      play: [
        ["start", "m ready", "m[0] attempt 1 started", "m starts", "m[1] attempt 1 started"],
        ["m[1] completes", "m[1] attempt 1 completed", "m[2] attempt 1 started"],
        ["m[0] completes", "m[0] attempt 1 completed", "m[3] attempt 1 started"],
        ["m[3] completes", "m[3] attempt 1 completed"],
        ["m[2] completes", "m[2] attempt 1 completed", "m completed", "run completed"],
      ],
    },
    {
      title: "zero items",
      workflow: `
steps:
  - {id: m, run: x, forEach: []}
  - {id: after, run: x}`,
      play: [["start", "m starts", "m completed", "after starts"]],
    },
    {
      title: "one item retries alone",
      workflow: `
steps: [{id: m, run: x, retry: {maxAttempts: 2, delay: 1s, jitter: 0}, forEach: [a, b]}]`,
      play: [
        ["start", "m starts"],
        ["m[0] fails", "m[0] attempt 1 failed", "m[0] retries in 1s"],
        ["m[1] completes", "m[1] attempt 1 completed"],
        ["1s pass"],
        ["m[0] completes", "m[0] attempt 2 completed", "m completed", "run completed"],
      ],
    },
    {
      title: "`fail_all`: the first failed item stops the others; `continue` lets all run",
      workflow: `
steps:
  - {id: m, run: x, dependsOn: [], forEach: {items: [a, b, c], maxConcurrent: 2}}
  - {id: n, run: x, dependsOn: [], forEach: {items: [a, b], onFailure: continue}}
onFailure: continue`,
      play: [
        ["start", "m starts", "n starts"],
        ["m[0] fails", "m[0] attempt 1 failed", "stop m[1]"],
        ["m[1] stops", "m[1] attempt 1 canceled", "m failed scope_failed"],
        ["n[0] fails", "n[0] attempt 1 failed"],
        ["n[1] completes", "n[1] attempt 1 completed", "n failed scope_failed", "run failed"],
      ],
    },
  ],
};

const trace: Rule = {
  id: "trace.order",
  place: "kernel/work.ts",
  text: "In one transition the cause comes first (`task.*`, then its `step.*`), then consequences in definition order, inner scopes before outer ones, the run last. `step.ready` once per epoch: join fired, condition held, delay over. Stale and duplicate events change nothing.",
  scenarios: [
    {
      title: "cause, consequences, end",
      isDetailed: true,
      workflow: `
steps:
  - id: block
    parallel:
      steps:
        - {id: a, run: a}
        - {id: b, dependsOn: [a]}
        - {id: c, dependsOn: [a]}`,
      play: [
        ["start", "block ready", "a ready", "a attempt 1 started", "block starts", "a starts"],
        [
          "a completes",
          "a attempt 1 completed",
          "a completed",
          "b ready",
          "b starts",
          "b completed",
          "c ready",
          "c starts",
          "c completed",
          "block completed",
          "run completed",
        ],
      ],
    },
    {
      title: "a result that comes twice, and one of an attempt that is over",
      workflow: `
steps:
  - {id: a, run: a}
  - {id: b, run: b}`,
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "b starts"],
        ["a completes", "ignored: the attempt is over"],
        ["a is lost", "ignored: the attempt is over"],
        ["b completes", "b completed", "run completed"],
        ["b completes", "ignored: the run is over"],
      ],
    },
  ],
};

export const tasks: Chapter = {
  title: "Tasks, clocks and maps",
  intro: "From a fired join to the end of a step.",
  rules: [retry, lost, clocks, waits, conditions, map, trace],
};

import type { Chapter, Rule } from "./scenario.ts";

const PLACE = "kernel/admission.ts";

const caps: Rule = {
  id: "limit.slots",
  place: PLACE,
  text: "A task is admitted only if every scope around it has room. Its slots are reserved when it is admitted, also while it waits in the queue, and freed when the attempt has ended.",
  scenarios: [
    {
      title: "the run's cap and a block's cap hold together; an inner scope without room holds back nobody",
      workflow: `
parallel: {maxConcurrent: 3}
steps:
  - id: block
    dependsOn: []
    parallel:
      maxConcurrent: 1
      steps: [{id: a, run: x}, {id: b, run: x}]
  - {id: c, run: x, dependsOn: []}
  - {id: d, run: x, dependsOn: []}
  - {id: e, run: x, dependsOn: []}`,
      play: [
        ["start", "block starts", "a starts", "c starts", "d starts"],
        ["c completes", "c completed", "e starts"],
        ["e completes", "e completed"],
        ["a completes", "a completed", "b starts"],
      ],
    },
    {
      title: "a queued task that nobody has claimed holds its slot",
      workflow: `
parallel: {maxConcurrent: 1}
steps:
  - {id: a, run: x, dependsOn: []}
  - {id: b, run: x, dependsOn: []}`,
      held: ["a"],
      play: [
        ["start", "a queued"],
        ["worker takes a", "a starts"],
        ["a completes", "a completed", "b starts"],
      ],
    },
    {
      title: "a stopped attempt keeps its slot until it has ended",
      workflow: `
parallel: {maxConcurrent: 1}
steps:
  - {id: fast, sleep: 1s, dependsOn: []}
  - {id: slow, run: x, dependsOn: []}
  - {id: use, run: x, dependsOn: [fast, slow], join: first}`,
      play: [
        ["start", "fast starts", "fast waits for timer", "slow starts"],
        ["1s pass", "fast completed", "stop slow"],
        ["slow stops", "slow canceled join_lost", "use starts"],
      ],
    },
  ],
};

const rates: Rule = {
  id: "limit.rate",
  place: PLACE,
  text: "Each attempt spends one start of every rate limit around it; at most `burst` tasks are admitted and not started. One held back by a rate never holds back one behind it.",
  scenarios: [
    {
      title: "two starts per second in a block, and a sibling outside that does not wait",
      workflow: `
steps:
  - id: block
    dependsOn: []
    parallel:
      rateLimit: 2
      steps: [{id: a, run: x}, {id: b, run: x}, {id: c, run: x}]
  - {id: free, run: x, dependsOn: []}`,
      play: [
        ["start", "block starts", "a starts", "free starts"],
        ["400ms pass"],
        ["100ms pass", "b starts"],
        ["499ms pass"],
        ["1ms pass", "c starts"],
      ],
    },
    {
      title: "a retry spends a start too",
      workflow: `
parallel: {rateLimit: 1}
steps: [{id: a, run: x, retry: {maxAttempts: 2, delay: 100ms, jitter: 0}}]`,
      isDetailed: true,
      play: [
        ["start", "a ready", "a attempt 1 started", "a starts"],
        ["a fails", "a attempt 1 failed", "a retries in 0.1s", "timer retry of a at 100"],
        ["100ms pass", "timer rate of the run at 1000"],
        ["899ms pass"],
        ["1ms pass", "a attempt 2 started"],
      ],
    },
  ],
};

const order: Rule = {
  id: "limit.order",
  place: PLACE,
  text: "Who starts first within a run: step priority, then the longest remaining path, then definition order, then item.",
  scenarios: [
    {
      title: "priority, then path, then file order",
      workflow: `
parallel: {maxConcurrent: 1}
steps:
  - {id: plain, run: x, dependsOn: []}
  - {id: long, run: x, dependsOn: []}
  - {id: urgent, run: x, dependsOn: [], priority: 10}
  - {id: tail, run: x, dependsOn: [long]}
  - {id: later, run: x, dependsOn: []}`,
      play: [
        ["start", "urgent starts"],
        ["urgent completes", "urgent completed", "long starts"],
        ["long completes", "long completed", "plain starts"],
        ["plain completes", "plain completed", "tail starts"],
        ["tail completes", "tail completed", "later starts"],
        ["later completes", "later completed", "run completed"],
      ],
    },
  ],
};

const cancel: Rule = {
  id: "run.cancel",
  place: "kernel/control.ts",
  text: "A cancel stops everything but `finally`, ends a pause, and is answered by every attempt; a second one stops `finally` too.",
  scenarios: [
    {
      title: "running, queued, waiting and pending steps",
      workflow: `
steps:
  - {id: running, run: x, dependsOn: []}
  - {id: queued, run: x, dependsOn: []}
  - {id: waiting, sleep: 1h, dependsOn: []}
  - {id: pending, run: x, dependsOn: [running]}`,
      held: ["queued"],
      play: [
        ["start", "waiting starts", "waiting waits for timer", "queued queued", "running starts"],
        [
          "cancel",
          "waiting canceled run_canceled",
          "pending skipped run_canceled",
          "stop running",
          "withdraw queued",
          "queued skipped run_canceled",
        ],
        ["running stops", "running canceled run_canceled", "run canceled"],
      ],
    },
    {
      title: "a task that was claimed while the cancel was on its way is told to stop",
      workflow: `
steps: [{id: a, run: x}]`,
      play: [
        ["start", "a starts"],
        ["cancel", "stop a"],
        ["a completes", "a completed", "run canceled"],
      ],
    },
  ],
};

const pause: Rule = {
  id: "run.pause",
  place: "kernel/control.ts",
  text: "While a run is paused, results are accepted and joins resolved, but nothing is evaluated, admitted or claimed; every clock stops except those of running attempts, and resuming moves open timers by the length of the pause.",
  scenarios: [
    {
      title: "results come in, nothing starts, queued tasks are withdrawn",
      workflow: `
steps:
  - {id: a, run: x, dependsOn: []}
  - {id: q, run: x, dependsOn: []}
  - {id: b, run: x, dependsOn: [a]}`,
      held: ["q"],
      play: [
        ["start", "q queued", "a starts"],
        ["pause", "run paused", "withdraw q"],
        ["a completes", "a completed"],
        ["resume", "run resumed", "q queued", "b starts"],
      ],
    },
    {
      title: "timers move",
      workflow: `
steps: [{id: nap, sleep: 10s}]`,
      play: [
        ["start", "nap starts", "nap waits for timer"],
        ["4s pass"],
        ["pause", "run paused"],
        ["60s pass"],
        ["resume", "run resumed"],
        ["5s pass"],
        ["1s pass", "nap completed", "run completed"],
      ],
    },
    {
      title: "a cancel ends a pause",
      workflow: `
steps: [{id: a, run: x}]
finally: [{id: f, run: x}]`,
      play: [
        ["start", "a starts"],
        ["pause", "run paused"],
        ["cancel", "run resumed", "stop a"],
        ["a stops", "a canceled run_canceled", "f starts"],
      ],
    },
  ],
};

const rerun: Rule = {
  id: "run.retry",
  place: "kernel/reset.ts",
  text: "A terminal run goes on in its next epoch: failures that counted, canceled steps (not lost races), steps lost because of them, every step whose join counted an edge from one of these, and `finally` run again; everything else keeps its result. `from` a step: it and all its descendants; `only`: that step. The run completes only if no failure that counts and no step lost because of one is left.",
  scenarios: [
    {
      title: "only what failed and what it took down",
      workflow: `
steps:
  - {id: a, run: x, dependsOn: []}
  - {id: b, run: x, dependsOn: []}
  - {id: c, run: x, dependsOn: [a, b]}
finally: [{id: f, run: x}]`,
      play: [
        ["start", "a starts", "b starts"],
        ["a completes", "a completed"],
        ["b fails", "b failed exit_code", "c skipped upstream_failed", "f starts"],
        ["f completes", "f completed", "run failed"],
        ["retry", "b starts"],
        ["b completes", "b completed", "c starts"],
        ["c completes", "c completed", "f starts"],
        ["f completes", "f completed", "run completed"],
      ],
    },
    {
      title: "inside a block",
      workflow: `
steps:
  - id: block
    parallel:
      onFailure: continue
      steps: [{id: a, run: x}, {id: b, run: x}]
  - {id: after, run: x}`,
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a completes", "a completed"],
        ["b fails", "b failed exit_code", "block failed scope_failed", "after skipped upstream_failed", "run failed"],
        ["retry", "b starts"],
        ["b completes", "b completed", "block completed", "after starts"],
        ["after completes", "after completed", "run completed"],
      ],
    },
    {
      title: "a map repeats only its failed and unstarted items",
      workflow: `
steps: [{id: m, run: x, forEach: {items: [a, b, c], maxConcurrent: 2}}]`,
      isDetailed: true,
      play: [
        ["start", "m ready", "m[0] attempt 1 started", "m starts", "m[1] attempt 1 started"],
        ["m[0] completes", "m[0] attempt 1 completed", "m[2] attempt 1 started"],
        ["m[1] fails", "m[1] attempt 1 failed", "stop m[2]"],
        ["m[2] stops", "m[2] attempt 1 canceled", "m failed scope_failed", "run failed"],
        ["retry", "m[1] attempt 2 started", "m[2] attempt 2 started"],
        ["m[1] completes", "m[1] attempt 2 completed"],
        ["m[2] completes", "m[2] attempt 2 completed", "m completed", "run completed"],
      ],
    },
    {
      title: "`from` a step that completed",
      workflow: `
steps:
  - {id: a, run: x}
  - {id: b, run: x}
  - {id: c, run: x}`,
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "b starts"],
        ["b completes", "b completed", "c starts"],
        ["c completes", "c completed", "run completed"],
        ["retry from b", "b starts"],
        ["b completes", "b completed", "c starts"],
        ["c completes", "c completed", "run completed"],
      ],
    },
    {
      title: "`only` one step: what it had taken down stays lost, so the run cannot complete",
      workflow: `
steps:
  - {id: a, run: x}
  - {id: b, run: x}`,
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "b skipped upstream_failed", "run failed"],
        ["retry only a", "a starts"],
        ["a completes", "a completed", "run failed"],
        ["retry", "b starts"],
        ["b completes", "b completed", "run completed"],
      ],
    },
    {
      title: "a lost race is not run again",
      workflow: `
steps:
  - {id: a, run: x, dependsOn: []}
  - {id: b, run: x, dependsOn: []}
  - {id: d, run: x, dependsOn: [a, b], join: first}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a completes", "a completed", "stop b", "d starts"],
        ["b stops", "b canceled join_lost"],
        ["d fails", "d failed exit_code", "run failed"],
        ["retry", "d starts"],
        ["d completes", "d completed", "run completed"],
      ],
    },
    {
      title: "a handler runs again with the step whose failure it counted",
      workflow: `
steps:
  - {id: a, run: x, dependsOn: []}
  - {id: report, run: x, dependsOn: [a], join: settled}`,
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "report starts"],
        ["report completes", "report completed", "run failed"],
        ["retry", "a starts"],
        ["a completes", "a completed", "report starts"],
        ["report completes", "report completed", "run completed"],
      ],
    },
  ],
};

export const limits: Chapter = {
  title: "Slots, rates, order, and what people do to a run",
  intro: "Admission is the kernel's; keys, step types and workers are limits of the store.",
  rules: [caps, rates, order, cancel, pause, rerun],
};

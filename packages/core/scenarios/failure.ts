import type { Chapter, Rule } from "./scenario.ts";

const PLACE = "kernel/failure.ts";

const counts: Rule = {
  id: "failure.counts",
  place: PLACE,
  text: "A failure that nobody tolerates, handles or makes up for fails its scope; a failed scope is a failed step in its parent.",
  scenarios: [
    {
      title: "a failed member fails the block, and the block the run",
      workflow: `
steps:
  - id: block
    parallel:
      steps:
        - {id: a, run: a}
        - {id: b, run: b}
  - {id: after, run: x}`,
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "stop b"],
        [
          "b stops",
          "b canceled scope_failed",
          "block failed scope_failed",
          "after skipped upstream_failed",
          "run failed",
        ],
      ],
    },
  ],
};

const tolerated: Rule = {
  id: "failure.tolerated",
  place: "kernel/settle.ts",
  text: "Tolerated: a step with `continueOnError: true`, or a failed item of a map within `tolerateFailures`. A run that completed all the same says so with `toleratedFailures`.",
  scenarios: [
    {
      title: "`continueOnError`",
      workflow: `
steps:
  - {id: a, run: a, continueOnError: true}
  - {id: b, run: b}`,
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "b starts"],
        ["b completes", "b completed", "run completed"],
      ],
    },
    {
      title: "`tolerateFailures: 1` of three items",
      workflow: `
steps:
  - {id: m, run: x, forEach: {items: [1, 2, 3], tolerateFailures: 1}}`,
      play: [
        ["start", "m starts"],
        ["m[0] fails", "m[0] attempt 1 failed"],
        ["m[1] completes", "m[1] attempt 1 completed"],
        ["m[2] completes", "m[2] attempt 1 completed", "m completed", "run completed"],
      ],
    },
    {
      title: "one more is one too many",
      workflow: `
steps:
  - {id: m, run: x, forEach: {items: [1, 2, 3], tolerateFailures: 1}}`,
      play: [
        ["start", "m starts"],
        ["m[0] fails", "m[0] attempt 1 failed"],
        ["m[1] fails", "m[1] attempt 1 failed", "stop m[2]"],
        ["m[2] stops", "m[2] attempt 1 canceled", "m failed scope_failed", "run failed"],
      ],
    },
  ],
};

const handled: Rule = {
  id: "failure.handled",
  place: PLACE,
  text: "Handled: the target of one of its failure edges starts or has started. While one may still start the failure is pending; when the last such target has been skipped it is unhandled from then on.",
  scenarios: [
    {
      title: "a handled error completes",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: handler, run: h, dependsOn: [a.error]}
  - {id: other, run: x, dependsOn: []}`,
      play: [
        ["start", "a starts", "other starts"],
        ["a fails", "a failed exit_code", "handler starts"],
        ["handler completes", "handler completed"],
        ["other completes", "other completed", "run completed"],
      ],
    },
    {
      title: "an unmatched handler handles nothing",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: handler, run: h, dependsOn: [a.error], when: "inputs.never"}
  - {id: other, run: x, dependsOn: []}`,
      answers: { handler: { when: false } },
      play: [
        ["start", "a starts", "other starts"],
        ["a fails", "a failed exit_code", "handler skipped condition", "stop other"],
        ["other stops", "other canceled scope_failed", "run failed"],
      ],
    },
    {
      title: "pending while the handler waits for something else, then unhandled when it is skipped",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: []}
  - {id: handler, run: h, dependsOn: [a.error, b]}`,
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a fails", "a failed exit_code"],
        ["b fails", "b failed exit_code", "handler skipped upstream_failed", "stop c"],
        ["c stops", "c canceled scope_failed", "run failed"],
      ],
    },
    {
      title: "a handler that waits for a slot keeps the failure pending; once it starts, the failure is handled",
      workflow: `
parallel: {maxConcurrent: 1}
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: [], priority: 5}
  - {id: c, run: c, dependsOn: [b], priority: 5}
  - {id: handler, run: h, dependsOn: [a.error]}`,
      play: [
        ["start", "b starts"],
        ["b completes", "b completed", "c starts"],
        ["c completes", "c completed", "a starts"],
        ["a fails", "a failed exit_code", "handler starts"],
        ["handler completes", "handler completed", "run completed"],
      ],
    },
    {
      title: "a handler that fails without having started has handled nothing",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: handler, run: h, dependsOn: [a.error], when: "inputs.x"}`,
      answers: { handler: { error: { code: "condition_error", message: "no" } } },
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "handler failed condition_error", "run failed"],
      ],
    },
    {
      title: "a failing handler is an ordinary failure",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: handler, run: h, dependsOn: [a.error]}`,
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "handler starts"],
        ["handler fails", "handler failed exit_code", "run failed"],
      ],
    },
    {
      title: "a handler outside a group: the group waits for it to start",
      workflow: `
parallel: {maxConcurrent: 2}
steps:
  - {id: a, run: a, parallel: true}
  - {id: b, run: b, parallel: true}
  - {id: handler, run: h, dependsOn: [{step: a, on: failure}]}
  - {id: after, run: x}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "handler starts"],
        ["b completes", "b completed", "after starts"],
        ["after completes", "after completed"],
        ["handler completes", "handler completed", "run completed"],
      ],
    },
  ],
};

const madeUp: Rule = {
  id: "failure.made_up",
  place: PLACE,
  text: "Made up for: a failed step and the steps lost because of it form branches, and the failure counts only when it reaches the end of one: a failed or lost step that no success or order edge leaves, or a dead edge into a step that had already been skipped. A dead edge into an `any`, `first` or `quorum` join that has fired, or still can, goes no further; if that join is taken down later, the branch goes on through it.",
  scenarios: [
    {
      title: "a mirror may fail while the other is still in the race; when that wins, the failure is tolerated",
      workflow: `
steps:
  - {id: m1, run: x, dependsOn: []}
  - {id: m2, run: x, dependsOn: []}
  - {id: use, run: x, dependsOn: [m1, m2], join: any}`,
      play: [
        ["start", "m1 starts", "m2 starts"],
        ["m1 fails", "m1 failed exit_code"],
        ["m2 completes", "m2 completed", "use starts"],
        ["use completes", "use completed", "run completed"],
      ],
    },
    {
      title: "when the race is lost altogether, all its failures count",
      workflow: `
steps:
  - {id: m1, run: x, dependsOn: []}
  - {id: m2, run: x, dependsOn: []}
  - {id: use, run: x, dependsOn: [m1, m2], join: any}`,
      play: [
        ["start", "m1 starts", "m2 starts"],
        ["m1 fails", "m1 failed exit_code"],
        ["m2 fails", "m2 failed exit_code", "use skipped upstream_failed", "run failed"],
      ],
    },
    {
      title: "one branch of a failed step that reaches an end is enough",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: []}
  - {id: needs, run: x, dependsOn: [a]}
  - {id: use, run: x, dependsOn: [a, b], join: any}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "needs skipped upstream_failed", "use skipped scope_failed", "stop b"],
        ["b stops", "b canceled scope_failed", "run failed"],
      ],
    },
    {
      title: "a lost step in between does not end the branch",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: middle, run: x, dependsOn: [a]}
  - {id: b, run: b, dependsOn: []}
  - {id: use, run: x, dependsOn: [middle, b], join: any}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "middle skipped upstream_failed"],
        ["b completes", "b completed", "use starts"],
        ["use completes", "use completed", "run completed"],
      ],
    },
    {
      title: "a join that a stop takes down makes up for nothing: `m1` counts too",
      workflow: `
steps:
  - {id: m1, run: x, dependsOn: []}
  - {id: m2, run: x, dependsOn: []}
  - {id: use, run: x, dependsOn: [m1, m2], join: any}
  - {id: other, run: x, dependsOn: []}`,
      play: [
        ["start", "m1 starts", "m2 starts", "other starts"],
        ["m1 fails", "m1 failed exit_code"],
        ["other fails", "other failed exit_code", "use skipped scope_failed", "stop m2"],
        ["m2 stops", "m2 canceled scope_failed", "run failed"],
        ["retry", "m1 starts", "m2 starts", "other starts"],
      ],
    },
    {
      title: "a join that had fired has made up for a failure, whatever its condition then said",
      workflow: `
steps:
  - {id: m1, run: x, dependsOn: []}
  - {id: m2, run: x, dependsOn: []}
  - {id: use, run: x, dependsOn: [m1, m2], join: any, when: "inputs.no"}`,
      answers: { use: { when: false } },
      play: [
        ["start", "m1 starts", "m2 starts"],
        ["m1 completes", "m1 completed", "use skipped condition"],
        ["m2 fails", "m2 failed exit_code", "run completed"],
      ],
    },
    {
      title: "a dead edge into a step that had already been skipped is an end",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: []}
  - {id: both, run: x, dependsOn: [a, b]}
  - {id: c, run: c, dependsOn: []}
  - {id: use, run: x, dependsOn: [both, c], join: any}`,
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a fails", "a failed exit_code", "both skipped upstream_failed"],
        ["b fails", "b failed exit_code", "use skipped scope_failed", "stop c"],
        ["c stops", "c canceled scope_failed", "run failed"],
      ],
    },
  ],
};

export const failures: Chapter = {
  title: "Failure",
  intro:
    "Whether a failure fails its scope. What the scope then does to its other members is its mode, in the next chapter.",
  rules: [counts, tolerated, handled, madeUp],
};

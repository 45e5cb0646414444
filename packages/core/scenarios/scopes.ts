import type { Chapter, Rule } from "./scenario.ts";

const PLACE = "kernel/stop.ts";

const four = (mode: string): string => `
steps:
  - id: block
    parallel:
      onFailure: ${mode}
      maxConcurrent: 2
      steps:
        - {id: a, run: a}
        - {id: b, run: b, retry: {maxAttempts: 3, delay: 1s, jitter: 0}}
        - {id: c, run: c}`;

const failAll: Rule = {
  id: "mode.fail_all",
  place: PLACE,
  text: "`fail_all` (default of run, block and map): at the first failure that counts the scope stops: running members are canceled, unstarted ones skipped `scope_failed`. A stopped attempt keeps its step running and its slots until the host reports.",
  scenarios: [
    {
      title: "running members are stopped, the rest never starts",
      workflow: four("fail_all"),
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "c skipped scope_failed", "stop b"],
        ["b stops", "b canceled scope_failed", "block failed scope_failed", "run failed"],
      ],
    },
    {
      title: "a completion that was already on its way stays completed",
      workflow: four("fail_all"),
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "c skipped scope_failed", "stop b"],
        ["b completes", "b completed", "block failed scope_failed", "run failed"],
      ],
    },
    {
      title: "any other report of a stopped attempt is a cancel",
      workflow: four("fail_all"),
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "c skipped scope_failed", "stop b"],
        ["b fails", "b canceled scope_failed", "block failed scope_failed", "run failed"],
      ],
    },
    {
      title: "a queued task that nobody has claimed is withdrawn: it never started",
      workflow: four("fail_all"),
      held: ["b"],
      play: [
        ["start", "b queued", "block starts", "a starts"],
        [
          "a fails",
          "a failed exit_code",
          "c skipped scope_failed",
          "withdraw b",
          "b skipped scope_failed",
          "block failed scope_failed",
          "run failed",
        ],
      ],
    },
  ],
};

const completeRunning: Rule = {
  id: "mode.complete_running",
  place: PLACE,
  text: "`complete_running`: the scope stops, but running attempts and child runs finish; no further attempt starts; delays, timers, signals and approvals are canceled at once.",
  scenarios: [
    {
      title: "what runs finishes, nothing more starts",
      workflow: four("complete_running"),
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "c skipped scope_failed"],
        ["b completes", "b completed", "block failed scope_failed", "run failed"],
      ],
    },
    {
      title: "no further attempt: a retry that would follow does not",
      workflow: four("complete_running"),
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "c skipped scope_failed"],
        ["b fails", "b failed exit_code", "block failed scope_failed", "run failed"],
      ],
    },
    {
      title: "a queued task is withdrawn, unless a worker has it already: then its code runs on",
      workflow: four("complete_running"),
      held: ["b"],
      play: [
        ["start", "b queued", "block starts", "a starts"],
        [
          "a fails",
          "a failed exit_code",
          "c skipped scope_failed",
          "withdraw b",
          "b skipped scope_failed",
          "block failed scope_failed",
          "run failed",
        ],
      ],
    },
    {
      title: "a retry delay is canceled at once",
      workflow: four("complete_running"),
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["b fails", "b retries in 1s", "c starts"],
        ["a fails", "a failed exit_code", "b canceled scope_failed"],
        ["c completes", "c completed", "block failed scope_failed", "run failed"],
      ],
    },
  ],
};

const goOn: Rule = {
  id: "mode.continue",
  place: PLACE,
  text: "`continue`: the scope does not stop; every member that is not cut off runs to its end; then it fails with all failures together. Groups of `parallel: true` and `parallelGroup` have this mode: the group finishes, then the workflow stops.",
  scenarios: [
    {
      title: "all run, all failures count",
      workflow: four("continue"),
      play: [
        ["start", "block starts", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "c starts"],
        ["c fails", "c failed exit_code"],
        ["b completes", "b completed", "block failed scope_failed", "run failed"],
      ],
    },
    {
      title: "a marked group finishes, then the workflow stops",
      workflow: `
steps:
  - {id: a, run: a, parallel: true}
  - {id: b, run: b, parallel: true}
  - {id: after, run: x}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a fails", "a failed exit_code"],
        ["b completes", "b completed", "after skipped upstream_failed", "run failed"],
      ],
    },
    {
      title: "`failFast: false` at the workflow",
      workflow: `
parallel: {failFast: false}
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: [b]}`,
      play: [
        ["start", "b starts", "a starts"],
        ["a fails", "a failed exit_code"],
        ["b completes", "b completed", "c starts"],
        ["c completes", "c completed", "run failed"],
      ],
    },
  ],
};

const rescuers: Rule = {
  id: "mode.rescuers",
  place: PLACE,
  text: "In a scope that has stopped, members with a failure or settled edge go on, and still start when their join is met with such an edge satisfied.",
  scenarios: [
    {
      title: "a running handler is left alone, a clean-up still starts",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: handler, run: h, dependsOn: [a.error]}
  - {id: b, run: b, dependsOn: []}
  - {id: cleanup, run: x, dependsOn: [b], join: settled}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a fails", "a failed exit_code", "handler starts"],
        ["b fails", "b failed exit_code", "cleanup starts"],
        ["cleanup completes", "cleanup completed"],
        ["handler completes", "handler completed", "run failed"],
      ],
    },
    {
      title: "one whose join is met by a success edge alone does not start any more",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: [], when: "inputs.x"}
  - {id: mixed, run: x, dependsOn: [b, a.error], join: any, startDelay: 5s}
  - {id: bad, run: bad, dependsOn: []}`,
      play: [
        ["start", "b starts", "a starts", "bad starts"],
        ["b completes", "b completed", "mixed waits for delay"],
        ["bad fails", "bad failed exit_code", "mixed skipped scope_failed", "stop a"],
        ["a stops", "a canceled scope_failed", "run failed"],
      ],
    },
  ],
};

const outside: Rule = {
  id: "scope.stopped_from_outside",
  place: PLACE,
  text: "A scope stopped from outside (its own timeout, a cancel, a stopping parent, a lost race) ignores its mode and starts nothing more; a timeout makes it failed `timeout`, anything else canceled, or skipped if it never started.",
  scenarios: [
    {
      title: "its own timeout, counted from the moment the block became ready",
      workflow: `
steps:
  - id: block
    parallel:
      timeout: 10s
      onFailure: continue
      steps:
        - {id: a, run: a}
        - {id: b, run: b, dependsOn: [a]}`,
      play: [
        ["start", "block starts", "a starts"],
        ["10s pass", "b skipped scope_failed", "stop a"],
        ["a stops", "a canceled scope_timeout", "block failed timeout", "run failed"],
      ],
    },
    {
      title: "a stopping parent",
      workflow: `
steps:
  - {id: bad, run: bad, dependsOn: []}
  - id: block
    dependsOn: []
    parallel:
      onFailure: continue
      steps:
        - {id: a, run: a}
        - {id: cleanup, run: x, dependsOn: [a], join: settled}`,
      play: [
        ["start", "block starts", "a starts", "bad starts"],
        ["bad fails", "bad failed exit_code", "cleanup skipped scope_failed", "stop a"],
        ["a stops", "a canceled parent_stopped", "block canceled scope_failed", "run failed"],
      ],
    },
    {
      title: "a lost race",
      workflow: `
steps:
  - {id: fast, run: x, dependsOn: []}
  - id: block
    dependsOn: []
    parallel: {steps: [{id: a, run: a}]}
  - {id: use, run: x, dependsOn: [fast, block], join: first}`,
      play: [
        ["start", "fast starts", "block starts", "a starts"],
        ["fast completes", "fast completed", "stop a", "use starts"],
        ["a stops", "a canceled parent_stopped", "block canceled join_lost"],
        ["use completes", "use completed", "run completed"],
      ],
    },
    {
      title: "a block that never started is skipped",
      workflow: `
parallel: {maxConcurrent: 1}
steps:
  - {id: bad, run: bad, dependsOn: []}
  - id: block
    dependsOn: []
    parallel: {steps: [{id: a, run: a}]}`,
      play: [
        ["start", "bad starts"],
        ["bad fails", "bad failed exit_code", "a skipped scope_failed", "block skipped scope_failed", "run failed"],
      ],
    },
  ],
};

const settles: Rule = {
  id: "scope.settles",
  place: "kernel/scope.ts",
  text: "A scope settles, and tells its parent, only when all its members have settled; its end comes after theirs, inner scopes before outer ones.",
  scenarios: [
    {
      title: "nested blocks",
      workflow: `
steps:
  - id: outer
    parallel:
      steps:
        - {id: a, run: a}
        - id: inner
          parallel: {steps: [{id: b, run: b}]}`,
      play: [
        ["start", "outer starts", "a starts", "inner starts", "b starts"],
        ["b completes", "b completed", "inner completed"],
        ["a completes", "a completed", "outer completed", "run completed"],
      ],
    },
    {
      title: "a block whose members were all skipped completes",
      workflow: `
steps:
  - id: block
    parallel: {steps: [{id: a, run: a, when: "inputs.no"}]}`,
      answers: { a: { when: false } },
      play: [["start", "a skipped condition", "block starts", "block completed", "run completed"]],
    },
  ],
};

const last: Rule = {
  id: "run.finally",
  place: "kernel/run.ts",
  text: "`finally` is a scope in mode `continue` whose order edges are `settled`. It starts when every step has settled and `output` has been evaluated, and its failure turns only a completed run into failed. `onSuccess` and `onFailure` lists run before it.",
  scenarios: [
    {
      title: "runs after a failure, and after the `onFailure` list",
      workflow: `
steps: [{id: a, run: a}]
onSuccess: [{id: good, run: x}]
onFailure: [{id: bad, run: x}]
finally:
  - {id: f1, run: x}
  - {id: f2, run: x}`,
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "good skipped branch_not_taken", "bad starts"],
        ["bad completes", "bad completed", "f1 starts"],
        ["f1 fails", "f1 failed exit_code", "f2 starts"],
        ["f2 completes", "f2 completed", "run failed"],
      ],
    },
    {
      title: "its failure fails a completed run",
      workflow: `
steps: [{id: a, run: a}]
output: {x: 1}
finally: [{id: f, run: x}]`,
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "f starts"],
        ["f fails", "f failed exit_code", "run failed"],
      ],
    },
    {
      title: "it starts after a cancel; a second cancel stops it",
      workflow: `
steps: [{id: a, run: a}]
finally: [{id: f, run: x}]`,
      play: [
        ["start", "a starts"],
        ["cancel", "stop a"],
        ["a stops", "a canceled run_canceled", "f starts"],
        ["cancel", "stop f"],
        ["f stops", "f canceled run_canceled", "run canceled"],
      ],
    },
    {
      title: "a second cancel before it starts keeps it from starting",
      workflow: `
steps: [{id: a, run: a}]
finally: [{id: f, run: x}]`,
      play: [
        ["start", "a starts"],
        ["cancel", "stop a"],
        ["cancel"],
        ["a stops", "a canceled run_canceled", "f skipped run_canceled", "run canceled"],
      ],
    },
    {
      title: "the run's timeout does not reach it",
      workflow: `
timeout: 5s
steps: [{id: a, run: a}]
finally: [{id: f, run: x}]`,
      play: [
        ["start", "a starts"],
        ["5s pass", "stop a"],
        ["a stops", "a canceled run_timeout", "f starts"],
        ["60s pass"],
        ["f completes", "f completed", "run failed"],
      ],
    },
  ],
};

const status: Rule = {
  id: "run.status",
  place: "kernel/run.ts",
  text: "A cancel accepted before the end makes the run canceled; else it failed if the root scope, `finally` or `output` failed; else it completed, even if every step was skipped.",
  scenarios: [
    {
      title: "every step skipped: completed",
      workflow: `
steps: [{id: a, run: a, when: "inputs.no"}]`,
      answers: { a: { when: false } },
      play: [["start", "a skipped condition", "run completed"]],
    },
    {
      title: "a cancel while `finally` runs",
      workflow: `
steps: [{id: a, run: a}]
finally: [{id: f, run: x}]`,
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "f starts"],
        ["cancel"],
        ["f completes", "f completed", "run canceled"],
      ],
    },
    {
      title: "an output that cannot be evaluated",
      workflow: `
steps: [{id: a, run: a}]
output: {x: "\${{ steps.a.output.stdout }}"}`,
      answers: { output: { error: { code: "output_invalid", message: "no such value" } } },
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "run failed"],
      ],
    },
    {
      title: "canceled before it started: nothing runs, not even `finally`",
      workflow: `
steps: [{id: a, run: a}]
finally: [{id: f, run: x}]`,
      play: [["create"], ["cancel", "a skipped run_canceled", "f skipped run_canceled", "run canceled"]],
    },
  ],
};

export const scopes: Chapter = {
  title: "Scopes, modes and the end of a run",
  intro: "The run is the root scope; a parallel block, a group of marked steps and a map are scopes too.",
  rules: [failAll, completeRunning, goOn, rescuers, outside, settles, last, status],
};

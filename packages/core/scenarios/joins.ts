import type { Chapter, Rule } from "./scenario.ts";

const PLACE = "kernel/join.ts";

const three = (join: string): string => `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: []}
  - {id: d, run: d, dependsOn: [a, b, c], join: ${join}}
onFailure: continue`;

const all: Rule = {
  id: "join.all",
  place: PLACE,
  text: "`all`, the default, starts when every edge is resolved, none dead or cut and at least one satisfied; it is skipped at the first dead or cut edge, or when all are neutral.",
  scenarios: [
    {
      title: "waits for every edge",
      workflow: three("all"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a completes", "a completed"],
        ["c completes", "c completed"],
        ["b completes", "b completed", "d starts"],
        ["d completes", "d completed", "run completed"],
      ],
    },
    {
      title: "is skipped at the first dead edge, while others still run",
      workflow: three("all"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["b fails", "b failed exit_code", "d skipped upstream_failed"],
        ["a completes", "a completed"],
        ["c completes", "c completed", "run failed"],
      ],
    },
    {
      title: "a neutral edge is no obstacle: two branches of an if/else rejoin",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: then, run: x, dependsOn: [a], when: "inputs.yes"}
  - {id: otherwise, run: x, dependsOn: [a], when: "inputs.no"}
  - {id: after, run: x, dependsOn: [then, otherwise]}`,
      answers: { otherwise: { when: false } },
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "then starts", "otherwise skipped condition"],
        ["then completes", "then completed", "after starts"],
        ["after completes", "after completed", "run completed"],
      ],
    },
    {
      title: "all neutral: skipped",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], when: "inputs.no"}
  - {id: b, run: b, dependsOn: [], when: "inputs.no"}
  - {id: c, run: c, dependsOn: [a, b]}`,
      answers: { a: { when: false }, b: { when: false } },
      play: [["start", "a skipped condition", "b skipped condition", "c skipped upstream_skipped", "run completed"]],
    },
  ],
};

const any: Rule = {
  id: "join.any",
  place: PLACE,
  text: "`any` starts the moment one edge is satisfied, and the others go on; it is skipped when all are resolved and none is satisfied. Late results change nothing downstream of a join that has fired.",
  scenarios: [
    {
      title: "starts at once, the others go on",
      workflow: three("any"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["b completes", "b completed", "d starts"],
        ["d completes", "d completed"],
        ["a completes", "a completed"],
        ["c completes", "c completed", "run completed"],
      ],
    },
    {
      title: "is skipped when nothing is left",
      workflow: three("any"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a fails", "a failed exit_code"],
        ["b fails", "b failed exit_code"],
        ["c fails", "c failed exit_code", "d skipped upstream_failed", "run failed"],
      ],
    },
  ],
};

const first: Rule = {
  id: "join.first",
  place: "kernel/race.ts",
  text: "`first` starts as `any` does and cancels the losers: unsettled steps that only the race needed, and what only they needed. A loser is never a failure, and one that completes before it stops is completed.",
  scenarios: [
    {
      title: "the losers are told to stop and are canceled",
      workflow: three("first"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["b completes", "b completed", "stop a", "stop c", "d starts"],
        ["a stops", "a canceled join_lost"],
        ["d completes", "d completed"],
        ["c completes", "c completed", "run completed"],
      ],
    },
    {
      title: "a loser that had not started is skipped, and so is what only led to it",
      workflow: `
steps:
  - {id: fast, run: x, dependsOn: []}
  - {id: slow1, run: x, dependsOn: []}
  - {id: slow2, run: x, dependsOn: [slow1]}
  - {id: winner, run: x, dependsOn: [fast, slow2], join: first}`,
      play: [
        ["start", "slow1 starts", "fast starts"],
        ["fast completes", "fast completed", "slow2 skipped join_lost", "stop slow1", "winner starts"],
        ["slow1 stops", "slow1 canceled join_lost"],
        ["winner completes", "winner completed", "run completed"],
      ],
    },
    {
      title: "a racer that another step still waits for is no loser",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: []}
  - {id: d, run: d, dependsOn: [a, b], join: first}
  - {id: report, run: x, dependsOn: [b]}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a completes", "a completed", "d starts"],
        ["b completes", "b completed", "report starts"],
      ],
    },
    {
      title: "failure and settled edges keep nothing alive",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: b, run: b, dependsOn: []}
  - {id: d, run: d, dependsOn: [a, b], join: first}
  - {id: report, run: x, dependsOn: [{step: b, on: settled}]}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a completes", "a completed", "stop b", "d starts"],
        ["b stops", "b canceled join_lost", "report starts"],
      ],
    },
    {
      title: "a step that became ready and lost its race in one transition is skipped",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: mirror, run: x, dependsOn: [a]}
  - {id: d, run: d, dependsOn: [a, mirror], join: first}`,
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "mirror skipped join_lost", "d starts"],
      ],
    },
    {
      title: "a racer may fail while the other is still in the race",
      workflow: three("first"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a fails", "a failed exit_code"],
        ["b completes", "b completed", "stop c", "d starts"],
        ["c stops", "c canceled join_lost"],
        ["d completes", "d completed", "run completed"],
      ],
    },
  ],
};

const quorum: Rule = {
  id: "join.quorum",
  place: PLACE,
  text: "`quorum: n` starts the moment n edges are satisfied, and is skipped the moment satisfied and unresolved edges together are fewer than n. With `cancelRest: true` it cancels the losers.",
  scenarios: [
    {
      title: "two of three",
      workflow: three("{quorum: 2}"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a completes", "a completed"],
        ["c completes", "c completed", "d starts"],
        ["b completes", "b completed"],
      ],
    },
    {
      title: "given up as soon as it is out of reach",
      workflow: three("{quorum: 2}"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a fails", "a failed exit_code"],
        ["c fails", "c failed exit_code", "d skipped upstream_failed"],
      ],
    },
    {
      title: "`cancelRest`",
      workflow: three("{quorum: 2, cancelRest: true}"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a completes", "a completed"],
        ["c completes", "c completed", "stop b", "d starts"],
      ],
    },
    {
      title: "a neutral edge does not count",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], when: "inputs.no"}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: []}
  - {id: d, run: d, dependsOn: [a, b, c], join: {quorum: 2}}`,
      answers: { a: { when: false } },
      play: [
        ["start", "a skipped condition", "b starts", "c starts"],
        ["b completes", "b completed"],
        ["c completes", "c completed", "d starts"],
      ],
    },
  ],
};

const settled: Rule = {
  id: "join.settled",
  place: PLACE,
  text: "`settled` starts when every edge is resolved, each read as `on: settled`; it is skipped only when its scope is stopped from outside.",
  scenarios: [
    {
      title: "starts whatever its sources did",
      workflow: three("settled"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a fails", "a failed exit_code"],
        ["b completes", "b completed"],
        ["c completes", "c completed", "d starts"],
        ["d completes", "d completed", "run failed"],
      ],
    },
    {
      title: "also in a scope that has stopped",
      workflow: three("settled").replace("onFailure: continue", ""),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["a fails", "a failed exit_code", "stop b", "stop c"],
        ["b stops", "b canceled scope_failed"],
        ["c stops", "c canceled scope_failed", "d starts"],
        ["d completes", "d completed", "run failed"],
      ],
    },
    {
      title: "but not after a cancel",
      workflow: three("settled"),
      play: [
        ["start", "a starts", "b starts", "c starts"],
        ["cancel", "d skipped run_canceled", "stop a", "stop b", "stop c"],
        ["a stops", "a canceled run_canceled"],
        ["b stops", "b canceled run_canceled"],
        ["c stops", "c canceled run_canceled", "run canceled"],
      ],
    },
  ],
};

const noWaves: Rule = {
  id: "join.no_waves",
  place: PLACE,
  text: "The moment is wall-clock time: a step never waits for one it does not depend on.",
  scenarios: [
    {
      title: "a child starts when its own parents are done, while an unrelated sibling still runs",
      workflow: `
steps:
  - {id: quick, run: x, dependsOn: []}
  - {id: slow, run: x, dependsOn: []}
  - {id: child, run: x, dependsOn: [quick]}
  - {id: grandchild, run: x, dependsOn: [child]}`,
      play: [
        ["start", "quick starts", "slow starts"],
        ["quick completes", "quick completed", "child starts"],
        ["child completes", "child completed", "grandchild starts"],
        ["grandchild completes", "grandchild completed"],
        ["slow completes", "slow completed", "run completed"],
      ],
    },
  ],
};

const reason: Rule = {
  id: "join.skip_reason",
  place: PLACE,
  text: "The reason of a skip is `upstream_failed` if an edge is dead, else `upstream_skipped` if a source was skipped or an edge cut, else `branch_not_taken`.",
  scenarios: [
    {
      title: "dead before skipped",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], when: "inputs.no"}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: [a, b], join: any}
onFailure: continue`,
      answers: { a: { when: false } },
      play: [
        ["start", "a skipped condition", "b starts"],
        ["b fails", "b failed exit_code", "c skipped upstream_failed", "run failed"],
      ],
    },
    {
      title: "branch not taken",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: c, run: c, dependsOn: [a.error]}`,
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "c skipped branch_not_taken", "run completed"],
      ],
    },
  ],
};

export const joins: Chapter = {
  title: "Joins",
  intro:
    "When a step with several incoming edges starts. Events apply one at a time, in the order in which the host accepted them.",
  rules: [all, any, first, quorum, settled, noWaves, reason],
};

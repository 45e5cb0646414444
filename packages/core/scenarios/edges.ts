import type { Chapter, Rule } from "./scenario.ts";

/** `b` hangs on `a` by one edge; what `a` does decides what the edge becomes. */
const on = (kind: string, extra = ""): string => `
steps:
  - {id: a, run: a, dependsOn: []${extra}}
  - {id: b, run: b, dependsOn: [{step: a, on: ${kind}}]}
  - {id: other, run: other, dependsOn: []}
onFailure: continue`;

const PLACE = "kernel/edge.ts";

const success: Rule = {
  id: "edge.success",
  place: PLACE,
  text: "A success edge says that its target needs the source: satisfied when the source completed, dead when it failed, was lost or was canceled, neutral when it was skipped by choice.",
  scenarios: [
    {
      title: "completed: satisfied",
      workflow: on("success"),
      play: [
        ["start", "a starts", "other starts"],
        ["a completes", "a completed", "b starts"],
        ["b completes", "b completed"],
        ["other completes", "other completed", "run completed"],
      ],
    },
    {
      title: "failed: dead",
      workflow: on("success"),
      play: [
        ["start", "a starts", "other starts"],
        ["a fails", "a failed exit_code", "b skipped upstream_failed"],
        ["other completes", "other completed", "run failed"],
      ],
    },
    {
      title: "skipped by choice: neutral, and a step with nothing but neutral edges is skipped by choice in turn",
      workflow: on("success", ', when: "inputs.never"'),
      answers: { a: { when: false } },
      play: [
        ["start", "a skipped condition", "b skipped upstream_skipped", "other starts"],
        ["other completes", "other completed", "run completed"],
      ],
    },
    {
      title: "failed and tolerated: satisfied, without an output",
      workflow: on("success", ", continueOnError: true"),
      play: [
        ["start", "a starts", "other starts"],
        ["a fails", "a failed exit_code", "b starts"],
        ["b completes", "b completed"],
        ["other completes", "other completed", "run completed"],
      ],
    },
    {
      title: "failed and tolerated, into `any`: neutral",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], continueOnError: true}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: [a, b], join: any}`,
      play: [
        ["start", "a starts", "b starts"],
        ["a fails", "a failed exit_code"],
        ["b completes", "b completed", "c starts"],
        ["c completes", "c completed", "run completed"],
      ],
    },
    {
      title: "lost and canceled: dead",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: []}
  - {id: bad, run: bad, dependsOn: []}
  - {id: b, run: b, dependsOn: [a]}
  - {id: lost, run: lost, dependsOn: [bad]}
  - {id: after, run: after, dependsOn: [lost, a]}`,
      play: [
        ["start", "bad starts", "a starts"],
        [
          "bad fails",
          "bad failed exit_code",
          "lost skipped upstream_failed",
          "after skipped upstream_failed",
          "b skipped scope_failed",
          "stop a",
        ],
        ["a stops", "a canceled scope_failed", "run failed"],
      ],
    },
  ],
};

const order: Rule = {
  id: "edge.order",
  place: PLACE,
  text: "An order edge (of a sequence or a group barrier) only says after: it is satisfied also by a source that was skipped by choice or failed tolerated; a failed, lost or canceled source makes it dead. So a false condition does not end a sequential file.",
  scenarios: [
    {
      title: "a step whose condition is false does not end a sequential file",
      workflow: `
steps:
  - {id: a, run: a}
  - {id: b, run: b, when: "inputs.never"}
  - {id: c, run: c}`,
      answers: { b: { when: false } },
      play: [
        ["start", "a starts"],
        ["a completes", "a completed", "b skipped condition", "c starts"],
        ["c completes", "c completed", "run completed"],
      ],
    },
    {
      title: "a tolerated failure does not end it either",
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
      title: "a failure does",
      workflow: `
steps:
  - {id: a, run: a}
  - {id: b, run: b}
  - {id: c, run: c}`,
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "b skipped upstream_failed", "c skipped upstream_failed", "run failed"],
      ],
    },
  ],
};

const failure: Rule = {
  id: "edge.failure",
  place: PLACE,
  text: "A failure edge is satisfied by a failed source, tolerated or not, and neutral otherwise: a source that was canceled, lost or skipped starts no handler.",
  scenarios: [
    {
      title: "failed: the handler starts, and the error-only child of a completed step is skipped",
      workflow: on("failure"),
      play: [
        ["start", "a starts", "other starts"],
        ["a fails", "a failed exit_code", "b starts"],
        ["b completes", "b completed"],
        ["other completes", "other completed", "run completed"],
      ],
    },
    {
      title: "completed: neutral",
      workflow: on("failure"),
      play: [
        ["start", "a starts", "other starts"],
        ["a completes", "a completed", "b skipped branch_not_taken"],
        ["other completes", "other completed", "run completed"],
      ],
    },
    {
      title: "failed and tolerated: satisfied",
      workflow: on("failure", ", continueOnError: true"),
      play: [
        ["start", "a starts", "other starts"],
        ["a fails", "a failed exit_code", "b starts"],
        ["b completes", "b completed"],
        ["other completes", "other completed", "run completed"],
      ],
    },
    {
      title: "skipped by choice: neutral",
      workflow: on("failure", ', when: "inputs.never"'),
      answers: { a: { when: false } },
      play: [["start", "a skipped condition", "b skipped upstream_skipped", "other starts"]],
    },
    {
      title: "lost and canceled: neutral",
      workflow: `
steps:
  - {id: bad, run: bad, dependsOn: []}
  - {id: lost, run: lost, dependsOn: [bad]}
  - {id: b, run: b, dependsOn: [{step: lost, on: failure}]}
  - {id: running, run: running, dependsOn: []}
  - {id: c, run: c, dependsOn: [{step: running, on: failure}]}`,
      play: [
        ["start", "bad starts", "running starts"],
        [
          "bad fails",
          "bad failed exit_code",
          "lost skipped upstream_failed",
          "b skipped upstream_skipped",
          "stop running",
        ],
        ["running stops", "running canceled scope_failed", "c skipped branch_not_taken", "run failed"],
      ],
    },
  ],
};

const settled: Rule = {
  id: "edge.settled",
  place: PLACE,
  text: "A settled edge is satisfied however its source ended.",
  scenarios: [
    ...(["completes", "fails"] as const).map((outcome) => ({
      title: outcome === "completes" ? "completed" : "failed",
      workflow: on("settled"),
      play: [
        ["start", "a starts", "other starts"],
        [`a ${outcome}`, outcome === "completes" ? "a completed" : "a failed exit_code", "b starts"],
      ] as const,
    })),
    {
      title: "skipped by choice, lost and canceled",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], when: "inputs.never"}
  - {id: afterA, run: x, dependsOn: [{step: a, on: settled}]}
  - {id: bad, run: bad, dependsOn: []}
  - {id: lost, run: lost, dependsOn: [bad]}
  - {id: afterLost, run: x, dependsOn: [{step: lost, on: settled}]}
  - {id: slow, run: slow, dependsOn: []}
  - {id: afterSlow, run: x, dependsOn: [{step: slow, on: settled}]}`,
      answers: { a: { when: false } },
      play: [
        ["start", "a skipped condition", "afterA starts", "bad starts", "slow starts"],
        ["bad fails", "bad failed exit_code", "lost skipped upstream_failed", "stop slow", "afterLost starts"],
        ["slow stops", "slow canceled scope_failed", "afterSlow starts"],
        ["afterA completes", "afterA completed"],
        ["afterLost completes", "afterLost completed"],
        ["afterSlow completes", "afterSlow completed", "run failed"],
      ],
    },
  ],
};

const ports: Rule = {
  id: "edge.port",
  place: PLACE,
  text: "An edge that leaves an output port is neutral when its source completed with other ports only.",
  scenarios: [
    {
      title: "if/else by ports, and both branches rejoin",
      workflow: `
nodes:
  - {id: choose, type: choose}
  - {id: yes, type: work}
  - {id: no, type: work}
  - {id: join, type: work}
edges:
  - {id: e1, source: choose, target: "yes", sourceHandle: accept, targetHandle: in}
  - {id: e2, source: choose, target: "no", sourceHandle: decline, targetHandle: in}
  - {id: e3, source: "yes", target: join}
  - {id: e4, source: "no", target: join}`,
      play: [
        ["start", "choose starts"],
        ["choose completes with port accept", "choose completed", "no skipped branch_not_taken", "yes starts"],
        ["yes completes", "yes completed", "join starts"],
        ["join completes", "join completed", "run completed"],
      ],
    },
  ],
};

const cut: Rule = {
  id: "edge.cut",
  place: PLACE,
  text: "`whenUnmet: skipBranch` of a skipped step and `onError: skipDependents` of a failed one cut its success and order edges. What a cut edge takes down is skipped `upstream_skipped`, and its edges are cut in turn; a cut fails nothing.",
  scenarios: [
    {
      title: "`skipBranch` takes down all that follows, also over order edges",
      workflow: `
steps:
  - {id: a, run: a, when: "inputs.never", whenUnmet: skipBranch}
  - {id: b, run: b}
  - {id: c, run: c}`,
      answers: { a: { when: false } },
      play: [
        ["start", "a skipped condition", "b skipped upstream_skipped", "c skipped upstream_skipped", "run completed"],
      ],
    },
    {
      title: "`skipDependents` counts as tolerated, and its failure edges still work",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], onError: skipDependents}
  - {id: b, run: b, dependsOn: [a]}
  - {id: c, run: c, dependsOn: [b]}
  - {id: report, run: report, dependsOn: [{step: a, on: failure}]}`,
      play: [
        ["start", "a starts"],
        ["a fails", "a failed exit_code", "b skipped upstream_skipped", "c skipped upstream_skipped", "report starts"],
        ["report completes", "report completed", "run completed"],
      ],
    },
    {
      title: "a join of a cut and a living branch is taken down",
      workflow: `
steps:
  - {id: a, run: a, dependsOn: [], when: "inputs.never", whenUnmet: skipBranch}
  - {id: b, run: b, dependsOn: []}
  - {id: c, run: c, dependsOn: [a, b]}`,
      answers: { a: { when: false } },
      play: [
        ["start", "a skipped condition", "c skipped upstream_skipped", "b starts"],
        ["b completes", "b completed", "run completed"],
      ],
    },
  ],
};

export const edges: Chapter = {
  title: "Edges",
  intro:
    "An edge joins two steps of one list; a block or a map is a plain step of the list that holds it. When its source has settled, the edge becomes satisfied, neutral, dead or cut, once per epoch.",
  rules: [success, order, failure, settled, ports, cut],
};

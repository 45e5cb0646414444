import { z } from "zod";
import { key, section } from "./section.ts";
import type { Shape } from "./section.ts";
import {
  anything,
  cap,
  command,
  duration,
  items,
  jsonSchemaObject,
  mode,
  params,
  rateLimit,
  retry,
  templateText,
  text,
  variables,
  words,
} from "./values.ts";

const id = z.string().regex(/^(?!(?:__proto__|constructor|prototype)$)[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/);

const dependency = z
  .union([
    text,
    section(
      "dependency",
      {
        step: key(text, "Id or name of the step."),
        on: key(words("success", "failure", "settled"), "What has to happen to it. Default `success`."),
        port: key(text, "Output port of the step; the dependency is neutral when the step ends by other ports."),
      },
      { about: "One step that this one waits for." },
    ),
  ])
  .meta({ id: "anyDependency", description: "An id or name, `id.error` for its failure, or a mapping." });

const join = z
  .union([
    words("all", "any", "first", "settled"),
    section(
      "join",
      {
        quorum: key(z.int().positive(), "How many dependencies have to be satisfied."),
        cancelRest: key(z.boolean(), "Whether the others are canceled then. Default false."),
      },
      { about: "How many dependencies are enough.", required: ["quorum"] },
    ),
  ])
  .meta({ id: "anyJoin", description: "When a step with several dependencies may start. Default `all`." });

const forEach = z
  .union([
    items,
    section(
      "forEach",
      {
        items: key(items, "A list, or a template that gives one."),
        as: key(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), "Another name for `item` in expressions."),
        maxConcurrent: key(cap, "How many items may run at the same time."),
        rateLimit: key(rateLimit, "How fast items may start."),
        onFailure: key(mode, "What a failed item means for the others. Default `fail_all`."),
        tolerateFailures: key(
          z.union([z.int().nonnegative(), z.string().regex(/^(?:100|\d{1,2}(?:\.\d{1,6})?)\s?%$/)]),
          "How many items, or which share such as `10%`, may fail without failing the step.",
        ),
      },
      { about: "What the step runs for, and its limits.", required: ["items"] },
    ),
  ])
  .meta({ id: "anyForEach", description: "Runs the step once for each item." });

const runner = z
  .union([
    words("inline", "process", "docker", "remote"),
    z.looseObject({ kind: words("inline", "process", "docker", "remote") }),
  ])
  .meta({ id: "runner", description: "Where attempts run." });

const resources = z.record(z.string(), z.number().nonnegative());

const concurrency = section(
  "stepConcurrency",
  {
    key: key(templateText, "Steps of all runs with the same key share the limit."),
    max: key(cap, "How many of them may run at the same time. Default 1."),
  },
  { about: "A limit over all runs for steps that share a key.", required: ["key"] },
);

const sleep = z.union([
  duration,
  section("sleep", { duration: key(duration, "How long.") }, { about: "A wait.", required: ["duration"] }),
]);

const approval = z.union([
  z.null(),
  z.literal(true),
  text,
  section("approval", { message: key(text, "Shown to the person who decides.") }, { about: "A decision of a person." }),
]);

const signal = z.union([
  templateText,
  section(
    "signal",
    { name: key(templateText, "Name of the signal.") },
    { about: "A signal from outside.", required: ["name"] },
  ),
]);

const block = z.lazy(() =>
  section(
    "block",
    {
      name: key(text, "For people. The id is made from it when the step has none."),
      steps: key(z.array(step).min(1), "Steps that run at the same time, unless they depend on each other."),
      onFailure: key(mode, "What a failed step means for the others. Default `fail_all`."),
      timeout: key(duration, "Limit of the whole block."),
      maxConcurrent: key(cap, "How many of the steps may run at the same time."),
      rateLimit: key(rateLimit, "How fast the steps may start."),
    },
    { about: "Steps that run at the same time.", required: ["steps"] },
  ),
);

/** Keys of a step that a node of a graph has too. */
export const SHARED_SHAPE: Shape = {
  id: key(id, "Unique in the whole workflow: letters, digits, `-` and `_`. Made from `name` when absent."),
  name: key(text, "For people; `dependsOn` may use it too."),
  description: key(z.string(), "What the step is for."),
  run: key(
    text,
    "A script for the shell. Its output is the exit code, stdout, stderr, and what it wrote to `$BRAID_OUTPUT`.",
  ),
  command: key(command, "A program with its arguments."),
  params: key(params, "Parameters of `command`, or of a type bound to one; each becomes a flag."),
  type: key(text, "A step type: built in, bound under `types`, or registered with the engine."),
  with: key(anything, "Input of `type` or `workflow`. Texts may hold templates."),
  workflow: key(templateText, "Runs another workflow and waits for it."),
  sleep: key(sleep, "Waits so long."),
  approval: key(approval, "Waits until a person approves; may hold a message."),
  signal: key(signal, "Waits for a signal of this name."),
  join: key(join, "When the step may start: `all`, `any`, `first`, `settled` or `{quorum: n}`. Default `all`."),
  when: key(z.union([z.boolean(), text]), "Condition; the step is skipped when it is false."),
  whenUnmet: key(words("skip", "skipBranch", "fail"), "What an unmet condition does. Default `skip`."),
  forEach: key(forEach, "Runs the step once for each item: a list, a template, or a mapping with limits."),
  retry: key(retry, "How often and how fast a failed task is repeated. Default not at all."),
  timeout: key(duration, "Limit of one attempt, or of the whole block."),
  deadline: key(duration, "Limit of all attempts together, waits included."),
  startDelay: key(duration, "Wait between the moment the step may start and its start."),
  continueOnError: key(z.boolean(), "Whether a failure of the step is tolerated. Default false."),
  onError: key(
    words("fail", "continue", "skipDependents"),
    "What a failure means for the steps after it. Default `fail`.",
  ),
  onFailure: key(words("fail", "continue", "skip"), "`continue` and `skip` tolerate a failure. Default `fail`."),
  priority: key(z.int(), "Higher starts first. Default 0."),
  concurrency: key(concurrency, "A limit over all runs for steps that share a key."),
  maxConcurrent: key(cap, "For a block: how many of its steps may run at the same time."),
  rateLimit: key(rateLimit, "How fast attempts of the step, or steps of the block, may start."),
  queue: key(text, "Only workers that serve this queue run the step."),
  resources: key(resources, "What a worker must have free, such as `{cpu: 2}`."),
  runner: key(runner, "Where attempts run: `inline`, `process`, `docker` or `remote`."),
  env: key(variables, "Environment variables of the step."),
  shell: key(text, "The shell for `run`, and for a `command` with `!`."),
  workingDirectory: key(templateText, "Where the program runs. Default the directory of the file."),
  set: key(jsonSchemaObject, "What the step writes to the shared context when it completes."),
  output: key(jsonSchemaObject, "JSON Schema that the step's output must fit."),
};

export const step: z.ZodType = z.lazy(() =>
  section(
    "step",
    {
      ...SHARED_SHAPE,
      parallel: key(
        z.union([z.boolean(), z.array(step).min(1), block]),
        "`true` runs the step beside its marked neighbours; a list or mapping is a block of steps.",
      ),
      parallelGroup: key(z.int().nonnegative(), "Neighbours with the same number run together. 0 means unmarked."),
      dependsOn: key(
        z.union([dependency, z.array(dependency)]),
        "What the step waits for. An empty list makes it a root of a graph.",
      ),
    },
    { about: "One step of a workflow." },
  ),
);

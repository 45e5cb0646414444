import { z } from "zod";
import { wordList } from "../word-list.ts";
import { key, section } from "./section.ts";
import type { Shape } from "./section.ts";
import { SHARED_SHAPE, step } from "./steps.ts";
import {
  anything,
  cap,
  command,
  duration,
  jsonSchemaObject,
  mode,
  rateLimit,
  retry,
  templateText,
  text,
  variables,
  words,
} from "./values.ts";

const typeNames = z.enum(["string", "number", "integer", "boolean", "array", "object", "null"]);

/** What a declaration may say beside the keys above; the words are those of JSON Schema. */
const KEYWORDS = wordList(`
  format const examples pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
  items prefixItems minItems maxItems uniqueItems properties additionalProperties anyOf oneOf allOf
`);

const input = section(
  "input",
  {
    type: key(z.union([typeNames, z.array(typeNames).min(1)]), "Type of the value, as in JSON Schema."),
    description: key(z.string(), "What the value is for."),
    default: key(anything, "Taken when the run does not give a value."),
    required: key(z.union([z.boolean(), z.array(z.string())]), "Whether a run must give a value. Default false."),
    enum: key(z.array(anything).min(1), "All values that are allowed."),
    title: key(z.string(), "A name for forms."),
    ...Object.fromEntries(
      KEYWORDS.map((keyword) => [keyword, key(anything, `The keyword \`${keyword}\` of JSON Schema.`)]),
    ),
  },
  { about: "What one input takes." },
);

/** One input by name; a whole JSON Schema in place of `inputs` has the same outer form, and only its own dialect can check it. */
const inputs = z.record(z.string(), z.union([input, z.string(), z.number(), z.boolean(), z.null(), z.array(anything)]));

const jsonSchemaOfInputs = z.looseObject({ type: z.literal("object") });

const secret = section(
  "secret",
  {
    env: key(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), "Variable of the worker that holds it."),
    file: key(text, "File of the worker that holds it."),
  },
  { about: "Where a worker reads the secret." },
);

const secretNames = z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/));

const typeBinding = section(
  "typeBinding",
  {
    run: key(text, "A script for the shell."),
    command: key(command, "A program with its arguments."),
    env: key(variables, "Environment variables of steps of this type."),
    shell: key(text, "The shell for `run`, and for a `command` with `!`."),
    workingDirectory: key(templateText, "Where the program runs."),
  },
  { about: "What a step of this type runs." },
);

const defaults = section(
  "defaults",
  {
    retry: key(retry, "For steps that say nothing about retries."),
    timeout: key(duration, "For steps that say nothing about the limit of an attempt."),
  },
  { about: "Settings of steps that do not have their own." },
);

const parallelConfig = section(
  "parallelConfig",
  {
    maxConcurrent: key(cap, "How many tasks of a run may run at the same time. Default 10."),
    rateLimit: key(rateLimit, "How fast tasks of a run may start."),
    failFast: key(z.boolean(), "`true` is `onFailure: fail_all`, `false` is `onFailure: continue`."),
  },
  { about: "Limits of a run." },
);

const concurrency = section(
  "runConcurrency",
  {
    group: key(templateText, "Runs with the same group share the limit. Default the workflow's name."),
    max: key(cap, "How many of them may run at the same time. Default 1."),
    onConflict: key(
      words("queue", "cancelRunning", "reject"),
      "What happens to a run that finds the limit reached. Default `queue`.",
    ),
  },
  { about: "A limit over the runs of the workflow." },
);

const scheduleEntry = z.union([text, jsonSchemaObject]);

const FRAME: Shape = {
  definitionVersion: key(z.literal(1), "Version of this format."),
  name: key(
    z
      .string()
      .regex(/^(?=.*\S)[^/\\]+$/)
      .max(256),
    "Name of the workflow. Default the name of the file.",
  ),
  description: key(z.string(), "What the workflow is for."),
  inputs: key(z.union([jsonSchemaOfInputs, inputs]), "What a run takes: a declaration by name, or a JSON Schema."),
  env: key(variables, "Environment variables of all steps."),
  secrets: key(
    z.union([secretNames, z.record(z.string(), z.union([secret, z.null()]))]),
    "Secrets, read where a step runs and never stored.",
  ),
  defaults: key(defaults, "Settings of steps that do not have their own."),
  parallel: key(parallelConfig, "Limits of a run."),
  concurrency: key(concurrency, "A limit over the runs of this workflow."),
  priority: key(z.int(), "Higher starts first. Default 0."),
  schedule: key(
    z.union([scheduleEntry, z.array(scheduleEntry)]),
    "When runs start by themselves: a cron expression, a mapping, or a list.",
  ),
  timeout: key(duration, "Limit of a whole run."),
  types: key(z.record(z.string(), typeBinding), "Step types of this file, bound to commands."),
  onSuccess: key(z.array(step), "Steps that run after a run that succeeded."),
  onFailure: key(z.union([mode, z.array(step)]), "A mode, or steps that run after a run that failed."),
  finally: key(z.array(step), "Steps that always run at the end."),
  output: key(anything, "What the run gives back. Texts may hold templates."),
};

export const workflow = section(
  "workflow",
  {
    ...FRAME,
    mode: key(
      words("sequential", "graph"),
      "Whether steps run in the order of the list, or only by their dependencies.",
    ),
    steps: key(z.array(step).min(1), "The steps, in order unless they are marked or have dependencies."),
  },
  { about: "A workflow with a list of steps.", required: ["steps"] },
);

const nodeShape: Shape = {
  ...SHARED_SHAPE,
  params: key(anything, "Input of the node's type."),
  maxConcurrency: key(cap, "How many tasks of this node may run at the same time, over all runs."),
  groupId: key(text, "A label, and the group whose limits the node shares."),
};

const KIND = words("success", "error", "failure", "settled");

const edgeShape: Shape = {
  id: key(anything, "Ignored."),
  source: key(text, "Id of the node it leaves."),
  target: key(text, "Id of the node it leads to."),
  sourceHandle: key(z.union([z.null(), text]), "Path in the source's output, and the port it leaves by."),
  targetHandle: key(z.union([z.null(), text]), "Name of the target's input."),
  edgeType: key(KIND, "What has to happen to the source: `success` or `error`. Default `success`."),
};

/** `data` is what an editor lets others write into: the same keys, among keys of its own. */
const ABOUT_DATA = "Where editors keep what others write: it may hold the keys of the node or edge.";

const node = section(
  "node",
  { ...nodeShape, data: key(section("nodeData", nodeShape, { about: ABOUT_DATA }), ABOUT_DATA) },
  { about: "One node of a graph: a step." },
);

const edge = section(
  "edge",
  { ...edgeShape, data: key(section("edgeData", edgeShape, { about: ABOUT_DATA }), ABOUT_DATA) },
  { about: "One edge of a graph: a dependency.", required: ["source", "target"] },
);

const group = section(
  "group",
  {
    maxConcurrent: key(cap, "How many of its nodes may run at the same time."),
    rateLimit: key(rateLimit, "How fast its nodes may start."),
  },
  { about: "Limits that nodes share." },
);

export const graph = section(
  "graph",
  {
    ...FRAME,
    nodes: key(z.array(node).min(1), "The nodes."),
    edges: key(z.array(edge), "What depends on what, and which output becomes which input."),
    groups: key(z.record(z.string(), group), "Limits that nodes share, by `groupId`."),
  },
  { about: "A workflow as nodes and edges.", required: ["nodes"] },
);

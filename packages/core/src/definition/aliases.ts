import { wordList } from "./word-list.ts";

/**
 * Every spelling that a definition may use, and the key that it means. This is the only file that knows them: readers ask
 * for canonical camelCase keys, and `meaning.ts` looks them up here.
 *
 * snake_case and kebab-case of every key are accepted without being listed.
 */

/** A place of a definition that has keys of its own. */
export type Section =
  | "workflow"
  | "graph"
  | "defaults"
  | "parallelConfig"
  | "runConcurrency"
  | "secret"
  | "typeBinding"
  | "input"
  | "step"
  | "block"
  | "forEach"
  | "retry"
  | "rateLimit"
  | "join"
  | "dependency"
  | "stepConcurrency"
  | "sleep"
  | "approval"
  | "signal"
  | "runInput"
  | "commandInput"
  | "workflowInput"
  | "node"
  | "nodeData"
  | "edge"
  | "edgeData"
  | "group";

/** What a number counts where the spelling says more than the canonical key does. */
export type Unit =
  /** Milliseconds instead of seconds. */
  | "milliseconds"
  /** Attempts after the first one. */
  | "retries"
  /** All attempts. */
  | "attempts";

/** A canonical key, and the unit that the spelling implies. */
export interface Meaning {
  readonly key: string;
  readonly unit?: Unit;
}

export interface SectionKeys {
  /** Canonical keys. */
  readonly keys: readonly string[];
  /** Other words for them, in camelCase. */
  readonly aliases?: { readonly [word: string]: string | Meaning };
  /** Words that do not work here, in camelCase, and what to do instead: a sentence. */
  readonly hints?: { readonly [word: string]: string };
  /** Words that are skipped in silence: what drawing programs keep beside a graph. */
  readonly ignored?: readonly string[];
  /** Whether unknown words are skipped too, because others keep theirs here; one that is near a key gets a warning. */
  readonly isOpen?: boolean;
  /** Keys that mean something without a value. Elsewhere a key without a value is skipped with a warning. */
  readonly withoutValue?: readonly string[];
}

const IN_MILLISECONDS = { key: "timeout", unit: "milliseconds" } as const;

const RETRY_WORDS = {
  retries: { key: "retry", unit: "retries" },
  maxAttempts: { key: "retry", unit: "attempts" },
} as const;

const WORKFLOW_KEYS = wordList(`
  definitionVersion name description inputs env secrets defaults parallel concurrency priority schedule timeout
  types onSuccess onFailure finally output
`);

const WORKFLOW_ALIASES = {
  vars: "inputs",
  variables: "inputs",
  parameters: "inputs",
  timeoutMs: IN_MILLISECONDS,
} as const;

const WORKFLOW_HINTS = {
  maxConcurrent: "Write it inside `parallel:`.",
  rateLimit: "Write it inside `parallel:`.",
  failFast: "Write it inside `parallel:`.",
  jobs: "Write a list `steps:`.",
  tasks: "Write a list `steps:`.",
  stages: "Write a list `steps:`; a stage is a step with `parallel:`.",
  retry: "Write it inside `defaults:`, or at a step.",
  retries: "Write `retry` inside `defaults:`, or at a step.",
  version: "The version of the format is `definitionVersion`; the version of a workflow is counted when it is stored.",
  on: "Write a cron expression in `schedule:`.",
} as const;

const STEP_KEYS = wordList(`
  id name description run command params type with workflow sleep approval signal parallel parallelGroup
  dependsOn join when whenUnmet forEach retry timeout deadline startDelay continueOnError onError onFailure
  priority concurrency maxConcurrent rateLimit queue resources runner env shell workingDirectory set output
`);

/** Declaration of one input: what everybody uses first, then what JSON Schema offers beside it. */
const INPUT_KEYS = wordList(`
  type description default required enum title format const examples pattern minLength maxLength minimum
  maximum exclusiveMinimum exclusiveMaximum multipleOf items prefixItems minItems maxItems uniqueItems
  properties additionalProperties anyOf oneOf allOf
`);

const STEP_ALIASES = {
  ...RETRY_WORDS,
  uses: "type",
  if: "when",
  condition: "when",
  runIf: "when",
  foreach: "forEach",
  joinStrategy: "join",
  runnerConfig: "runner",
  cwd: "workingDirectory",
  workingDir: "workingDirectory",
  timeoutMs: IN_MILLISECONDS,
} as const;

const STEP_HINTS = {
  needs: "Write `dependsOn`.",
  depends: "Write `dependsOn`.",
  dependencies: "Write `dependsOn`.",
  script: "Write `run`.",
  args: "Write `params` beside `command`, or `with` beside `type`.",
  inputs: "Write `with`.",
  input: "Write `with`.",
  steps: "Write `parallel: {steps: […]}` for a block.",
  delay: "Write `startDelay`, or `retry: {delay: …}`.",
  items: "Write `forEach`.",
  loop: "Write `forEach`.",
  matrix: "Write `forEach`.",
  wait: "Write `sleep`.",
  failFast: "Write `onFailure` inside `parallel:`.",
} as const;

/** A node has its edges for order and dependencies, and no steps inside. */
const NOT_IN_GRAPHS = new Set(["parallel", "parallelGroup", "dependsOn", "maxConcurrent"]);
const NODE_KEYS = [...STEP_KEYS.filter((key) => !NOT_IN_GRAPHS.has(key)), "groupId", "maxConcurrency"];

const NODE_ALIASES = { ...STEP_ALIASES, maxConcurrent: "maxConcurrency", parameters: "params" } as const;

const NODE_HINTS = {
  dependsOn: "In a graph, write an entry in `edges`.",
  needs: "In a graph, write an entry in `edges`.",
} as const;

/** What React Flow and editors like it keep at a node: how it is drawn. */
const DRAWING = wordList(`
  ariaLabel ariaRole className connectable data deletable domAttributes dragHandle draggable dragging
  expandParent extent focusable handles height hidden initialHeight initialWidth label measured origin parentId
  parentNode position positionAbsolute resizing selectable selected sourcePosition style targetPosition width
  zIndex
`);

const EDGE_DRAWING = wordList(`
  animated ariaLabel ariaRole className data deletable domAttributes focusable hidden interactionWidth label
  labelBgBorderRadius labelBgPadding labelBgStyle labelShowBg labelStyle markerEnd markerStart pathOptions
  reconnectable selectable selected style type updatable zIndex
`);

const EDGE = {
  keys: ["id", "source", "target", "sourceHandle", "targetHandle", "edgeType"],
  aliases: { kind: "edgeType" },
  // An editor writes them for every edge, mostly without a value.
  withoutValue: ["sourceHandle", "targetHandle"],
} as const;

export const SECTIONS: { readonly [S in Section]: SectionKeys } = {
  workflow: {
    keys: [...WORKFLOW_KEYS, "mode", "steps"],
    aliases: WORKFLOW_ALIASES,
    hints: WORKFLOW_HINTS,
    withoutValue: ["steps"],
  },
  graph: {
    keys: [...WORKFLOW_KEYS, "nodes", "edges", "groups"],
    aliases: WORKFLOW_ALIASES,
    hints: { ...WORKFLOW_HINTS, steps: "A graph has `nodes`; leave one of the two out." },
    ignored: ["viewport"],
    withoutValue: ["nodes"],
  },
  defaults: { keys: ["retry", "timeout"], aliases: { ...RETRY_WORDS, timeoutMs: IN_MILLISECONDS } },
  parallelConfig: {
    keys: ["maxConcurrent", "rateLimit", "failFast"],
    aliases: { maxConcurrency: "maxConcurrent" },
    hints: { onFailure: "Write it at the workflow." },
  },
  runConcurrency: { keys: ["group", "max", "onConflict"] },
  secret: { keys: ["env", "file"] },
  typeBinding: {
    keys: ["run", "command", "env", "shell", "workingDirectory"],
    aliases: { cwd: "workingDirectory", workingDir: "workingDirectory" },
    hints: { params: "`params` are written at the step; they become flags of the command." },
  },
  input: {
    keys: INPUT_KEYS,
    aliases: { options: "enum", choices: "enum" },
    withoutValue: ["default", "const"],
  },
  step: {
    keys: STEP_KEYS,
    aliases: STEP_ALIASES,
    hints: STEP_HINTS,
    withoutValue: ["run", "command", "type", "workflow", "sleep", "approval", "signal", "parallel", "dependsOn"],
  },
  block: {
    keys: ["name", "steps", "onFailure", "timeout", "maxConcurrent", "rateLimit"],
    aliases: { timeoutMs: IN_MILLISECONDS, maxConcurrency: "maxConcurrent" },
    hints: {
      id: "Write it beside `parallel:`.",
      dependsOn: "Write it beside `parallel:`.",
      when: "Write it beside `parallel:`.",
      if: "Write `when` beside `parallel:`.",
      failFast: "Write `onFailure: fail_all` or `onFailure: continue`.",
    },
    withoutValue: ["steps"],
  },
  forEach: {
    keys: ["items", "as", "maxConcurrent", "rateLimit", "onFailure", "tolerateFailures"],
    aliases: { maxConcurrency: "maxConcurrent" },
    withoutValue: ["items"],
  },
  retry: {
    keys: ["maxAttempts", "delay", "backoff", "factor", "maxDelay", "jitter", "on"],
    aliases: {
      attempts: "maxAttempts",
      retries: { key: "maxAttempts", unit: "retries" },
      baseDelay: "delay",
      initialDelay: "delay",
      multiplier: "factor",
      delayMs: { key: "delay", unit: "milliseconds" },
      maxDelayMs: { key: "maxDelay", unit: "milliseconds" },
    },
  },
  rateLimit: { keys: ["count", "per", "burst"], aliases: { limit: "count" } },
  join: { keys: ["quorum", "cancelRest"] },
  dependency: { keys: ["step", "on", "port"], aliases: { id: "step" } },
  stepConcurrency: { keys: ["key", "max"] },
  sleep: { keys: ["duration"] },
  approval: { keys: ["message"] },
  signal: { keys: ["name"] },
  runInput: {
    keys: ["run", "shell", "workingDirectory"],
    aliases: { script: "run", cwd: "workingDirectory", workingDir: "workingDirectory" },
  },
  commandInput: {
    keys: ["command", "params", "shell", "workingDirectory"],
    aliases: { cwd: "workingDirectory", workingDir: "workingDirectory" },
  },
  workflowInput: { keys: ["workflow", "input"], aliases: { name: "workflow", with: "input" } },
  node: { keys: NODE_KEYS, aliases: NODE_ALIASES, hints: NODE_HINTS, ignored: DRAWING },
  nodeData: { keys: NODE_KEYS, aliases: NODE_ALIASES, hints: NODE_HINTS, ignored: DRAWING, isOpen: true },
  edge: { ...EDGE, ignored: EDGE_DRAWING },
  edgeData: { ...EDGE, ignored: EDGE_DRAWING, isOpen: true },
  group: {
    keys: ["maxConcurrent", "rateLimit"],
    aliases: { maxConcurrency: "maxConcurrent" },
    ignored: ["id", "name", "label", "color", "description"],
  },
};

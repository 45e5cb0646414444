import { findAction, isBlock, readAction } from "./action.ts";
import { readDependencies } from "./dependencies.ts";
import { readDuration } from "./duration.ts";
import { isList, isObject, itemsOf, readFields } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import { FAILURE_MODES } from "./for-each.ts";
import { readIdentity } from "./identity.ts";
import { readCap, readRateLimit } from "./limits.ts";
import type { ActionDefinition, BlockDefinition, StepDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readSettings } from "./settings.ts";
import { readInteger, readList, readWord, reportExpected, reportMisplaced } from "./values.ts";
import { withoutUndefined } from "./without-undefined.ts";
import { wordList } from "./word-list.ts";

/** Reads a list of steps. A step that is no mapping is reported and left out. */
function readSteps(reading: Reading, field: Field): readonly StepDefinition[] {
  if (isObject(field.value)) {
    const hint = "Start each step with `-` and give it an `id`: the order of keys in a mapping has no meaning.";
    reportExpected(reading, field, { what: "a list of steps", hint });
    return [];
  }
  const list = readList(reading, field) ?? [];
  return itemsOf(field, list, "Step").flatMap((item) => readStep(reading, item) ?? []);
}

/** A list of steps that must not be empty. */
export function readSomeSteps(reading: Reading, field: Field): readonly StepDefinition[] {
  if (isList(field.value) && field.value.length === 0) {
    const message = `${field.label} has no step in it.`;
    reading.error({ code: "missing_value", message, hint: "For instance `- run: make test`.", path: field.at });
  }
  return readSteps(reading, field);
}

function readStep(reading: Reading, field: Field): StepDefinition | undefined {
  const fields = readFields(reading, field, "step");
  if (fields === undefined) return undefined;
  const parallel = fields.get("parallel");
  const key = findAction(reading, fields);
  if (key === "parallel" && isBlock(parallel)) return readBlockStep(reading, { field, fields, parallel });
  checkPlainStep(reading, fields, key !== undefined);
  const identity = readIdentity(reading, { id: fields.get("id"), name: fields.get("name") }, () =>
    numberedId(reading, field, key !== undefined),
  );
  const action = key === undefined || key === "parallel" ? undefined : readAction(reading, fields, key);
  return withoutUndefined({
    ...(identity ?? { id: field.at, name: field.at }),
    action: action ?? ({ kind: "none" } as const),
    dependsOn: readDependencies(reading, fields.get("dependsOn")),
    mark: readMark(reading, fields),
    ...readSettings(reading, fields),
    at: field.at,
  });
}

/** A number stands for a step that does something; a join that nobody can refer to is a mistake. */
function numberedId(reading: Reading, field: Field, hasAction: boolean): string | undefined {
  if (hasAction) return `step-${reading.nextNumber("step")}`;
  const message = `${field.label} has neither an \`id\` or \`name\` nor an action.`;
  reading.error({
    code: "missing_value",
    message,
    hint: "Give it an `id`, and what to do: `run`, `command`, `type` …",
    path: field.at,
  });
  return undefined;
}

/** Keys that mean something only where there is a scope, or something to repeat. */
function checkPlainStep(reading: Reading, fields: Fields, hasAction: boolean): void {
  const cap = fields.get("maxConcurrent");
  const forEach = fields.get("forEach");
  if (cap !== undefined) {
    const hint =
      forEach === undefined
        ? "Limit steps that share something with `concurrency: {key: …, max: …}`."
        : "Write it inside `forEach: {items: …, maxConcurrent: …}`.";
    reportMisplaced(reading, cap, { problem: "belongs to blocks and maps", hint });
  }
  if (forEach !== undefined && !hasAction) {
    reportMisplaced(reading, forEach, {
      problem: "has nothing to repeat",
      hint: "Give the step an action such as `run`.",
    });
  }
}

/** Mark of an order group. A number above 0 wins over `parallel: true`; 0 and `false` mean unmarked. */
function readMark(reading: Reading, fields: Fields): true | number | undefined {
  const parallel = fields.get("parallel");
  const group = fields.get("parallelGroup");
  if (parallel !== undefined && typeof parallel.value !== "boolean" && !isBlock(parallel)) {
    const hint = "`true` runs the step beside its neighbours; `{steps: […]}` is a block of steps.";
    reportExpected(reading, parallel, { what: "`true`, `false`, a mapping or a list of steps", hint });
  }
  const number = group && readInteger(reading, group, { least: 0 });
  if (number !== undefined && number > 0) return number;
  return parallel?.value === true ? true : undefined;
}

interface WrittenBlock {
  readonly field: Field;
  readonly fields: Fields;
  readonly parallel: Field;
}

function readBlockStep(reading: Reading, { field, fields, parallel }: WrittenBlock): StepDefinition {
  const inner: Fields = isList(parallel.value)
    ? new Map([["steps", parallel]])
    : (readFields(reading, parallel, "block") ?? new Map<string, Field>());
  const innerName = inner.get("name");
  const outerName = fields.get("name");
  const identity = readIdentity(
    reading,
    { id: fields.get("id"), name: outerName ?? innerName },
    () => `parallel-${reading.nextNumber("parallel")}`,
  );
  const allowed = new Map([...fields].filter(([key, member]) => isBlockKey(reading, key, member)));
  const settings = readSettings(reading, withoutKeys(allowed, BLOCK_LIMITS));
  const action: ActionDefinition = {
    kind: "parallel",
    block: readBlock(reading, { inner, outer: allowed, at: parallel }),
  };
  return withoutUndefined({
    ...(identity ?? { id: field.at, name: field.at }),
    action,
    dependsOn: readDependencies(reading, fields.get("dependsOn")),
    mark: readMark(reading, withoutKeys(fields, ["parallel"])),
    ...settings,
    at: field.at,
  });
}

/** Limits of a block, which may stand inside `parallel:` or beside it. */
const BLOCK_LIMITS = ["timeout", "maxConcurrent", "rateLimit"] as const;

function withoutKeys(fields: Fields, keys: readonly string[]): Fields {
  return new Map([...fields].filter(([key]) => !keys.includes(key)));
}

interface BlockParts {
  readonly inner: Fields;
  readonly outer: Fields;
  readonly at: Field;
}

function readBlock(reading: Reading, { inner, outer, at }: BlockParts): BlockDefinition {
  const limits = new Map<string, Field>();
  for (const key of BLOCK_LIMITS) {
    const inside = inner.get(key);
    const beside = outer.get(key);
    const field = inside ?? beside;
    if (field !== undefined) limits.set(key, field);
    if (inside === undefined || beside === undefined) continue;
    const problem = "is written inside `parallel` and beside it";
    reportMisplaced(reading, beside, { problem, hint: "Keep one of them." });
  }
  const steps = inner.get("steps");
  if (steps === undefined) {
    const message = "A parallel block has no `steps`.";
    reading.error({ code: "missing_value", message, hint: "Write `parallel: {steps: […]}`.", path: at.at });
  }
  const mode = inner.get("onFailure");
  const timeout = limits.get("timeout");
  return withoutUndefined({
    steps: steps === undefined ? [] : readSomeSteps(reading, steps),
    mode: mode && readWord(reading, mode, FAILURE_MODES),
    timeout: timeout && readDuration(reading, timeout, 1),
    maxConcurrent: readCap(reading, limits.get("maxConcurrent")),
    rateLimit: readRateLimit(reading, limits.get("rateLimit")),
  });
}

/** What a block takes. Everything else belongs to the steps inside, or to a workflow of its own. */
const BLOCK_KEYS = new Set(
  wordList(`
    id name description parallel parallelGroup dependsOn join when whenUnmet continueOnError onError onFailure priority
  `),
);

const REPEATED = new Set(["retry", "deadline", "forEach"]);

function isBlockKey(reading: Reading, key: string, field: Field): boolean {
  if (BLOCK_KEYS.has(key) || BLOCK_LIMITS.some((limit) => limit === key)) return true;
  // What belongs to another action has been reported with that action.
  if (ACTION_PARTS.has(key)) return false;
  const hint = REPEATED.has(key)
    ? "Put the steps into a workflow of their own and call it with `workflow:`."
    : "Write it at the steps inside.";
  reportMisplaced(reading, field, { problem: "cannot stand at a parallel block", hint });
  return false;
}

const ACTION_PARTS = new Set(
  wordList("run command params type with workflow sleep approval signal shell workingDirectory"),
);

/** Steps of an optional list beside the main one. */
export function readExtraSteps(reading: Reading, field: Field | undefined): readonly StepDefinition[] {
  return field === undefined ? [] : readSteps(reading, field);
}

import type { JsonObject, JsonValue } from "@braid/core";
import { evaluate } from "./evaluate.ts";
import { EvaluationFailure } from "./evaluated.ts";
import type { Evaluated } from "./evaluated.ts";
import type { ReadValues } from "./outputs.ts";
import type { CachedRun } from "./run-cache.ts";
import { Sight } from "./sight.ts";
import { StepScope } from "./step-scope.ts";
import type { OwnOutput } from "./step-scope.ts";
import { NO_READS } from "./templates.ts";
import type { Reads } from "./templates.ts";
import { NO_VALUES } from "./value-cache.ts";
import type { ValueKey } from "./value-cache.ts";
import type { ValueReader } from "./value-reader.ts";

/** What evaluations get from the machine they run on. */
export interface Surroundings {
  readonly inheritedEnv: Readonly<Record<string, string>>;
  /** Values of the plan's secrets; null where they may not be read, because what is evaluated is stored. */
  readonly secrets: Readonly<Record<string, string>> | null;
}

export interface ScopeOptions {
  readonly reads: Reads;
  /** The step's own variables, over those of the workflow. */
  readonly env?: JsonObject;
  readonly own?: OwnOutput;
}

/**
 * A run as templates and functions see it from one step: first say what is needed (`keysOf`), then, with that at hand,
 * make scopes.
 */
export class RunView {
  readonly run: CachedRun;
  readonly reader: ValueReader;
  readonly #surroundings: Surroundings;
  #shards: Map<number, JsonObject> | null = null;

  constructor(reader: ValueReader, surroundings: Surroundings) {
    this.run = reader.run;
    this.reader = reader;
    this.#surroundings = surroundings;
  }

  sight(step: number, task: number): Sight {
    return new Sight(this.run, step, task);
  }

  /** Rows that an evaluation with these reads needs. An item of a map needs the list of items too. */
  keysOf(sight: Sight, reads: Reads): readonly ValueKey[] {
    return listKeys((need) => this.need(sight, reads, need));
  }

  /** Rows that a function of the builder needs: it may read every direct dependency and the context. */
  keysOfFunction(sight: Sight): readonly ValueKey[] {
    return listKeys((need) => this.needForFunction(sight, need));
  }

  /** Asks for the rows of `keysOf` one by one. */
  need(sight: Sight, reads: Reads, need: ReadValues): void {
    need(-1, -1);
    if (reads.steps.size > 0) needOutputs(sight, this.#indexesOf(reads), need);
    if (sight.task >= 0) need(sight.step, -1);
    if (reads.context) this.#needContext(sight, need, new Set());
  }

  /** Asks for the rows of `keysOfFunction` one by one. */
  needForFunction(sight: Sight, need: ReadValues): void {
    need(-1, -1);
    needOutputs(sight, this.sourcesOf(sight), need);
    if (sight.task >= 0) need(sight.step, -1);
    if (this.run.info.writers.length > 0) this.#needContext(sight, need, new Set());
  }

  /** What a function gets as `deps`: the step's direct dependencies, or every step for the run's output. */
  sourcesOf(sight: Sight): readonly number[] {
    if (sight.step >= 0) return this.run.info.sources(sight.step);
    return this.run.info.visibleSteps;
  }

  scope(sight: Sight, options: ScopeOptions): StepScope {
    const { info } = this.run;
    const item = this.item(sight);
    return new StepScope({
      sight,
      read: this.reader.read,
      reads: options.reads,
      env: options.env === undefined ? [info.plan.host.env] : [info.plan.host.env, options.env],
      inheritedEnv: this.#surroundings.inheritedEnv,
      secrets: this.#surroundings.secrets,
      context: () => this.contextOf(sight),
      ...(item === undefined ? {} : { item }),
      ...(options.own === undefined ? {} : { own: options.own }),
    });
  }

  /** The item of a map's task, and its place. */
  item(
    sight: Sight,
  ): { readonly value: JsonValue; readonly index: number; readonly as: string | undefined } | undefined {
    if (sight.task < 0) return undefined;
    const items = this.reader.read(sight.step, -1).items ?? [];
    const { as } = this.run.info.step(sight.step).host.control;
    return { value: items[sight.task] ?? null, index: sight.task, as };
  }

  /** The shared context as it had reached the step: shards in merge order, later ones win. */
  contextOf(sight: Sight): JsonObject {
    const context: Record<string, JsonValue> = {};
    for (const writer of sight.writers()) Object.assign(context, this.#shardOf(writer));
    return context;
  }

  /**
   * What a step writes to the context. An ordinary task's shard was made by its worker and is stored; that of another
   * kind, which no worker ends, follows from what is stored and is made when it is read.
   */
  #shardOf(writer: number): JsonObject {
    if (isStored(this.run, writer)) return this.reader.read(writer, -1).patch ?? {};
    const known = this.#shards?.get(writer);
    if (known !== undefined) return known;
    const sight = this.sight(writer, -1);
    const output = sight.completedOutput(this.reader.read);
    const made = this.evaluateSet(sight, () => output);
    if (!made.ok) {
      throw new EvaluationFailure(`\`set\` of step \`${this.run.info.step(writer).id}\` has no value: ${made.message}`);
    }
    (this.#shards ??= new Map()).set(writer, made.value);
    return made.value;
  }

  /** A step's shard, from its own output and what it saw. */
  evaluateSet(sight: Sight, output: () => JsonValue): Evaluated<JsonObject> {
    const template = this.run.info.set(sight.step);
    const reads = template.kind === "template" ? template.reads : NO_READS;
    const scope = this.scope(sight, { reads, own: { step: sight.step, output } });
    const result = evaluate(template, { scope });
    return result.ok ? { ok: true, value: result.value as JsonObject } : result;
  }

  /** Rows that a step's shard is made of, without its own output. */
  keysOfSet(sight: Sight): readonly ValueKey[] {
    const template = this.run.info.set(sight.step);
    return template.kind === "template" ? this.keysOf(sight, template.reads) : [];
  }

  #needContext(sight: Sight, need: ReadValues, seen: Set<number>): void {
    for (const writer of sight.writers()) {
      if (seen.has(writer)) continue;
      seen.add(writer);
      if (isStored(this.run, writer)) {
        need(writer, -1);
        continue;
      }
      const template = this.run.info.set(writer);
      if (template.kind !== "template") continue;
      const ofWriter = this.sight(writer, -1);
      needOutputs(ofWriter, this.#indexesOf(template.reads), need);
      needOutputs(this.sight(-1, -1), [writer], need);
      if (template.reads.context) this.#needContext(ofWriter, need, seen);
    }
  }

  #indexesOf(reads: Reads): readonly number[] {
    const indexes: number[] = [];
    for (const name of reads.steps) {
      const index = this.run.info.find(name);
      if (index !== undefined) indexes.push(index);
    }
    return indexes;
  }
}

/** Asks for the rows that reading the outputs of steps touches. */
function needOutputs(sight: Sight, steps: readonly number[], need: ReadValues): void {
  for (const step of steps) sight.output(step, need);
}

function listKeys(needs: (need: ReadValues) => void): readonly ValueKey[] {
  const keys: ValueKey[] = [];
  needs((step, task) => {
    keys.push({ step, task });
    return NO_VALUES;
  });
  return keys;
}

function isStored(run: CachedRun, step: number): boolean {
  const { kind, isMap } = run.info.step(step);
  return kind === "task" && !isMap;
}

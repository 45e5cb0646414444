import type { RateLimit } from "@braid/core";
import type { EngineLimits, LimitSetting } from "../engine.ts";
import type { StepTypeDefaults } from "../steps/define-step-type.ts";
import type { TaskLimit } from "../store/run-commit.ts";
import { isStorableName } from "../payload/storable-text.ts";
import type { Evaluated } from "./evaluated.ts";
import { evaluateName } from "./evaluate.ts";
import type { RunView } from "./run-view.ts";
import { joinReads } from "./templates.ts";
import type { ParsedValue } from "./templates.ts";
import type { ValueKey } from "./value-cache.ts";

const NO_LIMITS: readonly TaskLimit[] = [];

/** Puts together which limits tasks have to pass: of the engine, of step types, and of keys. */
export class LimitTable {
  readonly #settings: EngineLimits;
  readonly #ofType: (handler: string) => Pick<StepTypeDefaults, "maxConcurrent" | "rateLimit"> | undefined;

  /** `ofType`: what a registered step type says of itself; the settings of the engine win over it. */
  constructor(settings: EngineLimits, ofType: (handler: string) => StepTypeDefaults | undefined) {
    this.#settings = settings;
    this.#ofType = ofType;
  }

  /** Limits of all attempts of a handler. */
  ofHandler(handler: string): readonly TaskLimit[] {
    const { global, types } = this.#settings;
    const ofType = types?.[handler] ?? ownLimit(this.#ofType(handler));
    if (global === undefined && ofType === undefined) return NO_LIMITS;
    return [...limitOf("global", global), ...limitOf(`type:${handler}`, ofType)];
  }

  /** The limit of a key: the settings may say more about it than the step does. */
  ofKey(key: string, max: number): TaskLimit {
    const setting = this.#settings.keys?.[key];
    return { name: `key:${key}`, max: setting?.max ?? max, rate: rateOf(setting) };
  }
}

function ownLimit(type: StepTypeDefaults | undefined): LimitSetting | undefined {
  const { maxConcurrent: max, rateLimit: rate } = type ?? {};
  if (max === undefined && rate === undefined) return undefined;
  return { ...(max === undefined ? {} : { max }), ...(rate === undefined ? {} : { rate }) };
}

function limitOf(name: string, setting: LimitSetting | undefined): readonly TaskLimit[] {
  return setting === undefined ? NO_LIMITS : [{ name, max: setting.max ?? null, rate: rateOf(setting) }];
}

function rateOf(setting: LimitSetting | undefined): RateLimit | null {
  const rate = setting?.rate;
  return rate === undefined ? null : { count: rate.count, perMs: rate.perMs, burst: rate.burst ?? 1 };
}

/** Limits in the order in which stores want them. */
export function inOrder(limits: readonly TaskLimit[]): readonly TaskLimit[] {
  return limits.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Rows that the key of a task reads. */
export function limitKeyNeeds(view: RunView, place: ValueKey, template: ParsedValue): readonly ValueKey[] {
  return view.keysOf(view.sight(place.step, place.task), joinReads([template]));
}

/** Longest key, in characters: it is part of an index of the store. */
const LONGEST_KEY = 300;

/** The key of a task. What it reads has to be at hand. */
export function evaluateLimitKey(view: RunView, place: ValueKey, template: ParsedValue): Evaluated<string> {
  const sight = view.sight(place.step, place.task);
  const name = evaluateName(template, { scope: view.scope(sight, { reads: joinReads([template]) }) });
  if (!name.ok) return { ok: false, message: `\`concurrency.key\`: ${name.message}` };
  if (name.value.length <= LONGEST_KEY && isStorableName(name.value)) return name;
  return {
    ok: false,
    message: `\`concurrency.key\` is not a name of at most ${LONGEST_KEY} characters that can be kept.`,
  };
}

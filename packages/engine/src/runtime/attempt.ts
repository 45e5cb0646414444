import { itemRow, stepRow } from "@braid/core";
import type { JsonObject, JsonValue, RunEvent, StepError } from "@braid/core";
import type { Masker } from "../observe/mask.ts";
import { createStepLogger } from "../observe/step-logger.ts";
import type { AttemptLogger } from "../observe/step-logger.ts";
import { encodePayload } from "../payload/codec.ts";
import { toStorableText } from "../payload/storable-text.ts";
import { StepFailure } from "../steps/step-type.ts";
import type { EvaluatedPayload, StepResult, StepType } from "../steps/step-type.ts";
import type { LogLine, PayloadWrite, TaskKey } from "../store/port.ts";
import { attemptContext } from "./attempt-context.ts";
import { evaluatePayload } from "./attempt-payload.ts";
import type { Clock } from "./clock.ts";
import { messageOf } from "./errors.ts";
import { freezeJson } from "./freeze-json.ts";
import type { HandlerRegistry } from "./registry.ts";
import type { CachedRun } from "./run-cache.ts";
import { RunView } from "./run-view.ts";
import { schemaCheck } from "./schema-check.ts";
import type { SecretReader, SecretValues } from "./secrets.ts";
import type { Sight } from "./sight.ts";
import { NO_READS } from "./templates.ts";
import type { ValueCache } from "./value-cache.ts";
import { ValueReader } from "./value-reader.ts";

/** Characters of an error message that are kept. */
const MOST_MESSAGE = 8_000;

/** What attempts need of the engine. */
export interface AttemptContext {
  readonly clock: Clock;
  readonly registry: HandlerRegistry;
  readonly values: ValueCache;
  readonly secrets: SecretReader;
  readonly services: Readonly<Record<string, unknown>>;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly maxPayloadBytes: number;
  now(): number;
  log(line: LogLine): void;
}

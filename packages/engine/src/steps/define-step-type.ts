import type { Duration, JsonObject, JsonValue, RateLimit, RetryDefinition } from "@braid/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type StepContext, StepFailure, type StepType } from "./step-type.ts";

/** What a step type asks of every step that uses it; a step may say otherwise. Durations in milliseconds. */
export interface StepTypeDefaults {
  /** Attempts of this type at a time, over all runs and workers of a store. */
  readonly maxConcurrent?: number;
  /** Starts of attempts of this type, over all runs and workers of a store. */
  readonly rateLimit?: RateLimit;
  readonly retry?: RetryDefinition;
  readonly timeout?: Duration;
  readonly runner?: { readonly kind: "inline" | "process" | "docker" | "remote" } & JsonObject;
}

export interface StepTypeDefinition<Input, Output> extends StepTypeDefaults {
  readonly name: string;
  /** Checks and converts `with`; a failure is `input_invalid`, which is not retried. */
  readonly input?: StandardSchemaV1<unknown, Input>;
  /** Checks and converts what `run` gives; a failure is `output_invalid`. */
  readonly output?: StandardSchemaV1<unknown, Output>;
  readonly run: (context: StepContext<Input>) => Output | WithPorts<Output> | Promise<Output | WithPorts<Output>>;
}

/** A step type with the defaults that the runtime reads. */
export interface DefinedStepType extends StepType, StepTypeDefaults {}

const portsOf = Symbol("braid.activePorts");

/** An output together with the ports it leaves through. */
export interface WithPorts<Output> {
  readonly [portsOf]: readonly string[];
  readonly output: Output;
}

/** Says that only edges from these output ports are taken. */
export function withActivePorts<Output>(output: Output, activePorts: readonly string[]): WithPorts<Output> {
  return { [portsOf]: activePorts, output };
}

/**
 * Makes a step type of a function, with input and output checked by any Standard Schema (Zod, Valibot, ArkType …).
 *
 * @example
 * const greet = defineStepType({
 *   name: "greet",
 *   input: z.object({ who: z.string() }),
 *   run: ({ input }) => ({ text: `Hello ${input.who}` }),
 * });
 */
export function defineStepType<Input = JsonValue, Output = JsonValue>(
  definition: StepTypeDefinition<Input, Output>,
): DefinedStepType {
  const { name, input, output, run, ...defaults } = definition;
  return {
    ...defaults,
    name,
    ...(input === undefined ? {} : { checkInput: (value: JsonValue) => checkNow(input, value) }),
    async run(context) {
      const own = input === undefined ? context : withInput(context, await validate(input, context.input, "input"));
      const given = await run(own as StepContext<Input>);
      const hasPorts = typeof given === "object" && given !== null && portsOf in given;
      const value = hasPorts ? given.output : given;
      // What is not JSON is found by the payload codec, for this and for every other handler.
      const result = (output === undefined ? value : await validate(output, value, "output")) as JsonValue;
      return hasPorts ? { output: result, activePorts: given[portsOf] } : { output: result };
    },
  };
}

/** The same context with another input. Its members are not read: some are loaded only when a handler asks for them. */
function withInput<Input>(context: StepContext, input: Input): StepContext<Input> {
  const members = { ...Object.getOwnPropertyDescriptors(context), input: { value: input, enumerable: true } };
  return Object.freeze(Object.create(Object.getPrototypeOf(context) as object | null, members)) as StepContext<Input>;
}

async function validate<Result>(
  schema: StandardSchemaV1<unknown, Result>,
  value: unknown,
  what: "input" | "output",
): Promise<Result> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  const message = `The ${what} does not match the schema of its type: ${describeIssues(result.issues).join("; ")}.`;
  throw new StepFailure(`${what}_invalid`, message, what === "input" ? { retryable: false } : {});
}

/** The problems that can be told at once; a schema that answers later is asked when the step runs. */
function checkNow(schema: StandardSchemaV1, value: JsonValue): readonly string[] {
  const result = schema["~standard"].validate(value);
  if (!(result instanceof Promise)) return result.issues === undefined ? [] : describeIssues(result.issues);
  result.catch(() => {
    // It fails in the same way when the step runs, and is reported there.
  });
  return [];
}

function describeIssues(issues: readonly StandardSchemaV1.Issue[]): readonly string[] {
  return issues.map(({ message, path = [] }) => {
    const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
    return keys.length === 0 ? message : `\`${keys.join(".")}\`: ${message}`;
  });
}

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Definition, JsonObject } from "@braid/core";
import type { BuiltWorkflow, ChildWorkflow } from "./built-workflow.ts";
import { defineWorkflow } from "./define-workflow.ts";
import type { Source } from "./define-workflow.ts";
import { collect } from "./parts.ts";
import type { Collected, Part } from "./parts.ts";
import type {
  AllDepsOf,
  BlockOptions,
  CommonOptions,
  ControlContext,
  Dependency,
  DepsOf,
  HandlerContext,
  IsOptional,
  ItemContext,
  MapOptions,
  JoinOption,
  MaybePromise,
  OutputOf,
  StepInfo,
  Steps,
  TaskOptions,
  WorkflowOptions,
} from "./types.ts";

type Infer<Schema> = Schema extends StandardSchemaV1<unknown, infer Input> ? Input : JsonObject;
type Add<All extends Steps, Id extends string, Info extends StepInfo> = All & { readonly [Key in Id]: Info };
type IdsOf<All extends Steps> = keyof All & string;

/** `dependsOn`, inferred as the tuple that was written. */
interface DependsOn<All extends Steps> {
  readonly dependsOn?: readonly Dependency<IdsOf<All>>[];
}

type JoinOf<Options> = Options extends { readonly join: infer Join } ? Join : undefined;
type EntriesOf<Options> = Options extends { readonly dependsOn: infer Entries extends readonly unknown[] }
  ? Entries
  : readonly [];
type PrevOf<Options, Prev> = Options extends { readonly dependsOn: unknown } ? undefined : Prev;

/** The context of a step with these options. */
type ContextOf<Input, All extends Steps, Options, Prev> = HandlerContext<
  Input,
  DepsOf<All, EntriesOf<Options>, JoinOf<Options>>,
  PrevOf<Options, Prev>
>;
type ControlOf<Input, All extends Steps, Options, Prev> = ControlContext<
  Input,
  DepsOf<All, EntriesOf<Options>, JoinOf<Options>>,
  PrevOf<Options, Prev>
>;

/** The same as an options object, from options that were inferred one by one. */
type Given<Entries, Join, Condition, OnError> = (Entries extends readonly unknown[]
  ? { readonly dependsOn: Entries }
  : object) &
  (Join extends JoinOption ? { readonly join: Join } : object) &
  (Condition extends undefined ? object : { readonly when: Condition }) &
  (OnError extends string ? { readonly onError: OnError } : object);

/** The steps of a list that has none yet. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- No step can be named is what it says.
type NoSteps = Record<never, never>;

type When<Input, All extends Steps> = (context: ControlContext<Input, Partial<AllDepsOf<All>>, unknown>) => boolean;

/**
 * A workflow in code, and each list of steps in it. Every method answers a new one that knows the new step's output type;
 * nothing is changed in place. A list in which no step has `dependsOn` is sequential, and each function gets `prev`; as soon
 * as one has, every step but the first must say what it depends on.
 *
 * @example
 * const release = workflow("release")
 *   .step("build", async () => ({ image: "app:1" }))
 *   .step("test", { dependsOn: ["build"] }, async ({ deps }) => `${deps.build.image} is good`)
 *   .output(({ deps }) => deps.test);
 */
export class Workflow<Input, All extends Steps, Prev, Output = null> implements BuiltWorkflow<Input, Output> {
  readonly kind = "workflow";
  readonly inputSchema: StandardSchemaV1<unknown, Input> | null;
  readonly outputType?: Output;
  readonly #source: Source;
  #definition: Definition | null = null;
  #collected: Collected | null = null;

  constructor(source: Source) {
    this.#source = source;
    this.inputSchema = source.inputSchema as StandardSchemaV1<unknown, Input> | null;
  }

  /** The definition, as a file would give it. Throws `InvalidDefinition` where what was written has no meaning. */
  get definition(): Definition {
    this.#definition ??= defineWorkflow(this.#source, this.#all);
    return this.#definition;
  }

  get functions(): ReadonlyMap<string, (context: never) => unknown> {
    return this.#all.functions;
  }

  get children(): readonly ChildWorkflow<unknown>[] {
    return this.#all.children;
  }

  get #all(): Collected {
    this.#collected ??= collect(this.#source.last);
    return this.#collected;
  }

  /** A function as a step. */
  step<Id extends string, Output>(
    id: Id,
    run: (context: HandlerContext<Input, NoSteps, Prev>) => MaybePromise<Output>,
  ): Workflow<Input, Add<All, Id, { output: Output; optional: false }>, Output>;
  step<
    Id extends string,
    Output,
    const Options extends TaskOptions &
      DependsOn<All> & { readonly when?: When<Input, All>; readonly set?: JsonObject },
  >(
    id: Id,
    options: Options,
    run: (context: ContextOf<Input, All, Options, Prev>) => MaybePromise<Output>,
  ): Workflow<Input, Add<All, Id, { output: Output; optional: IsOptional<All, Options> }>, Output>;
  step(id: string, ...rest: readonly unknown[]): Workflow<Input, never, never> {
    const [options, run] = rest.length === 1 ? [{}, rest[0]] : rest;
    return this.#add(id, options as JsonObject, { action: { type: this.#handler(id) }, functions: { "": run } });
  }

  /** A function that runs once per item. */
  map<
    Id extends string,
    Item,
    Result,
    const Entries extends readonly Dependency<IdsOf<All>>[] | undefined = undefined,
    const Join extends JoinOption | undefined = undefined,
    const Condition extends When<Input, All> | undefined = undefined,
    const OnError extends TaskOptions["onError"] = undefined,
  >(
    id: Id,
    options: Omit<TaskOptions, "join" | "onError"> & {
      readonly dependsOn?: Entries;
      readonly join?: Join;
      readonly when?: Condition;
      readonly onError?: OnError;
      readonly forEach: MapOptions & {
        readonly items:
          | readonly Item[]
          | ((context: ControlOf<Input, All, Given<Entries, Join, Condition, OnError>, Prev>) => readonly Item[]);
      };
    },
    run: (
      context: ContextOf<Input, All, Given<Entries, Join, Condition, OnError>, Prev> & ItemContext<Item>,
    ) => MaybePromise<Result>,
  ): Workflow<
    Input,
    Add<All, Id, { output: Result[]; optional: IsOptional<All, Given<Entries, Join, Condition, OnError>> }>,
    Result[]
  > {
    const { forEach, ...others } = options as unknown as JsonObject & { readonly forEach: JsonObject };
    const { items } = options.forEach;
    const isFunction = typeof items === "function";
    const written = { ...forEach, items: isFunction ? [] : items } as JsonObject;
    const functions = isFunction ? { "": run, "#items": items } : { "": run };
    return this.#add(id, others, { action: { type: this.#handler(id), forEach: written }, functions });
  }

  /** A script for the shell. */
  run<Id extends string, const Options extends TaskOptions & DependsOn<All> & { readonly when?: When<Input, All> }>(
    id: Id,
    script: string,
    options?: Options,
  ): Workflow<Input, Add<All, Id, { output: CommandOutput; optional: IsOptional<All, Options> }>, CommandOutput> {
    return this.#add(id, (options ?? {}) as JsonObject, { action: { run: script } });
  }

  /** A step of a registered type. `Result` may be given; it is not checked here. */
  use<Result = unknown>() {
    return <
      Id extends string,
      const Options extends TaskOptions &
        DependsOn<All> & { readonly with?: unknown; readonly when?: When<Input, All> },
    >(
      id: Id,
      type: string,
      options?: Options,
    ): Workflow<Input, Add<All, Id, { output: Result; optional: IsOptional<All, Options> }>, Result> =>
      this.#add(id, (options ?? {}) as JsonObject, { action: { type } });
  }

  /** A run of another workflow. `with` makes its input. */
  workflow<
    Id extends string,
    Result,
    const Entries extends readonly Dependency<IdsOf<All>>[] | undefined = undefined,
    const Join extends JoinOption | undefined = undefined,
    const Condition extends When<Input, All> | undefined = undefined,
    const OnError extends TaskOptions["onError"] = undefined,
  >(
    id: Id,
    child: string | ChildWorkflow<Result>,
    options?: Omit<TaskOptions, "join" | "onError"> & {
      readonly dependsOn?: Entries;
      readonly join?: Join;
      readonly when?: Condition;
      readonly onError?: OnError;
      readonly with?: (context: ControlOf<Input, All, Given<Entries, Join, Condition, OnError>, Prev>) => unknown;
    },
  ): Workflow<
    Input,
    Add<All, Id, { output: Result; optional: IsOptional<All, Given<Entries, Join, Condition, OnError>> }>,
    Result
  > {
    const { with: input, ...others } = (options ?? {}) as unknown as JsonObject & { readonly with?: unknown };
    const action: JsonObject = { workflow: typeof child === "string" ? child : child.definition.name };
    const children = typeof child === "string" ? [] : [child];
    return this.#add(id, others, { action, functions: input === undefined ? {} : { "#with": input }, children });
  }

  /** A wait of a fixed length. */
  sleep<Id extends string, const Options extends CommonOptions & DependsOn<All>>(
    id: Id,
    duration: number | string,
    options?: Options,
  ): Workflow<Input, Add<All, Id, { output: null; optional: IsOptional<All, Options> }>, null> {
    return this.#add(id, (options ?? {}) as JsonObject, { action: { sleep: duration } });
  }

  /** Waits until a person approves; a rejection fails the step. */
  approval<Id extends string, const Options extends CommonOptions & DependsOn<All> & { readonly message?: string }>(
    id: Id,
    options?: Options,
  ): Workflow<Input, Add<All, Id, { output: unknown; optional: IsOptional<All, Options> }>, unknown> {
    const { message, ...others } = (options ?? {}) as JsonObject & { message?: string };
    return this.#add(id, others, { action: { approval: message === undefined ? true : { message } } });
  }

  /** Waits without work: a join whose output is its sources' outputs by id. */
  join<Id extends string, const Options extends CommonOptions & Required<DependsOn<All>>>(
    id: Id,
    options: Options,
  ): Workflow<
    Input,
    Add<All, Id, { output: Partial<AllDepsOf<All>>; optional: IsOptional<All, Options> }>,
    Partial<AllDepsOf<All>>
  > {
    return this.#add(id, options as unknown as JsonObject, { action: {} });
  }

  /** A block of steps that share a cap, a timeout and a failure mode; members are concurrent unless they name dependencies. */
  parallel<
    Id extends string,
    const Options extends BlockOptions & DependsOn<All> & { readonly when?: When<Input, All> },
    Inner extends Steps,
  >(
    id: Id,
    options: Options,
    members: (list: Workflow<Input, NoSteps, undefined>) => Workflow<Input, Inner, unknown>,
  ): Workflow<
    Input,
    Add<
      All & OptionalIf<Inner, IsOptional<All, Options>>,
      Id,
      { output: BlockOutput<Inner>; optional: IsOptional<All, Options> }
    >,
    BlockOutput<Inner>
  > {
    const { onFailure, timeout, maxConcurrent, rateLimit, ...others } = options as unknown as JsonObject;
    const inner = this.#inner(members);
    const block = withoutUndefined({ onFailure, timeout, maxConcurrent, rateLimit, steps: inner.steps });
    return this.#with(inner).#add(id, others, { action: { parallel: block } });
  }

  /** What the run gives, made from any step's output. A step that may be skipped may be undefined here. */
  output<Result>(
    make: (context: ControlContext<Input, AllDepsOf<All>, undefined>) => Result,
  ): Workflow<Input, All, Prev, Result> {
    const functions = [[`${this.#source.name}#output`, make]] as const;
    return new Workflow({ ...this.#source, last: { before: this.#source.last, step: null, functions, children: [] } });
  }

  /** Steps that run after everything else, whatever happened. */
  finally(list: Members<Input>): Workflow<Input, All, Prev, Output> {
    return this.#beside("finally", list);
  }

  /** Steps that run when all of the workflow's own have ended well. */
  onSuccess(list: Members<Input>): Workflow<Input, All, Prev, Output> {
    return this.#beside("onSuccess", list);
  }

  /** Steps that run when the workflow has failed. */
  onFailure(list: Members<Input>): Workflow<Input, All, Prev, Output> {
    return this.#beside("onFailure", list);
  }

  #beside(key: "finally" | "onSuccess" | "onFailure", list: Members<Input>): Workflow<Input, All, Prev, Output> {
    const inner = this.#inner(list);
    const { last } = this.#with(inner).#source;
    return new Workflow({ ...this.#source, last, lists: { ...this.#source.lists, [key]: inner.steps } });
  }

  #inner(members: Members<Input>): Collected {
    const list = members(new Workflow({ ...this.#source, last: null, lists: {} }));
    return (list as unknown as Workflow<Input, never, never>).#all;
  }

  /** The functions and children of a list inside this one belong to the workflow. */
  #with({ functions, children }: Collected): Workflow<Input, never, never> {
    const last: Part = { before: this.#source.last, step: null, functions: [...functions], children };
    return new Workflow({ ...this.#source, last });
  }

  #handler(id: string): string {
    return `${this.#source.name}/${id}`;
  }

  #add(
    id: string,
    options: JsonObject,
    {
      action,
      functions = {},
      children = [],
    }: {
      readonly action: JsonObject;
      readonly functions?: Readonly<Record<string, unknown>>;
      readonly children?: readonly ChildWorkflow<unknown>[];
    },
  ): Workflow<Input, never, never> {
    const { when, ...written } = options as JsonObject & { when?: unknown };
    const all = when === undefined ? functions : { ...functions, "#when": when };
    const last: Part = {
      before: this.#source.last,
      step: { id, ...withoutUndefined(written), ...action },
      functions: Object.entries(all).map(([suffix, run]) => [this.#handler(id) + suffix, run as never]),
      children,
    };
    return new Workflow({ ...this.#source, last });
  }
}

type Members<Input> = (
  list: Workflow<Input, NoSteps, undefined>,
) => Workflow<Input, never, never> | Workflow<Input, Steps, unknown>;

/**
 * Begins a workflow in code. `input` may be any Standard Schema (zod, valibot, arktype …): it types the input and checks it.
 */
export function workflow<const Schema extends StandardSchemaV1 | undefined = undefined>(
  name: string,
  options: WorkflowOptions & { readonly input?: Schema } = {},
): Workflow<Infer<Schema>, NoSteps, undefined> {
  const { input, ...settings } = options;
  return new Workflow({
    name,
    settings,
    last: null,
    lists: {},
    inputSchema: input ?? null,
  });
}

/** What a shell step gives. */
export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly [key: string]: unknown;
}

type BlockOutput<Inner extends Steps> = { readonly [Id in keyof Inner]: OutputOf<Inner[Id]> };
type OptionalIf<Inner extends Steps, Optional> = Optional extends true
  ? { readonly [Id in keyof Inner]: { readonly output: Inner[Id]["output"]; readonly optional: true } }
  : Inner;

const withoutUndefined = (value: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as JsonObject;

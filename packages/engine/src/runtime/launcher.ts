import type { JsonValue, RunOverrides } from "@braid/core";
import type { StartOptions, WorkflowSource } from "../engine.ts";
import type { ChildRequest, StartedChild } from "./children.ts";
import { hashJson } from "./definition-hash.ts";
import { EngineError } from "./errors.ts";
import { newRunId } from "./ids.ts";
import { eventReport } from "./outbox.ts";
import type { PlanInfo } from "./plan-info.ts";
import { GROUP_KEY, groupName } from "./run-groups.ts";
import { encodeInput, readRunInput } from "./run-input.ts";
import type { Runtime } from "./runtime.ts";
import type { Started } from "./starter.ts";
import type { Workflows } from "./workflows.ts";

/** Tasks of a run at a time where neither the run, nor the file, nor the environment says. */
const DEFAULT_CAP = 10;

/** Deepest nesting of child runs: a workflow that starts itself has to end somewhere. */
const MOST_DEPTH = 32;
const DEPTH_KEY = "depth";

interface Launch {
  readonly id: string;
  readonly info: PlanInfo;
  readonly input: JsonValue;
  readonly options: StartOptions;
  readonly parent: Parameters<Runtime["starter"]["start"]>[0]["parent"];
}

/** Starts runs: finds the plan, checks the input, and keeps to the limits over runs of a workflow. */
export class Launcher {
  readonly #runtime: Runtime;
  readonly #workflows: Workflows;
  readonly #env: NodeJS.ProcessEnv;

  constructor(runtime: Runtime, workflows: Workflows, env: NodeJS.ProcessEnv) {
    this.#runtime = runtime;
    this.#workflows = workflows;
    this.#env = env;
  }

  newRunId(): string {
    return newRunId(this.#runtime.now(), this.#runtime.options.random);
  }

  /** Creates a run and answers its id, which is that of an earlier run with the same idempotency key. */
  async start(source: WorkflowSource, options: StartOptions, id = this.newRunId()): Promise<string> {
    const info = await this.#workflows.resolve(source);
    const { maxPayloadBytes } = this.#runtime.options;
    const checked = await this.#workflows.checkInput(source, options.input ?? {});
    const input =
      checked === null
        ? await readRunInput(info, options.input ?? {}, maxPayloadBytes)
        : encodeInput(info, checked, maxPayloadBytes);
    const started = await this.#launch({ id, info, input, options, parent: null });
    if (started.kind === "created") return id;
    await this.#checkSameInput(started.runId, input, options.idempotencyKey ?? "");
    return started.runId;
  }

  /** Creates a child run, or finds that it exists. */
  async startChild({ workflow, input, parent, place, idempotencyKey }: ChildRequest): Promise<StartedChild> {
    const depth = Number(parent.facts.meta[DEPTH_KEY] ?? 0) + 1;
    if (depth > MOST_DEPTH) {
      throw new EngineError("invalid_input", `Child runs are nested deeper than ${MOST_DEPTH}.`);
    }
    const info = await this.#workflows.resolve(workflow);
    const checked = await readRunInput(info, input, this.#runtime.options.maxPayloadBytes);
    const { [GROUP_KEY]: _, ...meta } = parent.facts.meta;
    const options = { priority: parent.facts.priority, meta: { ...meta, [DEPTH_KEY]: depth }, idempotencyKey };
    const id = this.newRunId();
    const started = await this.#launch({ id, info, input: checked, options, parent: { runId: parent.id, ...place } });
    return started.kind === "created" ? { kind: "created", runId: id } : started;
  }

  async #launch({ id, info, input, options, parent }: Launch): Promise<Started> {
    const limit = info.plan.host.concurrency;
    const group = limit === null ? null : groupName(info, input);
    const started = await this.#runtime.starter.start({
      id,
      info,
      input,
      idempotencyKey: options.idempotencyKey ?? null,
      priority: options.priority ?? info.plan.host.priority,
      overrides: this.#withCap(info, options.overrides ?? {}),
      meta: group === null ? { ...options.meta } : { ...options.meta, [GROUP_KEY]: group },
      group,
      parent,
      startsNow: limit === null,
    });
    if (limit === null || started.kind === "exists" || (await this.#runtime.tryStart(id))) return started;
    if (limit.onConflict !== "reject") return started;
    await this.#runtime.submit(eventReport(id, { type: "run.cancel", at: this.#runtime.now() }));
    const message = `${limit.max} runs of workflow \`${info.workflow}\` are under way in group \`${group}\`.`;
    throw new EngineError("concurrency_conflict", message, { details: { runId: id } });
  }

  #withCap(info: PlanInfo, overrides: RunOverrides): RunOverrides {
    if (overrides.maxConcurrent !== undefined || info.plan.scopes[0]!.maxConcurrent !== null) return overrides;
    const { BRAID_MAX_CONCURRENT, WORKFLOW_CONCURRENCY } = this.#env;
    const maxConcurrent = positive(BRAID_MAX_CONCURRENT) ?? positive(WORKFLOW_CONCURRENCY) ?? DEFAULT_CAP;
    return { ...overrides, maxConcurrent };
  }

  async #checkSameInput(runId: string, input: JsonValue, key: string): Promise<void> {
    const [payload] = await this.#runtime.store.readPayloads([{ runId, kind: "input" }]);
    if (hashJson(payload?.value ?? null) === hashJson(input)) return;
    const message = `Run \`${runId}\` was started with the idempotency key \`${key}\` and another input.`;
    throw new EngineError("idempotency_conflict", message, { details: { runId } });
  }
}

function positive(text: string | undefined): number | null {
  const value = Number(text);
  return text !== undefined && text !== "" && Number.isInteger(value) && value > 0 ? value : null;
}

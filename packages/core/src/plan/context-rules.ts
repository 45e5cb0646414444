import type { Definition, StepDefinition } from "../definition/model.ts";
import { quote } from "../definition/describe.ts";
import { nearestName } from "../definition/nearest.ts";
import type { ExpressionReference } from "../expression/index.ts";
import type { Role } from "./expression-places.ts";

/** Why a reference may not stand where it does. */
export interface ContextProblem {
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly hint?: string | undefined;
}

/** The place of a reference; `step` is null outside of steps. */
interface Place {
  readonly role: Role;
  readonly step: StepDefinition | null;
}

/**
 * Which contexts have a value where. Control expressions are evaluated by whichever worker commits, and their results are
 * stored, so they know neither secrets nor items; what stands outside of steps knows no steps.
 */
export class ContextRules {
  /** Declared inputs, or null where any are accepted. */
  readonly #inputs: readonly string[] | null;
  readonly #secrets: readonly string[];
  /** Keys of the shared context that some step writes. */
  readonly #keys: ReadonlySet<string>;

  constructor(definition: Definition) {
    const { properties, additionalProperties } = definition.inputs;
    const isClosed = typeof properties === "object" && additionalProperties === false;
    this.#inputs = isClosed ? Object.keys(properties ?? {}) : null;
    this.#secrets = Object.keys(definition.secrets);
    this.#keys = writtenKeys(definition);
  }

  /** Null when the reference is fine. Steps are resolved elsewhere. */
  check(reference: ExpressionReference, { role, step }: Place): ContextProblem | null {
    const { context, path } = reference;
    const [member] = path;
    switch (context) {
      case "inputs":
        if (member === undefined || this.#inputs === null || this.#inputs.includes(member)) return null;
        return unknownMember("There is no input", member, this.#inputs);
      case "secrets":
        return this.#checkSecret(member, role);
      case "context":
        return role === "shared" ? outsideOfSteps(context) : this.#checkKey(member);
      case "steps":
      case "error":
      case "errors":
        return role === "shared" || (role === "output" && context !== "steps") ? outsideOfSteps(context) : null;
      case "run":
        if (member === undefined || RUN_MEMBERS.includes(member)) return null;
        return unknownMember("`run` has no member", member, RUN_MEMBERS);
      case "env":
        return null;
      default:
        // `item`, `index` and the `as` of a `forEach`.
        return checkItem(context, { role, step });
    }
  }

  #checkSecret(member: string | undefined, role: Role): ContextProblem | null {
    if (role !== "payload" && role !== "shared") {
      const message = "A secret is read only by the attempt of a step, because every other value is stored.";
      return { severity: "error", message, hint: "Use it in `env`, `with`, `params`, `run` or `command`." };
    }
    if (member === undefined || this.#secrets.includes(member)) return null;
    return unknownMember("The workflow declares no secret", member, this.#secrets);
  }

  #checkKey(member: string | undefined): ContextProblem | null {
    if (member === undefined || this.#keys.has(member)) return null;
    const message = `No step writes ${quote(member)} to the context.`;
    return { severity: "warning", message, hint: didYouMean(member, this.#keys) ?? "A step writes it with `set`." };
  }
}

/** What every host gives of the run. */
const RUN_MEMBERS: readonly string[] = ["id", "workflow", "version", "epoch", "status"];

function outsideOfSteps(context: string): ContextProblem {
  return { severity: "error", message: `\`${context}\` has no value here, outside of steps.` };
}

function checkItem(context: string, { role, step }: Place): ContextProblem | null {
  const isMap = step?.forEach !== undefined;
  if (isMap && (role === "payload" || role === "itemControl")) return null;
  if (!isMap) {
    return { severity: "error", message: `\`${context}\` has a value only in a step with \`forEach\`.` };
  }
  const message = `\`${context}\` has no value here: this is evaluated once for the step, not for each item.`;
  return { severity: "error", message, hint: "Filter the items in `forEach`, or use it in what the step runs." };
}

function unknownMember(text: string, member: string, known: readonly string[]): ContextProblem {
  return { severity: "error", message: `${text} ${quote(member)}.`, hint: didYouMean(member, known) };
}

function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const near = nearestName(name, known);
  return near === undefined ? undefined : `Did you mean ${quote(near)}?`;
}

function writtenKeys(definition: Definition): ReadonlySet<string> {
  const keys = new Set<string>();
  const lists = [definition.steps, definition.onSuccess, definition.onFailure, definition.finally];
  for (const list of lists) {
    for (const { set, action } of list) {
      for (const key of Object.keys(set ?? {})) keys.add(key);
      if (action.kind === "parallel") lists.push(action.block.steps);
    }
  }
  return keys;
}

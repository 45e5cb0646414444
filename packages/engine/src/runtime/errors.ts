import type { Diagnostic, JsonObject, JsonValue } from "@braid/core";
import { BraidError } from "../errors.ts";

/** What the engine could not do, in one word that programs can test. */
export type EngineErrorCode =
  | "invalid_definition"
  | "invalid_input"
  | "unknown_workflow"
  | "unknown_run"
  | "unknown_step"
  | "not_waiting"
  | "not_terminal"
  | "is_terminal"
  | "not_paused"
  | "idempotency_conflict"
  | "concurrency_conflict"
  | "engine_fault"
  | "engine_closed";

/** The engine could not do what it was asked. */
export class EngineError extends BraidError {
  override readonly name: string = "EngineError";
  declare readonly code: EngineErrorCode;

  // The parameters narrow those of the base class: an engine's error has one of the codes above.
  constructor(
    code: EngineErrorCode,
    message: string,
    options: { readonly details?: JsonObject; readonly cause?: unknown } = {},
  ) {
    super(code, message, options);
  }
}

/** A definition that does not compile; `diagnostics` holds everything that is wrong with it. */
export class InvalidDefinition extends EngineError {
  override readonly name = "InvalidDefinition";
  readonly diagnostics: readonly Diagnostic[];

  constructor(workflow: string, diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter((each) => each.severity === "error");
    const first = errors[0]?.message ?? "no plan could be made";
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    super("invalid_definition", `Workflow \`${workflow}\` is not valid: ${first}${more}`, {
      details: { workflow, diagnostics: diagnostics as unknown as JsonValue },
    });
    this.diagnostics = diagnostics;
  }
}

/** An input that does not fit the workflow's `inputs`; `problems` has one sentence for each place. */
export class InvalidInput extends EngineError {
  override readonly name = "InvalidInput";
  readonly problems: readonly string[];

  constructor(workflow: string, problems: readonly string[]) {
    super("invalid_input", `The input of workflow \`${workflow}\` does not fit: ${problems.join("; ")}`, {
      details: { workflow, problems },
    });
    this.problems = problems;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  try {
    return String(error);
  } catch {
    return "a value that cannot be shown was thrown";
  }
}

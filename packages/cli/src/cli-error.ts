import { exitCode } from "./exit-code.ts";

/** An error that ends the command with one line on stderr and its own exit code. Its message is written for the user. */
export class CliError extends Error {
  readonly exitCode: number;
  /** A second line: what to do about it. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: { readonly exitCode?: number; readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode ?? exitCode.engine;
    this.hint = options.hint;
  }
}

/** The command line, a file or an input is not what the command needs: exit code 2, and nothing has run. */
export class UsageError extends CliError {
  constructor(message: string, hint?: string, cause?: unknown) {
    super(message, { exitCode: exitCode.usage, ...(hint === undefined ? {} : { hint }), cause });
    this.name = "UsageError";
  }
}

/** The text of anything that was thrown, on one line as far as the thrower allowed it. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return String(error);
}

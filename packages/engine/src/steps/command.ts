import type { JsonObject } from "@braid/core";
import { cleanControls } from "../observe/control-text.ts";
import { defaultMaxPayloadBytes } from "../payload/codec.ts";
import { dropBrokenStart } from "../payload/cut-text.ts";
import { toStorableText } from "../payload/storable-text.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "../process/run-program.ts";
import { fitStreams } from "./fit-output.ts";
import { createOutputFile, type OutputFile } from "./output-file.ts";
import { paramsToFlags } from "./params-to-flags.ts";
import { splitCommand } from "./split-command.ts";
import { type EvaluatedPayload, type StepContext, StepFailure, type StepResult, type StepType } from "./step-type.ts";

export interface CommandStepOptions {
  /** Time between SIGTERM and SIGKILL when an attempt is stopped. Default 5,000. */
  readonly graceMs?: number;
  /** Limit of a payload in this engine: what a program prints is cut to fit. Default 1 MiB. */
  readonly maxPayloadBytes?: number;
}

type Exited = Extract<ProgramResult, { kind: "exited" }>;

/** Room for the braces, the exit code and the names of an output's members. */
const frameBytes = 256;

/** Longest part of an output in the message of a failure. */
const maxExcerptLength = 2_000;

/** The system refuses a variable of 128 KiB; with its name this much is safe. */
const maxItemVariableBytes = 120_000;

/**
 * The step type `command`, behind `run` and `command`: a program, or a script for a shell.
 *
 * - `run` is a script; `command` is a list of words, or text that `splitCommand` splits; `params` become flags after the
 *   words (see `paramsToFlags`), or `"$@"` of a script.
 * - The environment is what the worker lets through, then the declared `env`, then `BRAID_RUN_ID`, `BRAID_STEP`,
 *   `BRAID_ATTEMPT`, `BRAID_IDEMPOTENCY_KEY`, `BRAID_OUTPUT` and, in a map, `BRAID_INDEX` and `BRAID_ITEM` (JSON).
 * - The output is `{exitCode, stdout, stderr, truncated?}` and the keys that the program wrote to `$BRAID_OUTPUT`.
 *
 * Fails with `exit_code` (the message ends with the last lines of stderr), `input_invalid` (command or params),
 * `output_invalid` (the output file), `payload_invalid` (a NUL in the output), or `handler_error` when the program could
 * not be started.
 *
 * A text in `payload.command` must be as it stands in the definition: whoever evaluates templates splits first.
 */
export function commandStep(options: CommandStepOptions = {}): StepType {
  return { name: "command", run: (context) => runCommand(context, options) };
}

async function runCommand(context: StepContext, options: CommandStepOptions): Promise<StepResult> {
  const command = readCommand(context.payload);
  const outputs = await createOutputFile().catch((cause: unknown) => {
    throw new StepFailure(
      "handler_error",
      `No temporary directory could be made for \`$BRAID_OUTPUT\`: ${String(cause)}`,
      {
        cause,
      },
    );
  });
  try {
    const result = await runProgram({
      command,
      env: environmentOf(context, outputs),
      cwd: context.payload.workingDirectory,
      signal: context.signal,
      onOutput: (stream, chunk) => context.logger.write(stream, chunk),
      ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    });
    if (result.kind === "unstarted" || result.isStopped) context.signal.throwIfAborted();
    if (result.kind === "unstarted") throw unstarted(result);
    if (result.exitCode !== 0) throw exitFailure(result);
    return { output: await outputOf(result, outputs, options) };
  } finally {
    await outputs.remove();
  }
}

function readCommand(payload: EvaluatedPayload): ProgramOptions["command"] {
  const flags = paramsToFlags(payload.params ?? {});
  if (!flags.ok) throw inputInvalid(flags.message);
  if (payload.run !== undefined) return script(payload.run, payload, flags.words);
  if (payload.command === undefined) throw inputInvalid("There is neither `run` nor `command`.");
  if (typeof payload.command !== "string") return [...checkWords(payload.command), ...flags.words];
  const split = splitCommand(payload.command);
  switch (split.kind) {
    case "invalid":
      throw inputInvalid(split.message);
    case "shell":
      return script(split.script, payload, flags.words);
    case "argv":
      return [...split.words, ...flags.words];
    default:
      return split satisfies never;
  }
}

function script(text: string, payload: EvaluatedPayload, args: readonly string[]): ProgramOptions["command"] {
  if (payload.shell === undefined) return { script: text, args };
  const shell = splitCommand(payload.shell);
  if (shell.kind !== "argv") throw inputInvalid(`\`shell\` is not a program: \`${payload.shell}\`.`);
  return { script: text, shell: shell.words, args };
}

function checkWords(words: readonly string[]): readonly string[] {
  if (words[0] === undefined || words[0] === "") throw inputInvalid("The command has no program to run.");
  return words;
}

function environmentOf(context: StepContext, outputs: OutputFile): Record<string, string> {
  const { payload, item, index } = context;
  const env: Record<string, string> = {
    ...payload.inheritedEnv,
    ...payload.env,
    BRAID_RUN_ID: context.runId,
    BRAID_STEP: context.stepId,
    BRAID_ATTEMPT: String(context.attempt),
    BRAID_IDEMPOTENCY_KEY: context.idempotencyKey,
    BRAID_OUTPUT: outputs.path,
  };
  if (index !== undefined) env["BRAID_INDEX"] = String(index);
  if (item === undefined) return env;
  const json = JSON.stringify(item);
  if (Buffer.byteLength(json) <= maxItemVariableBytes) env["BRAID_ITEM"] = json;
  else context.logger.warn("The item is too large for a variable, so `BRAID_ITEM` is not set.");
  return env;
}

async function outputOf(result: Exited, outputs: OutputFile, options: CommandStepOptions): Promise<JsonObject> {
  refuseNul("stdout", result.stdout.text);
  refuseNul("stderr", result.stderr.text);
  const parsed = await outputs.read();
  if (!parsed.ok) throw new StepFailure("output_invalid", toStorableText(parsed.message));
  const values = Object.fromEntries(parsed.values);
  const maxBytes = options.maxPayloadBytes ?? defaultMaxPayloadBytes;
  const room = maxBytes - Buffer.byteLength(JSON.stringify(values)) - frameBytes;
  const { stdout, stderr, isTruncated } = fitStreams(result.stdout.text, result.stderr.text, room);
  const truncated = isTruncated || result.stdout.isTruncated || result.stderr.isTruncated;
  return { exitCode: 0, stdout, stderr, ...(truncated ? { truncated } : {}), ...values };
}

/** Said here and not left to the payload codec, because here it is known what to do about it. */
function refuseNul(stream: string, text: string): void {
  const at = text.indexOf("\0");
  if (at === -1) return;
  const place = `\`${stream}\` holds a NUL character (line ${text.slice(0, at).split("\n").length})`;
  throw new StepFailure("payload_invalid", `${place}, which no store can keep. Write binary output to a file.`, {
    retryable: false,
  });
}

function inputInvalid(message: string): StepFailure {
  return new StepFailure("input_invalid", toStorableText(message), { retryable: false });
}

/** Another try may succeed where the system was out of something, or on a worker that has the program. */
function unstarted(result: Extract<ProgramResult, { kind: "unstarted" }>): StepFailure {
  const isHopeless = result.code === "E2BIG" || result.code.startsWith("ERR_");
  return new StepFailure("handler_error", toStorableText(result.message), isHopeless ? { retryable: false } : {});
}

function exitFailure(result: Exited): StepFailure {
  const by = result.signal === null ? `exit code ${result.exitCode}` : `signal ${result.signal}`;
  const hint = result.signal === "SIGKILL" ? " (possibly out of memory)" : "";
  const last = lastLines(result.stderr.text) || lastLines(result.stdout.text);
  const message = `The program ended with ${by}${hint}${last === "" ? "." : `:\n${last}`}`;
  return new StepFailure("exit_code", toStorableText(message));
}

/** The last 10 lines, and no more than `maxExcerptLength` characters of them, without colours and other sequences. */
function lastLines(text: string): string {
  const end = text.trimEnd();
  const part = end.length <= maxExcerptLength ? end : dropBrokenStart(end.slice(-maxExcerptLength));
  const lines = part.split("\n").slice(-10);
  return lines.map((line) => cleanControls(line.trimEnd(), { keepsStyles: false })).join("\n");
}

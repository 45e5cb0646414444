import type { StepLogger } from "../steps/step-type.ts";
import { createLineMasker } from "./line-masker.ts";
import type { Masker } from "./mask.ts";

/** One line of an attempt's log: masked, without control characters but for colours. */
export interface StepLogLine {
  readonly stream: "stdout" | "stderr" | "log";
  readonly text: string;
}

export interface StepLoggerOptions {
  readonly masker: Masker;
  readonly sink: (line: StepLogLine) => void;
  /** Characters of log that an attempt may write; the rest is dropped, and a last line says so. Default 10 Mi. */
  readonly maxLength?: number;
}

/** A logger for one attempt. `end` gives on unfinished lines; it belongs at the end of the attempt, however it ended. */
export interface AttemptLogger extends StepLogger {
  end(): void;
}

/** Connects what a handler logs to a sink that takes whole, safe lines. */
export function createStepLogger({ masker, sink, maxLength = 10_485_760 }: StepLoggerOptions): AttemptLogger {
  let remaining = maxLength;
  const give = (stream: StepLogLine["stream"], text: string): void => {
    if (remaining < 0) return;
    remaining -= text.length + 1;
    if (remaining >= 0) sink({ stream, text });
    else sink({ stream: "log", text: `[warn] The log is cut: it is longer than ${maxLength} characters.` });
  };
  const stdout = createLineMasker(masker, (text) => give("stdout", text));
  const stderr = createLineMasker(masker, (text) => give("stderr", text));
  const log = createLineMasker(masker, (text) => give("log", text));
  const say = (prefix: string, text: string): void => {
    log.write(`${prefix}${text}`);
    log.end();
  };
  return {
    info: (text) => say("", text),
    warn: (text) => say("[warn] ", text),
    error: (text) => say("[error] ", text),
    write: (stream, chunk) => (stream === "stdout" ? stdout : stderr).write(chunk),
    end() {
      stdout.end();
      stderr.end();
    },
  };
}

import { z } from "zod";
import { DURATION_PATTERN } from "../duration.ts";
import { toSnakeCase } from "../meaning.ts";
import { key, section } from "./section.ts";

/** A text that is not empty. */
export const text = z.string().regex(/\S/);

/** Any JSON value. */
export const anything = z.unknown();

/** A text with an expression in it. */
const template = z.string().regex(/\$\{\{/);

/** One of a few words, each also in snake_case. */
export function words(...canonical: readonly string[]): z.ZodType {
  return z.enum([...new Set(canonical.flatMap((word) => [word, toSnakeCase(word)]))]);
}

export const variables = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.union([z.string(), z.number(), z.boolean()]))
  .meta({ id: "variables", description: "Environment variables by name. Values may hold templates." });

const milliseconds = z.union([z.number().nonnegative(), z.string().regex(new RegExp(DURATION_PATTERN))]).meta({
  id: "constantDuration",
  description: "`500ms`, `2s`, `5m`, `1h`, `1d`, `1h30m`, ISO 8601, or a number of seconds.",
});

export const duration = z
  .union([z.number().nonnegative(), z.string().regex(new RegExp(`\\$\\{\\{|${DURATION_PATTERN}`))])
  .meta({
    id: "duration",
    description:
      "`500ms`, `2s`, `5m`, `1h`, `1d`, `1h30m`, ISO 8601, a number of seconds, or a template that gives one of these.",
  });

export const cap = z.int().positive().meta({ id: "cap", description: "How many may run at the same time." });

export const rateLimit = z
  .union([
    z.number().positive(),
    section(
      "rateLimit",
      {
        count: key(z.int().positive(), "How many may start in each period."),
        per: key(milliseconds, "The period. Default one second."),
        burst: key(z.int().positive(), "How many may start at once. Default 1."),
      },
      { about: "At most so many starts in each period." },
    ),
  ])
  .meta({ id: "anyRateLimit", description: "A number of starts per second, or a mapping." });

const codes = z.union([text, z.array(text)]);

export const retry = z
  .union([
    z.int().nonnegative(),
    section(
      "retry",
      {
        maxAttempts: key(z.int().positive(), "All attempts, the first one included. Default 1."),
        delay: key(milliseconds, "Wait before the second attempt."),
        backoff: key(words("fixed", "linear", "exponential"), "How the wait grows from attempt to attempt."),
        factor: key(z.number().min(1).max(1000), "What an exponential wait is multiplied by each time."),
        maxDelay: key(milliseconds, "The longest wait."),
        jitter: key(z.number().min(0).max(1), "Share of a wait that chance may take away or add, from 0 to 1."),
        on: key(codes, "Error codes that are worth another attempt, such as `timeout`. Default all."),
      },
      { about: "How often and how fast a failed task is repeated." },
    ),
  ])
  .meta({
    id: "anyRetry",
    description: "How often and how fast a failed task is repeated: a number of retries, or a mapping.",
  });

/** Modes of a scope. */
export const mode = words("fail_all", "continue", "complete_running").meta({
  id: "failureMode",
  description:
    "`fail_all` stops everything at the first failure, `complete_running` starts nothing more, `continue` lets everything run to its end.",
});

export const command = z
  .union([text, z.array(z.string()).min(1)])
  .meta({ id: "command", description: "A command line, `!` and a line for a shell, or a list of words." });

const flag = z.union([z.string(), z.number(), z.boolean()]);

export const params = z
  .record(z.string(), z.union([flag, z.null(), z.array(flag)]))
  .meta({ id: "params", description: "Parameters of a command; each becomes a flag." });

export const templateText = z.union([template, text]);

/** A list, or a template that gives one. */
export const items = z.union([z.array(anything), template]);

export const jsonSchemaObject = z.record(z.string(), anything);

import { InvalidArgumentError } from "commander";

/** Parsers of option values. What they throw becomes one line and exit code 2. */

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a positive integer.");
}

export function integer(text: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be an integer.");
}

export function notNegativeInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be an integer that is not negative.");
}

/** For options that may be repeated. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** `cpu=8,gpu=1`: amounts by name; may be repeated. */
export function resources(
  text: string,
  before: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const entries = text.split(",").map((part): [string, number] => {
    const [, name, amount] = /^\s*([^\s=]+)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    if (name !== undefined && Number(amount) > 0) return [name, Number(amount)];
    throw new InvalidArgumentError("It must be names with amounts above 0, such as `cpu=8,gpu=1`.");
  });
  return { ...before, ...Object.fromEntries(entries) };
}

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** A run id, or enough of its beginning or end. Nothing else ever reaches a store or a path. */
export function runId(text: string): string {
  if (idPattern.test(text)) return text;
  throw new InvalidArgumentError("A run id has letters, digits, `-` and `_`, at most 64 of them.");
}

import type { JsonObject, JsonValue } from "@braid/core";

export type Flags =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly message: string };

/**
 * Turns the `params` of a command into flags, in the order in which they are written.
 *
 * | params | words |
 * |---|---|
 * | `app: api` | `--app api` |
 * | `force: true` | `--force` |
 * | `off: false`, `none: null` | nothing |
 * | `tags: [a, b]` | `--tags a --tags b` |
 * | `n: 3` | `--n 3` |
 * | `f: x` (one letter) | `-f x` |
 * | `dry_run: true` | `--dry-run` |
 * | `offset: -5` | `--offset=-5` |
 *
 * A key stands as it is written, but `_` becomes `-`. A value that begins with `-` is joined to its flag, so that it can
 * never be read as a flag of its own. Every value is one word, whatever it holds.
 */
export function paramsToFlags(params: JsonObject): Flags {
  const words: string[] = [];
  for (const [key, value] of Object.entries(params)) {
    if (!/^[A-Za-z0-9][\w.-]*$/.test(key))
      return refused(key, "is not a name of a flag (letters, digits, `-`, `_`, `.`)");
    const flag = `${key.length === 1 ? "-" : "--"}${key.replaceAll("_", "-")}`;
    const values: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    for (const entry of values) {
      if (typeof entry === "object" && entry !== null) {
        return refused(
          key,
          "is an object or a list of lists; a flag takes a text, a number, a boolean or a list of these",
        );
      }
      words.push(...flagWords(flag, entry));
    }
  }
  return { ok: true, words };
}

function flagWords(flag: string, value: string | number | boolean | null): readonly string[] {
  if (value === null || value === false) return [];
  if (value === true) return [flag];
  const text = String(value);
  if (!text.startsWith("-")) return [flag, text];
  return [flag.startsWith("--") ? `${flag}=${text}` : `${flag}${text}`];
}

function refused(key: string, problem: string): Flags {
  return { ok: false, message: `\`params.${key}\` ${problem}.` };
}

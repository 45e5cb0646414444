import type { JsonValue } from "@braid/core";

/**
 * The data cannot be kept by any store. Stores answer a commit that holds such data with `rejected`, and raise a
 * `StoreError` elsewhere, so that one store does not accept what another would refuse.
 */
export class NotStorable extends Error {
  override readonly name = "NotStorable";
}

/** NUL ends a text in SQLite and is refused by PostgreSQL; half a surrogate pair is no character in either. */
const unstorableCharacter = /\0|\p{Surrogate}/u;
const unstorableCharacters = /\0|\p{Surrogate}/gu;

/** The same characters as `JSON.stringify` writes them: escaped, after an even number of backslashes. */
const unstorableEscape = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/** The text of a JSON value, refused where a store could not give back the same value. `what` names it in the message. */
export function encodeJson(value: JsonValue | object, what: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new NotStorable(`${what} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (text === undefined) throw new NotStorable(`${what} is not JSON: it is ${typeof value}`);
  if (text.includes("\\u") && unstorableEscape.test(text)) {
    throw new NotStorable(`${what} holds a NUL character or half of a surrogate pair, which no store can keep`);
  }
  return text;
}

/** Refuses a text that a store could not give back unchanged. */
export function checkText(text: string, what: string): string {
  if (unstorableCharacter.test(text)) {
    throw new NotStorable(`${what} holds a NUL character or half of a surrogate pair, which no store can keep`);
  }
  return text;
}

/** Output of programs may hold anything: what cannot be kept becomes U+FFFD, because a log line is never worth an error. */
export function cleanText(text: string): string {
  return text.replaceAll(unstorableCharacters, "\uFFFD");
}

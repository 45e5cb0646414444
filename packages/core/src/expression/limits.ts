/** Longest source of one expression, in UTF-16 units. The library itself stops at 21,000. */
export const MAX_EXPRESSION_LENGTH = 10_000;

/** Deepest nesting of one expression, counted as levels of its tree. The library counts most of them, not chains of comparisons. */
export const MAX_EXPRESSION_DEPTH = 50;

/** Deepest nesting of a JSON value that is walked, built or written as text. */
export const MAX_JSON_DEPTH = 100;

/** Largest text an evaluation may give, in bytes of UTF-8: the default `maxPayloadBytes`. */
export const MAX_TEXT_BYTES = 1_048_576;

/** Most items of a list that a function may make: no JSON text of {@link MAX_TEXT_BYTES} holds more. */
export const MAX_LIST_ITEMS = 524_288;

/** Most items of `range(…)`: ten thousand items of a map is normal, more is a slip of the pen. */
export const MAX_RANGE_ITEMS = 10_000;

/** Most names a message lists before it stops. */
export const MAX_LISTED_NAMES = 10;

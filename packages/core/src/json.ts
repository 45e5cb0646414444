/** A value that survives JSON unchanged. Everything Braid stores or sends is one of these. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object. Its keys are never used to derive an order. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

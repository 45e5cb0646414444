/** What an evaluation gave, or why there is no value. */
export type Evaluated<Value = unknown> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string };

/** Carries a failure out of a member that is made when an expression reads it; `evaluate` turns it into its result. */
export class EvaluationFailure extends Error {
  override readonly name = "EvaluationFailure";
}

/** The closed set of codes. */
export type DiagnosticCode =
  | "yaml_syntax"
  | "duplicate_key"
  | "limit_exceeded"
  | "unsupported_version"
  | "unknown_key"
  | "invalid_value"
  | "missing_value"
  | "conflicting_keys"
  | "duplicate_step"
  | "missing_dependency"
  | "self_dependency"
  | "duplicate_dependency"
  | "cross_scope_dependency"
  | "cycle"
  | "unknown_step_type"
  | "unknown_reference"
  | "join_unsatisfiable"
  | "unreachable_step"
  | "parallel_group_split"
  | "mixed_order"
  | "ambiguous_order"
  | "concurrent_context_write"
  | "expression_syntax"
  | "unsafe_expression"
  | "unsupported_feature";

/** A problem of a definition, as a value. All of them are reported at once. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** What would be right. */
  readonly hint?: string;
  /** JSON pointer into the text. */
  readonly path: string;
  /** From 1; absent where the definition did not come from text. */
  readonly line?: number;
  readonly column?: number;
}

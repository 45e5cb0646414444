export type { JsonObject, JsonValue } from "./json.ts";
export type {
  EdgeOn,
  EdgeOrigin,
  FailureMode,
  Plan,
  PlanControl,
  PlanEdge,
  PlanFunction,
  PlanHost,
  PlanJoin,
  PlanPayload,
  PlanScope,
  PlanStep,
  PlanStepHost,
  RateLimit,
  RetryPolicy,
  StepKind,
} from "./plan/plan.ts";
export type {
  CancelCause,
  ErrorCode,
  RowStatus,
  RunFailure,
  RunStatus,
  SkipReason,
  StepError,
  StepStatus,
} from "./kernel/status.ts";
export { isTerminal } from "./kernel/status.ts";
export type { RunEvent, RunOverrides, TimerKind } from "./kernel/event.ts";
export type { Command } from "./kernel/command.ts";
export type { TraceEvent, TraceType } from "./kernel/trace.ts";
export type { Transition } from "./kernel/transition-types.ts";
export type { FailureState, RowChange, RunPhase, StopCause, StopState } from "./state/rows.ts";
export { isOnlyWithdrawn, RunRow, StepRow } from "./state/rows.ts";
export type {
  ActionDefinition,
  BlockDefinition,
  Definition,
  DependencyDefinition,
  Duration,
  MapDefinition,
  RetryDefinition,
  StepDefinition,
  TypeDefinition,
} from "./definition/model.ts";
export type { Diagnostic, DiagnosticCode } from "./definition/diagnostic.ts";
export type { Compiled, Locate, Parsed } from "./definition/front-end.ts";
export { transition } from "./kernel/transition.ts";
export { createState, loadState, pendingCommands, replaceRows, restore } from "./kernel/load.ts";
export { dueTimers } from "./kernel/timer.ts";
export { edgeState } from "./kernel/edge.ts";
export type { EdgeState } from "./kernel/edge.ts";
export { fnv1a, retryDelay } from "./kernel/retry.ts";
export { describeTrace, isoTime } from "./kernel/describe.ts";
export { copyRunRow, copyStepRow } from "./state/copy.ts";
export { itemRow, stepRow } from "./state/run-state.ts";
export type { RunState } from "./state/run-state.ts";
export { stepStatus, visibleSteps } from "./state/view.ts";
export { pendingReason } from "./state/pending-reason.ts";
export type { PendingReason } from "./state/pending-reason.ts";
export { checkInvariants } from "./state/invariants.ts";
export { compile } from "./plan/compile.ts";
export type { CompileOptions } from "./plan/compile.ts";
export type { HostFeature } from "./plan/host-features.ts";
export { criticalPath, speedUp } from "./plan/critical-path.ts";
export type { CriticalPath, Durations, SpeedUp } from "./plan/critical-path.ts";
export {
  ancestorsOf,
  dependenciesOf,
  dependentsOf,
  edgesOf,
  findStep,
  layers,
  readySteps,
  topologicalOrder,
} from "./plan/graph.ts";
export type { EdgeView } from "./plan/graph.ts";
export { toAscii } from "./plan/render/ascii.ts";
export { toDot } from "./plan/render/dot.ts";
export { toJsonGraph } from "./plan/render/json-graph.ts";
export { toMermaid } from "./plan/render/mermaid.ts";
export { parseDuration } from "./definition/duration.ts";
export { formatDiagnostic } from "./definition/format-diagnostic.ts";
export { nearestName } from "./definition/nearest.ts";
export { normalize } from "./definition/normalize.ts";
export type { ParsedInPart, ParseOptions } from "./definition/normalize.ts";
export { parseDefinition, parseGraph } from "./definition/parse-definition.ts";
export { parseJson, parseYaml } from "./definition/parse-text.ts";
export {
  compileValue,
  evaluateCondition,
  evaluateTemplate,
  evaluateText,
  evaluateValue,
  isProblems,
  isTemplate,
  parseCondition,
  parseTemplate,
  scriptReferences,
} from "./expression/index.ts";
export type { CompiledValue, ExpressionReference, ExpressionScope, Template } from "./expression/index.ts";

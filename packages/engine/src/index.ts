export { createEngine } from "./runtime/create-engine.ts";
export type { EngineParts } from "./runtime/create-engine.ts";
export type {
  Engine,
  EngineLimits,
  EngineOptions,
  LimitSetting,
  Progress,
  PublicTraceEvent,
  Registered,
  RunHandle,
  RunResult,
  StartOptions,
  StepResultView,
  WorkerHandle,
  WorkflowInCode,
  WorkflowSource,
  WorkOptions,
} from "./engine.ts";

export type { FunctionInput } from "./runtime/function-input.ts";
export { AttemptStopped } from "./runtime/attempt-setting.ts";
export type { StopReason } from "./runtime/attempt-setting.ts";
export { BraidError, isBraidError } from "./errors.ts";
export { EngineError, InvalidDefinition, InvalidInput } from "./runtime/errors.ts";
export type { EngineErrorCode } from "./runtime/errors.ts";
export { StoreError } from "./store/store-error.ts";
export type { StoreErrorCode } from "./store/store-error.ts";
export { hostFeatures } from "./runtime/host-features.ts";
export { createStore, openStore } from "./store/open.ts";
export { openSchema } from "./store/open-schema.ts";
export type { StoreSchema } from "./store/open-schema.ts";
export { createMemoryStore } from "./store/memory.ts";
export type { MemoryStoreOptions } from "./store/memory.ts";
export { createSqliteStore } from "./store/sqlite.ts";
export type { SqliteStoreOptions } from "./store/sqlite.ts";
export type {
  ClaimAnswer,
  ClaimedTask,
  ClaimRequest,
  HeartbeatAnswer,
  HeartbeatRequest,
  SweepAnswer,
} from "./store/claims.ts";
export type { Store } from "./store/port.ts";
export type {
  CreateAnswer,
  LoadedRun,
  LogFilter,
  LogLine,
  NewRun,
  NewSignal,
  Payload,
  PayloadRequest,
  RunFilter,
  RunSummaryRow,
  StoredSignal,
  StoredWorkflow,
  WorkerRecord,
  WorkflowRecord,
} from "./store/records.ts";
export type {
  CancelAnswer,
  CancelRequest,
  CommitAnswer,
  CommitAnswers,
  Enqueue,
  Fence,
  PayloadWrite,
  RunCommit,
  TaskKey,
} from "./store/run-commit.ts";
export { StepFailure } from "./steps/step-type.ts";
export type { EvaluatedPayload, StepContext, StepLogger, StepResult, StepType } from "./steps/step-type.ts";
export { defineStepType, withActivePorts } from "./steps/define-step-type.ts";
export type { DefinedStepType, StepTypeDefaults, StepTypeDefinition, WithPorts } from "./steps/define-step-type.ts";
export { workflow, Workflow } from "./builder/workflow.ts";
export type { BuiltWorkflow, ChildWorkflow } from "./builder/built-workflow.ts";
export { loadGraph, loadYaml } from "./load/load-text.ts";

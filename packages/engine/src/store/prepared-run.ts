import type { NewRun, NewRunRequest } from "./records.ts";
import { checkTrace, prepareCommit } from "./prepared-commit.ts";
import type { PreparedCommit } from "./prepared-commit.ts";
import type { Cell } from "./codec.ts";
import { checkText, encodeJson, NotStorable } from "./storable.ts";

/** A run that is about to be created, in the form in which it is kept. Made before any lock is taken. */
export interface PreparedRun {
  readonly record: NewRun;
  readonly prepared: PreparedCommit;
  /** Cells in the order of `runColumns`. */
  readonly cells: readonly Cell[];
  readonly input: string;
  readonly meta: string;
}

/** Encodes a new run and its first rows. Throws `NotStorable` where a store could not give back the same. */
export function prepareRun({ run: record, commit }: NewRunRequest): PreparedRun {
  const prepared = prepareCommit(commit);
  if (prepared.run === null) throw new NotStorable("the first commit of a run brings its row");
  checkTrace(prepared, 0);
  if (record.group !== null) checkText(record.group, "the name of the run's group");
  if (record.idempotencyKey !== null) checkText(record.idempotencyKey, "the run's idempotency key");
  return {
    record,
    prepared,
    cells: prepared.run,
    input: encodeJson(record.input, "the run's input"),
    meta: encodeJson(record.meta, "the run's meta"),
  };
}

/** Of a run whose workflow is not kept in the version that it names. */
export function unknownWorkflow({ workflow, workflowVersion }: NewRun): NotStorable {
  return new NotStorable(`workflow \`${workflow}\` has no version ${workflowVersion}`);
}

import { RunRow } from "@braid/core";
import { expect, test } from "vitest";
import { CommitDraft } from "./commit-draft.ts";
import type { CachedRun } from "./run-cache.ts";

const run = { id: "r", state: { run: new RunRow() } } as unknown as CachedRun;
const key = (attempt: number) => ({ step: 0, task: -1, attempt });
const task = (attempt: number) => {
  return { ...key(attempt), queue: "q", handler: "h", priority: 0, limits: [], resources: null, lease: null };
};
const closesOf = (draft: CommitDraft): readonly number[] =>
  draft.toCommit("c", { expectedVersion: 1 }).closes.map(({ attempt }) => attempt);

test("an attempt is closed although the next one was queued and withdrawn within the same commit", () => {
  const draft = new CommitDraft(run);
  draft.addClose(key(1));
  draft.addTask(task(2));
  draft.enqueue.delete(key(2));
  draft.addClose(key(2));
  expect(closesOf(draft)).toEqual([1]);
});

test("an attempt whose number comes again is not closed", () => {
  const draft = new CommitDraft(run);
  draft.addClose(key(2));
  draft.addTask(task(2));
  expect(closesOf(draft)).toEqual([]);
});

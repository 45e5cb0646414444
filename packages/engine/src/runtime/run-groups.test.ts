import { RunRow } from "@braid/core";
import type { RunStatus } from "@braid/core";
import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/port.ts";
import { RunGroups } from "./run-groups.ts";

/** Groups over a store that lists these runs as those that have not ended, in the order of their places. */
function groupsOf(active: readonly { readonly id: string; readonly status: RunStatus }[]): {
  readonly groups: RunGroups;
  readonly started: string[];
} {
  const rows = active.map(({ id, status }, index) => {
    const run = Object.assign(new RunRow(), { status });
    return { id, workflow: "w", workflowVersion: 1, createdAt: 0, groupPlace: index + 1, run };
  });
  const store: Store = Object.assign(createMemoryStore(), { listRuns: async () => rows });
  const started: string[] = [];
  const groups = new RunGroups({ store, start: (runId) => void started.push(runId), cancel: () => {} });
  return { groups, started };
}

const place = { id: "own", workflow: "w", group: "g" };
const limit = { group: "g", max: 1, onConflict: "reject" } as const;

test("a run that finds no room before it is not started", async () => {
  const { groups, started } = groupsOf([
    { id: "first", status: "running" },
    { id: "own", status: "queued" },
  ]);
  expect(await groups.tryStart(place, limit)).toBe(false);
  expect(started).toEqual([]);
});

test("a run that whoever made room has started is not refused, even if it has ended since", async () => {
  for (const active of [[{ id: "own", status: "running" } as const], []]) {
    const { groups, started } = groupsOf(active);
    expect(await groups.tryStart(place, limit)).toBe(true);
    expect(started).toEqual([]);
  }
});

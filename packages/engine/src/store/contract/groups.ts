import assert from "node:assert/strict";
import type { Store } from "../port.ts";
import type { RunFilter } from "../records.ts";
import { finishedRun, idsOf, newRun, putPlan, startRun } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { chainPlan } from "./plan.ts";
import { RunDriver } from "./run-driver.ts";

/** Places of the runs of a group of the workflow `release`, oldest run first. */
async function placesOf(store: Store, group: string): Promise<readonly (number | null)[]> {
  const rows = await store.listRuns({ workflow: "release", group, limit: 100 });
  return rows.map(({ groupPlace }) => groupPlace).toReversed();
}

function assertRising(places: readonly (number | null)[]): void {
  for (const [index, place] of places.entries()) {
    assert.ok(place !== null && (index === 0 || place > places[index - 1]!), `rising places: ${places.join(", ")}`);
  }
}

/** Groups of runs of a workflow, and the order of the runs in them. */
export const groupClaims: readonly StoreClaim[] = [
  {
    claim: "gives the runs of a group rising places in the order in which they are created, and no place to others",
    check: async ({ store, advance }) => {
      const ids: string[] = [];
      for (let count = 0; count < 3; count += 1) {
        ids.push((await startRun(store, { run: { group: "eu" } })).id);
        await startRun(store, { run: { group: "us" } });
        await advance(1);
      }
      const alone = await startRun(store);
      const all = await store.listRuns({ limit: 100 });
      const eu = ids.map((id) => all.find((row) => row.id === id)!.groupPlace);
      assertRising(eu);
      assert.deepEqual(await placesOf(store, "eu"), eu);
      assertRising(await placesOf(store, "us"));
      assert.equal(all.find(({ id }) => id === alone.id)?.groupPlace, null);
    },
  },
  {
    claim:
      "gives places in the order of creation, whatever the ids, also to runs of one call, and skips those it refuses",
    check: async ({ store }) => {
      await putPlan(store);
      const fields = { group: "eu" };
      const [first, second, third, fourth] = [newRun(fields), newRun(fields), newRun(fields), newRun(fields)];
      const refused = newRun({ ...fields, workflow: "unknown" });
      const order = [third, refused, first, fourth, second];
      const requests = order.map((run) => ({ run, commit: new RunDriver(store, run.id).next() }));
      await store.createRuns(requests.slice(0, 3));
      await store.createRuns(requests.slice(3));
      const places = new Map((await store.listRuns({ limit: 10 })).map(({ id, groupPlace }) => [id, groupPlace]));
      assert.equal(places.size, 4);
      assertRising([third, first, fourth, second].map(({ id }) => places.get(id) ?? null));
    },
  },
  {
    claim: "gives runs that are created at once different places",
    check: async ({ store }) => {
      await putPlan(store);
      await Promise.all(Array.from({ length: 12 }, () => startRun(store, { run: { group: "eu" } })));
      const places = await placesOf(store, "eu");
      assert.equal(new Set(places).size, 12);
      assert.ok(!places.includes(null));
    },
  },
  {
    claim: "lists the runs of one group of a workflow, also by status",
    check: async ({ store }) => {
      await store.putWorkflow({ name: "other", hash: "h", definition: {}, plan: chainPlan("other", ["a", "b"]) });
      const ended = await finishedRun(store, "completed", { finishedAt: 2_000, fields: { group: "eu" } });
      const open = await startRun(store, { run: { group: "eu" } });
      await startRun(store, { run: { group: "us" } });
      await startRun(store, { run: { group: "eu", workflow: "other" } });
      await startRun(store);
      const list = async (filter: Partial<RunFilter>) =>
        idsOf(await store.listRuns({ workflow: "release", group: "eu", limit: 100, ...filter }));
      assert.deepEqual(await list({}), [open.id, ended.id]);
      assert.deepEqual(await list({ limit: 1 }), [open.id]);
      assert.deepEqual(await list({ before: open.id }), [ended.id]);
      assert.deepEqual(await list({ status: ["queued", "running", "paused"] }), [open.id]);
      assert.deepEqual(await list({ status: ["running", "completed"] }), [open.id, ended.id]);
      assert.deepEqual(await list({ status: ["completed"] }), [ended.id]);
      assert.deepEqual(await list({ status: [] }), []);
      assert.deepEqual(await list({ group: "none" }), []);
    },
  },
  {
    claim: "keeps places rising after runs of the group were pruned",
    check: async ({ store }) => {
      const fields = { group: "eu" };
      await startRun(store, { run: fields });
      await finishedRun(store, "completed", { finishedAt: 2_000, fields });
      await startRun(store, { run: fields });
      await finishedRun(store, "completed", { finishedAt: 2_000, fields });
      assert.equal((await store.prune({ keep: 0 })).length, 2);
      await startRun(store, { run: fields });
      const places = await placesOf(store, "eu");
      assert.equal(places.length, 3);
      assertRising(places);
    },
  },
];

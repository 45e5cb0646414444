import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { nextOf, startChain } from "../contract/chains.ts";
import { stepRow } from "../contract/fixtures.ts";
import type { Store } from "../port.ts";
import type { CommitAnswer, RunCommit } from "../run-commit.ts";
import { createPostgresStore } from "../postgres.ts";
import { ScratchLinks } from "./scratch-links.ts";

/** What a server adds to the contract of stores for commits of chains: it holds the callers to what they say of rows. */
describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  let store: Store;
  beforeAll(() => scratch.next());
  beforeEach(async () => {
    store = createPostgresStore({ url: scratch.url });
    await store.open();
    return () => store.close();
  });
  afterAll(() => scratch.remove());

  /** Commits alone, or beside another run, whose commit has to be accepted. */
  async function send(commit: RunCommit, isAlone: boolean): Promise<CommitAnswer> {
    const others = isAlone ? [] : [nextOf(await startChain(store), 0)];
    const answers = [...(await store.commit([...others, commit])).answers];
    const answer = answers.pop()!;
    expect(answers.every(({ kind }) => kind === "accepted")).toBe(true);
    return answer;
  }

  const lies: readonly (readonly [what: string, lie: (commit: RunCommit) => Partial<RunCommit>])[] = [
    [
      "changes a row that is not there",
      ({ steps }) => ({ steps: [stepRow(7, { status: "completed" }), steps[1]!], closes: [], payloads: [] }),
    ],
    ["adds a row that is there", ({ steps }) => ({ newSteps: new Set(steps), closes: [] })],
    [
      "has a number that no column holds",
      ({ steps }) => ({ steps: [changed(steps[0]!, { attempt: 2 ** 40 }), steps[1]!] }),
    ],
    ["breaks the life of a row", ({ steps }) => ({ steps: [changed(steps[0]!, { status: "skipped" }), steps[1]!] })],
  ];

  const changed = (row: RunCommit["steps"][number], fields: Partial<typeof row>): typeof row =>
    Object.assign(stepRow(row.step), row, fields);

  test.each(lies.flatMap(([what, lie]) => [true, false].map((isAlone) => ({ what, lie, isAlone }))))(
    "a commit that $what is rejected, and nothing of it is written (alone: $isAlone)",
    async ({ lie, isAlone }) => {
      const chain = await startChain(store);
      const { id } = chain.driver;
      const before = (await store.load(id))!;
      const commit = nextOf(chain, 0);
      expect((await send({ ...commit, ...lie(commit) }, isAlone)).kind).toBe("rejected");
      const after = (await store.load(id))!;
      expect([after.run, after.steps, after.version]).toEqual([before.run, before.steps, before.version]);
      expect((await send(commit, isAlone)).kind).toBe("accepted");
    },
  );

  const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

  test.each([true, false])(
    "a commit gets through while the lease of its step is renewed (alone: %s)",
    async (isAlone) => {
      const chain = await startChain(store);
      const { driver, token } = chain;
      const held = await scratch.open().hold();
      await held.begin();
      const renew = "update braid.steps set lease_until = lease_until + 1 where run_id = $1";
      await held.rows({ name: "", text: renew }, [driver.id]);
      const commit = nextOf(chain, 0);
      const answer = send(commit, isAlone);
      while ((await scratch.query(waiting)).length === 0) continue;
      await held.commit();
      held.release();
      expect((await answer).kind).toBe("accepted");
      const { steps, leases } = (await store.load(driver.id))!;
      expect(steps).toEqual(commit.steps);
      expect(leases.map((lease) => [lease.step, lease.token === token])).toEqual([[1, false]]);
    },
  );
});

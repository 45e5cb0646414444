import { describe, expect, test } from "vitest";
import type { Style } from "../terminal/style.ts";
import { planOf, traceOf, viewAt } from "../testing/trace.ts";
import { widthOf } from "../terminal/width.ts";
import { renderTable } from "./table.ts";
import type { RunView } from "./run-view.ts";

const style: Style = { colors: false, unicode: true };

const plan = planOf(`
name: release
inputs: { regions: { type: array } }
steps:
  - { id: checkout, run: "true", dependsOn: [] }
  - id: checks
    dependsOn: [checkout]
    parallel:
      onFailure: continue
      steps:
        - { id: lint, run: "true" }
        - { id: unit, run: "true", retry: { maxAttempts: 3, delay: 2s, jitter: 0, backoff: fixed } }
  - { id: deploy, run: "true", dependsOn: [checks], forEach: { items: "\${{ inputs.regions }}", maxConcurrent: 2 } }
  - { id: approve, approval: {}, dependsOn: [checks] }
finally:
  - { id: clean, run: "true" }
`);
const trace = traceOf(plan, {
  unit: { durationMs: 1500, failures: 1 },
  deploy: { durationMs: 1000, items: 5 },
  approve: { durationMs: 9000 },
});

function table(view: RunView, now: number, size = { columns: 80, rows: 24 }): string {
  return renderTable(view, { now, ...size, style }).join("\n");
}

test("shows steps, blocks with counts and waiting steps while the run goes on", () => {
  // The mark of a running step turns with the clock.
  expect(table(viewAt(plan, trace, 3000), 3000)).toBe(
    `
release  running  3.0s  2 of 7 steps settled
 ✓ completed checkout    1.0s
 ⠋ running   checks      2.0s  1 of 2
 ✓ completed   lint      1.0s
 ◦ waiting     unit      2.0s  again in 1.5s
 · pending   deploy
 · pending   approve
 · pending   finally           0 of 1
 · pending     clean
`.trim(),
  );
});

test("shows a map as one row with counts, and what a wait is for", () => {
  const text = table(viewAt(plan, trace, 7500), 7500);
  expect(text).toContain("✓ completed   unit      5.0s  attempt 2 of 3");
  expect(text).toMatch(/running {3}deploy +1.5s {2}2 (of 5|completed), 2 running/);
  expect(text).toMatch(/◦ waiting {3}approve +1.5s {2}approval/);
});

test("shows the end of a run", () => {
  const text = table(viewAt(plan, trace), 99_000);
  expect(text).toContain("release  completed  16.0s  7 of 7 steps settled");
  expect(text).toMatch(/✓ completed deploy +3.0s {2}5 (of 5|completed)/);
  expect(text).toMatch(/✓ completed finally +1.0s {2}1 of 1/);
});

test("says why steps failed, were skipped and were stopped", () => {
  const failing = planOf(`
name: failing
steps:
  - { id: bad, run: "true", dependsOn: [] }
  - { id: long, run: "true", dependsOn: [] }
  - { id: after, run: "true", dependsOn: [bad] }
`);
  const view = viewAt(failing, traceOf(failing, { bad: { fails: true }, long: { durationMs: 5000 } }));
  expect(table(view, 0)).toBe(
    `
failing  failed  1.0s  3 of 3 steps settled
 ✗ failed    bad      1.0s  exit_code: simulated failure
 ■ canceled  long     1.0s  scope failed
 - skipped   after          upstream failed
`.trim(),
  );
});

describe("whatever the size of the screen", () => {
  const wide = planOf(`
name: 宽
steps:
  - { name: "部署到生产环境的所有区域", run: "true" }
  - { name: "déployer e\u0301", run: "true" }
`);

  test("no line is as wide as the screen, and all lines fit into its height", () => {
    for (const columns of [1, 5, 20, 40, 80, 200]) {
      for (const rows of [1, 2, 3, 5, 24]) {
        for (const view of [viewAt(plan, trace, 3000), viewAt(wide, traceOf(wide), 500)]) {
          const lines = renderTable(view, { now: 3000, columns, rows, style, notice: "canceling" });
          expect(Math.max(...lines.map(widthOf))).toBeLessThan(Math.max(2, columns));
          expect(lines.length).toBeLessThanOrEqual(Math.max(3, rows));
        }
      }
    }
  });
});

test("says how long a sleep still takes", () => {
  const nap = planOf("{ name: nap, steps: [{ id: nap, sleep: 5s }] }");
  expect(table(viewAt(nap, traceOf(nap), 0), 2000)).toContain("◦ waiting   nap     2.0s  3.0s to go");
});

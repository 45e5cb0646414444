import { afterEach, describe, expect, test } from "vitest";
import { anyInput, define, Fixture, storeKinds } from "../testing/fixture.ts";
import { workflow } from "../builder/workflow.ts";

const fixture = new Fixture();
afterEach(() => fixture.clear());

describe.each(storeKinds)("an engine on %s", (kind) => {
  const open = (options = {}) => fixture.engine({ store: fixture.store(kind), ...options });

  test("runs a file of commands and passes outputs on", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
name: hello
inputs: {who: {type: string, default: world}}
steps:
  - id: greet
    run: echo "hello \${{ inputs.who }}"
  - id: shout
    dependsOn: [greet]
    run: echo "\${{ steps.greet.output.stdout }}!" | tr a-z A-Z
output: \${{ steps.shout.output.stdout }}
`),
    );
    expect(result).toMatchObject({ status: "completed", error: null });
    expect(result.steps["greet"]?.output).toMatchObject({ exitCode: 0, stdout: "hello world\n" });
    expect(result.output).toContain("HELLO WORLD");
  });

  test("gives functions the output of the step before, their dependencies and the run's input", async () => {
    const engine = await open();
    const list = workflow("list", { input: anyInput<{ n: number }>() })
      .step("one", async ({ input }) => ({ n: input.n + 1 }))
      .step("two", async ({ prev }) => ({ n: prev.n * 10 }));
    const graph = workflow("graph")
      .step("a", { dependsOn: [] }, async () => 2)
      .step("b", { dependsOn: [] }, async () => 3)
      .step("sum", { dependsOn: ["a", "b"] }, async ({ deps }) => deps.a + deps.b)
      .output(({ deps }) => ({ sum: deps.sum }));
    expect((await engine.run(list, { input: { n: 1 } })).steps["two"]?.output).toEqual({ n: 20 });
    expect((await engine.run(graph)).output).toEqual({ sum: 5 });
  });

  test("gives a map's output in the order of its items, whatever finishes first", async () => {
    const engine = await open();
    const squares = workflow("squares")
      .step("numbers", async () => [4, 3, 2, 1])
      .map("square", { forEach: { items: ({ prev }) => prev } }, async ({ item }) => {
        await new Promise((resolve) => setTimeout(resolve, item));
        return item * item;
      });
    const result = await engine.run(squares);
    expect(result.steps["square"]).toMatchObject({ status: "completed", output: [16, 9, 4, 1], attempts: 4 });
    expect(result.steps["square"]?.counts).toEqual({ total: 4, completed: 4, failed: 0, skipped: 0, canceled: 0 });
  });
});

import { afterEach, describe, expect, test } from "vitest";
import { workflow } from "../builder/workflow.ts";
import { define, Fixture, storeKinds } from "../testing/fixture.ts";

const fixture = new Fixture();
afterEach(() => fixture.clear());

describe.each(storeKinds)("data on %s", (kind) => {
  const open = (options = {}) => fixture.engine({ store: fixture.store(kind), ...options });

  test("of a block is its completed members' outputs by id, and a pure join's that of its sources", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - id: both
    parallel:
      onFailure: continue
      steps:
        - {id: a, run: echo A}
        - {id: b, run: exit 3, continueOnError: true}
  - {id: gather, dependsOn: [both]}
`),
    );
    expect(result).toMatchObject({ status: "completed", toleratedFailures: 1 });
    expect(result.steps["both"]).toMatchObject({
      output: { a: { stdout: "A\n" } },
      counts: { total: 2, completed: 1, failed: 1 },
    });
    expect(result.steps["gather"]?.output).toMatchObject({ both: { a: { stdout: "A\n" } } });
    expect(result.steps["b"]).toMatchObject({ status: "failed", tolerated: true, error: { code: "exit_code" } });
  });

  test("leaves null for a failed but tolerated item of a map", async () => {
    const engine = await open();
    const result = await engine.run(
      define(
        `
steps:
  - id: each
    forEach: {items: [ok, bad, fine], tolerateFailures: 1}
    run: test "\${{ item }}" != bad && echo "$BRAID_INDEX \${{ item }}"
  - id: after
    run: echo '\${{ toJSON(1) }}'
    when: \${{ steps.each.output[1] == null && steps.each.output[2].stdout != '' }}
`.replace("echo '${{ toJSON(1) }}'", "echo after"),
      ),
    );
    expect(result.steps["each"]).toMatchObject({
      status: "completed",
      output: [{ stdout: "0 ok\n" }, null, { stdout: "2 fine\n" }],
    });
    expect(result.steps["after"]?.status).toBe("completed");
    expect(result.toleratedFailures).toBe(1);
  });

  test("of the shared context merges shards in the order of the graph, whoever finished first", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - {id: slow, dependsOn: [], run: sleep 0.2; echo slow, set: {who: slow, slow: "\${{ steps.slow.output.stdout }}"}}
  - {id: fast, dependsOn: [], run: echo fast, set: {who: fast}}
  - {id: wait, dependsOn: [slow], sleep: 1ms, set: {waited: true}}
  - id: read
    dependsOn: [wait, fast]
    run: echo "\${{ context.who }} \${{ context.slow }} \${{ context.waited }}"
`),
    );
    expect(result).toMatchObject({ status: "completed" });
    expect(result.steps["read"]?.output).toMatchObject({ stdout: "fast slow\n true\n" });
  });

  test("of the shared context holds nothing of a step that merely finished earlier", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - {id: slow, dependsOn: [], run: sleep 0.2, set: {mine: 1}}
  - {id: stranger, dependsOn: [], run: "true", set: {other: 2}}
  - {id: read, dependsOn: [slow], run: "echo \${{ toJSON(context) }}"}
`),
    );
    expect(result.steps["read"]?.output).toMatchObject({ stdout: expect.not.stringContaining("other") as string });
    expect(result.steps["read"]?.output).toMatchObject({ stdout: expect.stringContaining("mine") as string });
  });

  test("that is not there fails the attempt with `input_unresolved`, which is not retried", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - {id: a, run: "true"}
  - {id: b, run: "echo \${{ steps.a.output.nope }}", retry: {maxAttempts: 3, delay: 1ms}}
`),
    );
    expect(result).toMatchObject({ status: "failed", error: { code: "input_unresolved", step: "b" } });
    expect(result.steps["b"]).toMatchObject({
      attempts: 1,
      error: { message: expect.stringContaining("steps.a.output.nope") },
    });
  });

  test("that a condition misses fails the step with `condition_error` before any attempt", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - {id: a, run: "true"}
  - {id: b, run: "true", when: "\${{ steps.a.output.nope }}"}
`),
    );
    expect(result.steps["b"]).toMatchObject({ status: "failed", attempts: 0, error: { code: "condition_error" } });
  });

  test("that no store can keep fails the task and nothing else", async () => {
    const engine = await open({ maxPayloadBytes: 1_000 });
    const outputs: Record<string, unknown> = {
      nul: "a\0b",
      half: "\ud800",
      big: "x".repeat(2_000),
      huge: 10n,
      infinite: Number.POSITIVE_INFINITY,
      date: new Date(0),
    };
    let list = workflow("bad").step("start", { dependsOn: [] }, async () => 0);
    for (const [name, output] of Object.entries(outputs)) {
      list = list.step(name, { dependsOn: ["start"], onError: "continue" }, async () => output) as never;
    }
    const result = await engine.run(list);
    expect(result.status).toBe("completed");
    for (const name of Object.keys(outputs)) {
      expect(result.steps[name], name).toMatchObject({
        status: "failed",
        error: { code: "payload_invalid" },
        attempts: 1,
      });
    }
  });

  test("tells handlers of a failure which step failed, and hooks and `finally` how the run is about to end", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - {id: a, dependsOn: [], run: exit 3}
  - {id: b, dependsOn: [], run: exit 4}
  - id: handle
    dependsOn: [{step: a, on: failure}, {step: b, on: failure}]
    run: echo "\${{ error.step }} \${{ error.code }} \${{ length(errors) }} \${{ errors[1].step }}"
  - {id: worse, dependsOn: [handle], run: exit 5}
onFailure:
  - {id: hook, run: "echo \${{ error.step }} \${{ run.status }}"}
finally:
  - {id: tidy, run: "echo \${{ steps.worse.status }} \${{ run.status }} \${{ steps.hook.output.stdout }}"}
`),
    );
    const stdout = (step: string): unknown => (result.steps[step]!.output as { stdout: string }).stdout;
    expect(result).toMatchObject({ status: "failed", error: { step: "worse" } });
    expect(stdout("handle")).toBe("a exit_code 2 b\n");
    expect(stdout("hook")).toBe("worse failed\n");
    expect(stdout("tidy")).toBe("failed failed worse failed\n\n");
  });

  test("of an input is checked and completed with defaults", async () => {
    const engine = await open();
    const definition = define(`
inputs:
  env: {type: string, enum: [dev, prod], required: true}
  count: {type: integer, default: 2}
steps:
  - {id: a, run: "echo \${{ inputs.env }} \${{ inputs.count }}"}
`);
    const result = await engine.run(definition, { input: { env: "dev" } });
    expect(result.steps["a"]?.output).toMatchObject({ stdout: "dev 2\n" });
    const wrong = engine.start(definition, { input: { env: "test", count: "3", other: 1 } });
    await expect(wrong).rejects.toMatchObject({
      code: "invalid_input",
      problems: [
        expect.stringContaining("`env` must be one of"),
        expect.stringContaining("`count` must be of type integer"),
        expect.stringContaining("no input `other`"),
      ],
    });
    await expect(engine.start(definition, {})).rejects.toThrow("`env` is required");
  });

  test("of an output is checked against its schema", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - id: a
    run: echo "n=five" >> "$BRAID_OUTPUT"
    output: {type: object, properties: {n: {type: integer}}, required: [n]}
`),
    );
    expect(result.steps["a"]).toMatchObject({ status: "failed", error: { code: "output_invalid" } });
    expect(result.error?.message).toContain("/n");
  });

  test("masks secrets in outputs, errors and logs, and gives them to the program", async () => {
    const lines: string[] = [];
    const engine = await open({
      secretsEnv: { TOKEN: "s3cr3t-value" },
      onLog: ({ text }: { text: string }) => lines.push(text),
    });
    const result = await engine.run(
      define(`
secrets: [TOKEN]
steps:
  - id: a
    dependsOn: []
    env: {T: "\${{ secrets.TOKEN }}"}
    run: |
      test "$T" = "s3cr3t-value"
      echo "token $T"
  - {id: b, dependsOn: [], continueOnError: true, run: "echo \${{ secrets.TOKEN }} >&2; exit 1"}
`),
    );
    expect(result.steps["a"]?.output).toMatchObject({ stdout: "token ***\n" });
    expect(result.steps["b"]?.error?.message).toContain("***");
    expect(lines).toContain("token ***");
    expect(JSON.stringify([result, lines, await engine.store.readTrace(result.runId, 0, 100)])).not.toContain(
      "s3cr3t-value",
    );
  });

  test("never becomes shell code or a second word", async () => {
    const engine = await open();
    const evil = "$(touch pwned); `id` && 'x' \"y\" !z";
    const result = await engine.run(
      define(`
inputs: {text: string}
steps:
  - {id: script, dependsOn: [], run: "printf '%s' \${{ inputs.text }}"}
  - {id: words, dependsOn: [], command: "printf %s-%s a\${{ inputs.text }} b"}
  - {id: bang, dependsOn: [], command: "!printf '%s' \${{ inputs.text }}"}
  - {id: params, dependsOn: [], command: echo, params: {m: "\${{ inputs.text }}"}}
`),
      { input: { text: evil } },
    );
    const stdout = (step: string): unknown => (result.steps[step]!.output as { stdout: string }).stdout;
    expect(result.status).toBe("completed");
    expect([stdout("script"), stdout("words"), stdout("bang")]).toEqual([evil, `a${evil}-b`, evil]);
    expect(stdout("params")).toBe(`-m ${evil}\n`);
  });
});

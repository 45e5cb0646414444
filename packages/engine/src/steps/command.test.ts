import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "@braid/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodePayload } from "../payload/codec.ts";
import { type CommandStepOptions, commandStep } from "./command.ts";
import { type EvaluatedPayload, type StepContext, StepFailure } from "./step-type.ts";

let directory: string;
let logged: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "braid-test-"));
  logged = [];
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface Given {
  readonly payload: Partial<EvaluatedPayload>;
  readonly context?: Partial<StepContext>;
  readonly options?: CommandStepOptions;
}

async function run({ payload, context = {}, options }: Given): Promise<JsonObject> {
  const full = {
    runId: "run-1",
    stepId: "build",
    attempt: 2,
    idempotencyKey: "run-1/build/0",
    signal: new AbortController().signal,
    logger: {
      info: () => {},
      error: () => {},
      warn: (text: string) => logged.push(text),
      write: (stream: string, chunk: Uint8Array | string) => logged.push(`${stream}: ${chunk.toString()}`),
    },
    payload: {
      env: {},
      inheritedEnv: { PATH: process.env["PATH"] ?? "" },
      workingDirectory: directory,
      timeoutMs: null,
      ...payload,
    },
    ...context,
  } as unknown as StepContext;
  const { output } = await commandStep(options).run(full);
  return output as JsonObject;
}

async function failure(given: Given): Promise<StepFailure> {
  const error: unknown = await run(given).catch((cause: unknown) => cause);
  if (error instanceof StepFailure) return error;
  throw new Error(`no StepFailure: ${JSON.stringify(error)}`);
}

const printArguments = `printf '[%s]' "$@"`;

test("answers exit code and streams, and logs both", async () => {
  const output = await run({ payload: { run: "echo out; echo err >&2" } });
  expect(output).toEqual({ exitCode: 0, stdout: "out\n", stderr: "err\n" });
  expect(logged.toSorted()).toEqual(["stderr: err\n", "stdout: out\n"]);
});

test("splits the text of a command and adds params as flags", async () => {
  const output = await run({ payload: { command: "printf '[%s]' a 'b c'", params: { app: "x y", force: true } } });
  expect(output["stdout"]).toBe("[a][b c][--app][x y][--force]");
});

test("runs the text of a command after `!` in a shell", async () => {
  const output = await run({ payload: { command: "!echo a | tr a b; echo $((1 + 1))" } });
  expect(output["stdout"]).toBe("b\n2\n");
});

test("gives params to a script as its arguments", async () => {
  const output = await run({ payload: { command: `!${printArguments}`, params: { app: "a b", n: 1 } } });
  expect(output["stdout"]).toBe("[--app][a b][-n][1]");
});

const hostile = "$(touch hacked) `touch hacked`; touch hacked\n' \" && touch hacked #";

test.each<{ name: string; payload: Partial<EvaluatedPayload> }>([
  { name: "words", payload: { command: ["printf", "%s", hostile] } },
  { name: "params of a program", payload: { command: "printf %s%s", params: { a: hostile } } },
  { name: "params of a script", payload: { run: printArguments, params: { a: [hostile, hostile] } } },
  { name: "variables of a script", payload: { run: 'printf %s "$VALUE"', env: { VALUE: hostile } } },
  { name: "variables of a script without quotes", payload: { run: "printf '%s ' $VALUE", env: { VALUE: hostile } } },
])("never runs what $name hold", async ({ payload }) => {
  const output = await run({ payload });
  expect(output["stdout"]).toContain("touch hacked");
  expect(await readdir(directory)).toEqual([]);
});

test("lets neither a word nor a param begin a script or a flag", async () => {
  expect((await failure({ payload: { command: ["!touch hacked"] } })).message).toContain(
    "`!touch hacked` was not found",
  );
  const output = await run({ payload: { command: "printf [%s]", params: { app: "--force" } } });
  expect(output["stdout"]).toBe("[--app=--force]");
});

test("tells a program which attempt it is", async () => {
  const script =
    'echo "$BRAID_RUN_ID $BRAID_STEP $BRAID_ATTEMPT $BRAID_IDEMPOTENCY_KEY ${BRAID_INDEX-none} ${BRAID_ITEM-none}"';
  expect((await run({ payload: { run: script } }))["stdout"]).toBe("run-1 build 2 run-1/build/0 none none\n");
  const item: JsonValue = { name: "a 'b'" };
  const mapped = await run({ payload: { run: script, env: { BRAID_STEP: "forged" } }, context: { item, index: 3 } });
  expect(mapped["stdout"]).toBe(`run-1 build 2 run-1/build/0 3 ${JSON.stringify(item)}\n`);
});

test("leaves out an item that no variable can hold, and says so", async () => {
  const output = await run({
    payload: { run: 'echo "${BRAID_ITEM-none}"' },
    context: { item: "x".repeat(200_000), index: 0 },
  });
  expect(output["stdout"]).toBe("none\n");
  expect(logged).toContain("The item is too large for a variable, so `BRAID_ITEM` is not set.");
});

test("lets declared variables win over inherited ones and passes no others", async () => {
  const inheritedEnv = { PATH: process.env["PATH"] ?? "", A: "inherited", B: "inherited" };
  const output = await run({ payload: { command: "env", inheritedEnv, env: { A: "declared" } } });
  const names = (output["stdout"] as string).trim().split("\n").toSorted();
  expect(names.filter((line) => !line.startsWith("BRAID_"))).toEqual([
    "A=declared",
    "B=inherited",
    `PATH=${inheritedEnv.PATH}`,
  ]);
});

test("adds what the program wrote to its output file, and removes the file", async () => {
  const output = await run({
    payload: {
      run: `echo "image=app:1" >> "$BRAID_OUTPUT"; printf 'notes<<END\\na\\nb\\nEND\\n' >> "$BRAID_OUTPUT"; echo "$BRAID_OUTPUT"`,
    },
  });
  expect(output).toMatchObject({ exitCode: 0, image: "app:1", notes: "a\nb" });
  await expect(readFile((output["stdout"] as string).trim())).rejects.toThrow("ENOENT");
});

test("fails with the exit code and the last lines of stderr", async () => {
  const error = await failure({
    payload: { run: "for i in $(seq 30); do printf '\\033[31mline %s\\033[0m\\n' $i >&2; done; exit 4" },
  });
  expect(error.code).toBe("exit_code");
  expect(error.retryable).toBeUndefined();
  const lines = Array.from({ length: 10 }, (_, index) => `line ${index + 21}`);
  expect(error.message).toBe(`The program ended with exit code 4:\n${lines.join("\n")}`);
});

test("bounds the message of a failure and makes it storable", async () => {
  const error = await failure({ payload: { run: "head -c 100000 /dev/zero >&2; exit 1" } });
  expect(error.message.length).toBeLessThan(2_100);
  expect(encodePayload(error.message).ok).toBe(true);
});

test("falls back to the last lines of stdout, and names a signal", async () => {
  expect((await failure({ payload: { run: "echo reason; exit 1" } })).message).toBe(
    "The program ended with exit code 1:\nreason",
  );
  expect((await failure({ payload: { run: "kill -KILL $$" } })).message).toBe(
    "The program ended with signal SIGKILL (possibly out of memory).",
  );
});

test.each<{ name: string; payload: Partial<EvaluatedPayload>; code: string; text: string }>([
  {
    name: "a missing program",
    payload: { command: "no-such-program x" },
    code: "handler_error",
    text: "`no-such-program` was not found",
  },
  {
    name: "a missing directory",
    payload: { run: "true", workingDirectory: "/no/such" },
    code: "handler_error",
    text: "`/no/such` does not exist",
  },
  {
    name: "a missing shell",
    payload: { run: "true", shell: "no-such-shell" },
    code: "handler_error",
    text: "`no-such-shell` was not found",
  },
  { name: "a NUL in a variable", payload: { run: "true", env: { A: "\0" } }, code: "handler_error", text: "NUL" },
  { name: "an empty program", payload: { command: ["", "x"] }, code: "input_invalid", text: "no program" },
  { name: "no command", payload: {}, code: "input_invalid", text: "neither `run` nor `command`" },
  {
    name: "an operator without a shell",
    payload: { command: "a && b" },
    code: "input_invalid",
    text: "Begin it with `!`",
  },
  {
    name: "params that are no flags",
    payload: { command: "true", params: { a: {} } },
    code: "input_invalid",
    text: "`params.a`",
  },
  { name: "a shell that is none", payload: { run: "true", shell: "!x" }, code: "input_invalid", text: "`shell`" },
  {
    name: "NUL in the output",
    payload: { run: "printf 'a\\nb\\0'" },
    code: "payload_invalid",
    text: "`stdout` holds a NUL character (line 2)",
  },
  {
    name: "nonsense in the output file",
    payload: { run: 'echo "x y" > "$BRAID_OUTPUT"' },
    code: "output_invalid",
    text: "line 1 is neither",
  },
  {
    name: "a reserved key in the output file",
    payload: { run: 'echo "stdout=y" > "$BRAID_OUTPUT"' },
    code: "output_invalid",
    text: "sets `stdout`",
  },
])("fails clearly for $name", async ({ payload, code, text }) => {
  const error = await failure({ payload });
  expect(error.code).toBe(code);
  expect(error.message).toContain(text);
});

test("keeps a large output within the limit of a payload", async () => {
  const output = await run({
    payload: { run: `head -c 3000000 /dev/zero | tr '\\0' '\\001'; echo "key=value" > "$BRAID_OUTPUT"` },
    options: { maxPayloadBytes: 50_000 },
  });
  expect(output).toMatchObject({ exitCode: 0, truncated: true, key: "value" });
  expect(encodePayload(output, { maxBytes: 50_000 }).ok).toBe(true);
  expect(JSON.stringify(output).length).toBeGreaterThan(40_000);
});

test("stops the program and fails with the reason when the attempt is stopped", async () => {
  const controller = new AbortController();
  const reason = new Error("the run was canceled");
  const stopped = run({
    payload: { run: "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done" },
    context: {
      signal: controller.signal,
      logger: { info: () => {}, warn: () => {}, error: () => {}, write: () => controller.abort(reason) },
    },
  });
  await expect(stopped).rejects.toBe(reason);
});

test("fails with the reason when the attempt is stopped before it starts", async () => {
  const reason = new Error("too late");
  await expect(run({ payload: { run: "true" }, context: { signal: AbortSignal.abort(reason) } })).rejects.toBe(reason);
});

test("runs a script with the shell that is named", async () => {
  await writeFile(join(directory, "data"), "1");
  const output = await run({
    payload: { run: "console.log(require('fs').readFileSync('data', 'utf8'))", shell: "node" },
  });
  expect(output["stdout"]).toBe("1\n");
  const words = await run({ payload: { run: "false; echo reached", shell: "bash +e -c" } });
  expect(words["stdout"]).toBe("reached\n");
});

import { describe, expect, test } from "vitest";
import { planOf, problemOf, problemsOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const env = (expression: string): object => ({ env: { VALUE: `\${{ ${expression} }}` } });

describe("an expression that names", () => {
  test("an unknown step gets the nearest one as a hint", () => {
    const steps = [step("build"), step("b", env("steps.biuld.output"))];
    expect(problemsOf(steps)).toEqual(["unknown_reference /steps/1/env/VALUE"]);
    expect(problemOf(steps)).toBe("There is no step `biuld`. Did you mean `build`?");
  });

  test("a computed step is refused", () => {
    expect(problemOf([step("a"), step("b", env("steps[run.id].output"))])).toContain("must name the steps it reads");
  });

  test("an undeclared input is refused where inputs are declared or there are none", () => {
    const steps = [step("a", env("inputs.vresion"))];
    expect(problemOf({ inputs: { version: "string" }, steps })).toBe(
      "There is no input `vresion`. Did you mean `version`?",
    );
    expect(problemsOf({ steps })).toEqual(["unknown_reference /steps/0/env/VALUE"]);
    expect(problemsOf({ inputs: { type: "object" }, steps })).toEqual([]);
  });

  test("an undeclared secret is refused", () => {
    expect(problemsOf({ secrets: ["TOKEN"], steps: [step("a", env("secrets.TOKEN"))] })).toEqual([]);
    expect(problemOf({ secrets: ["TOKEN"], steps: [step("a", env("secrets.TOKNE"))] })).toContain(
      "Did you mean `TOKEN`?",
    );
  });

  test.each([
    ["when", { when: "secrets.TOKEN == 'x'" }],
    ["set", { set: { x: "${{ secrets.TOKEN }}" } }],
    ["forEach", { forEach: "${{ secrets.TOKEN }}" }],
    ["child input", { run: undefined, workflow: "w", with: { x: "${{ secrets.TOKEN }}" } }],
  ])("a secret in %s is refused, because its value would be stored", (_, more) => {
    expect(problemOf({ secrets: ["TOKEN"], steps: [step("a", more)] })).toContain("read only by the attempt of a step");
  });

  test("a secret in the output of the workflow is refused", () => {
    const written = { secrets: ["TOKEN"], steps: [step("a")], output: "${{ secrets.TOKEN }}" };
    expect(problemsOf(written)).toEqual(["unknown_reference /output"]);
  });

  test("a key of the context that no step writes is a warning", () => {
    const writer = step("a", { set: { image: "1" } });
    expect(problemsOf([writer, step("b", env("context.image"))])).toEqual([]);
    expect(problemsOf([writer, step("b", env("context.imgae"))])).toEqual(["unknown_reference? /steps/1/env/VALUE"]);
  });

  test("a key that a member of a block writes is known", () => {
    const block = { id: "block", parallel: [step("a", { set: { image: "1" } })] };
    expect(problemsOf([block, step("b", env("context.image"))])).toEqual([]);
  });
});

const map = (more: object): object => step("a", { forEach: { items: [1, 2], as: "region" }, ...more });

describe("the item of a map", () => {
  test("is known in what the map runs, by both names", () => {
    expect(problemsOf([map({ env: { A: "${{ item }}", B: "${{ index }}", C: "${{ region }}" } })])).toEqual([]);
    expect(problemsOf([map({ run: "echo ${{ region }}" })])).toEqual([]);
  });

  test("is known in the input of a child, a sleep and a signal of each item", () => {
    expect(problemsOf([map({ run: undefined, workflow: "w", with: { x: "${{ region }}" } })])).toEqual([]);
    expect(problemsOf([map({ run: undefined, sleep: "${{ item }}" })])).toEqual([]);
  });

  test.each([
    ["when", { when: "item == 1" }],
    ["timeout", { timeout: "${{ item }}" }],
    ["set", { set: { x: "${{ item }}" } }],
  ])("is unknown in %s, which is evaluated once", (_, more) => {
    expect(problemOf([map(more)])).toContain("evaluated once for the step");
  });

  test("is unknown in other steps", () => {
    expect(problemOf([step("a", env("item"))])).toContain("only in a step with `forEach`");
    expect(problemsOf([map({}), step("b", env("region"))])).toEqual(["unknown_reference /steps/1/env/VALUE"]);
  });
});

describe("`error`", () => {
  const failing = step("a");

  test("is known in a step that a failure starts", () => {
    expect(problemsOf([failing, step("h", { dependsOn: ["a.error"], ...env("error.message") })])).toEqual([]);
    expect(problemsOf([failing, step("h", { dependsOn: [{ step: "a", on: "settled" }], ...env("error") })])).toEqual(
      [],
    );
    expect(problemsOf([failing, step("h", { dependsOn: ["a"], join: "settled", ...env("errors") })])).toEqual([]);
  });

  test("is known in a block that a failure starts, and in `onFailure`", () => {
    const block = { id: "block", dependsOn: ["a.error"], parallel: [step("x", env("error.code"))] };
    expect(problemsOf([failing, block])).toEqual([]);
    expect(problemsOf({ steps: [failing], onFailure: [step("f", env("error.code"))] })).toEqual([]);
  });

  test("is unknown elsewhere", () => {
    expect(problemsOf([failing, step("b", env("error.message"))])).toEqual(["unknown_reference /steps/1/env/VALUE"]);
    expect(problemsOf({ steps: [failing], finally: [step("z"), step("y", env("error"))] })).toEqual([
      "unknown_reference /finally/1/env/VALUE",
    ]);
  });
});

const use = (id: string): object => ({ id, type: "deploy" });

describe("problems of the expressions themselves", () => {
  test("are reported with their place, all at once", () => {
    const steps = [
      step("a", { when: "1 ==" }),
      step("b", { env: { X: "${{ nope.x }}" }, dependsOn: ["missing"] }),
      step("c", { run: undefined, type: "http", with: { list: ["${{ 'open }}"] } }),
    ];
    expect(problemsOf(steps)).toContain("expression_syntax /steps/0/when");
    expect(problemsOf(steps)).toContain("unknown_reference /steps/1/env/X");
    expect(problemsOf(steps)).toContain("missing_dependency /steps/1/dependsOn/0");
    expect(problemsOf(steps)).toContain("expression_syntax /steps/2/with/list/0");
  });

  test("are found in scripts, where a value must not become code", () => {
    expect(problemsOf([step("a", { run: "echo '${{ run.id }}'" })])).toEqual(["unsafe_expression /steps/0/run"]);
    expect(problemsOf([step("a", { run: undefined, command: "!echo '${{ run.id }}'" })])).toEqual([
      "unsafe_expression /steps/0/command",
    ]);
    expect(problemsOf([step("a", { run: 'echo "${{ run.id }}"' })])).toEqual([]);
  });

  test("are not looked for in the words of a command, which no shell reads", () => {
    expect(problemsOf([step("a", { run: undefined, command: ["echo", "'${{ run.id }}'"] })])).toEqual([]);
    expect(problemsOf([step("a", { run: undefined, command: "echo '${{ run.id }}'" })])).toEqual([]);
  });

  test("of a bound type are reported once, however many steps use it", () => {
    const types = { deploy: { run: "deploy '${{ run.id }}'" } };
    expect(problemsOf({ types, steps: [use("a"), use("b")] })).toEqual(["unsafe_expression /types/deploy/run"]);
  });

  test("tell that what stands outside of steps knows no steps", () => {
    expect(problemOf({ env: { X: "${{ steps.a.output }}" }, steps: [step("a")] })).toContain(
      "no value here, outside of steps",
    );
    expect(
      problemsOf({ types: { t: { run: "echo ${{ steps.a.output }}" } }, steps: [{ id: "a", type: "t" }] }),
    ).toEqual(["unknown_reference /types/t/run"]);
  });
});

test("a step knows which outputs it reads, in definition order and once each", () => {
  const last = step("c", {
    env: { X: "${{ steps.b.output }}", Y: "${{ steps.a.output }}", Z: "${{ steps.b.status }}" },
  });
  expect(planOf([step("a"), step("b"), last]).steps[2]!.host.reads).toEqual([0, 1]);
});

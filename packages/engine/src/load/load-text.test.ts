import { expect, test } from "vitest";
import { InvalidDefinition } from "../runtime/errors.ts";
import { loadGraph, loadYaml } from "./load-text.ts";

test("a file gives its definition, or everything that is wrong with it", () => {
  expect(loadYaml("name: hello\nsteps: [{id: a, run: echo hello}]")).toMatchObject({
    name: "hello",
    steps: [{ id: "a" }],
  });
  const wrong = "name: hello\nsteps: [{id: a, rnu: echo hello}]";
  expect(() => loadYaml(wrong)).toThrow(InvalidDefinition);
  expect(() => loadYaml(wrong)).toThrow(/rnu/);
});

test("a graph gives its definition", () => {
  const nodes = [
    { id: "a", type: "work" },
    { id: "b", type: "work" },
  ];
  const definition = loadGraph({ nodes, edges: [{ id: "e", source: "a", target: "b" }] });
  expect(definition.steps[1]?.dependsOn).toMatchObject([{ ref: "a", on: "success" }]);
});

import type { JsonObject } from "@braid/core";
import { expect, test } from "vitest";
import { paramsToFlags } from "./params-to-flags.ts";

test.each<{ params: JsonObject; words: string[] }>([
  { params: {}, words: [] },
  {
    params: { app: "api", force: true, tags: ["a", "b"], n: 3, off: false, none: null },
    words: ["--app", "api", "--force", "--tags", "a", "--tags", "b", "-n", "3"],
  },
  { params: { count: 3, ratio: 0.5, empty: "" }, words: ["--count", "3", "--ratio", "0.5", "--empty", ""] },
  { params: { dry_run: true, maxAge: 1, "with-dash": "x" }, words: ["--dry-run", "--maxAge", "1", "--with-dash", "x"] },
  { params: { f: "x", v: true }, words: ["-f", "x", "-v"] },
  { params: { list: [], mixed: ["a", null, false, true, 1] }, words: ["--mixed", "a", "--mixed", "--mixed", "1"] },
  { params: { app: "--force", n: -5 }, words: ["--app=--force", "-n-5"] },
  { params: { app: "$(touch x); 'a b'" }, words: ["--app", "$(touch x); 'a b'"] },
])("turns $params into flags", ({ params, words }) => {
  expect(paramsToFlags(params)).toEqual({ ok: true, words });
});

test.each<{ params: JsonObject; message: string }>([
  { params: { app: { a: 1 } }, message: "`params.app` is an object" },
  { params: { app: [["a"]] }, message: "`params.app` is an object or a list of lists" },
  { params: { "--force": true }, message: "`params.--force` is not a name of a flag" },
  { params: { "a b": true }, message: "is not a name of a flag" },
  { params: { "": true }, message: "is not a name of a flag" },
])("refuses $params", ({ params, message }) => {
  expect(paramsToFlags(params)).toMatchObject({ ok: false, message: expect.stringContaining(message) as string });
});

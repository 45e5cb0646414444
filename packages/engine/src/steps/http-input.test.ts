import type { JsonValue } from "@braid/core";
import { expect, test } from "vitest";
import { checkHttpInput, type HttpInput, parseHttpInput } from "./http-input.ts";

function parsed(value: JsonValue): HttpInput {
  const result = parseHttpInput(value);
  if (!result.ok) throw new Error(result.problems.join(" "));
  return result.input;
}

test("fills in defaults", () => {
  const input = parsed({ url: "https://example.org/a" });
  expect(input).toMatchObject({
    method: "GET",
    maxRedirects: 10,
    maxBytes: 1_048_576,
    body: undefined,
    timeoutMs: undefined,
  });
  expect([200, 204, 299].every(input.isExpected)).toBe(true);
  expect([199, 300, 404].some(input.isExpected)).toBe(false);
});

test("builds the query from scalars and lists", () => {
  const { url } = parsed({ url: "http://x/?a=1", query: { b: "x & y", c: [1, true, null], d: null } });
  expect(url.href).toBe("http://x/?a=1&b=x+%26+y&c=1&c=true");
});

test("sends text as it is and anything else as JSON", () => {
  const text = parsed({ url: "http://x/", body: "hällo" });
  expect([text.method, text.headers.get("content-type"), text.body?.toString()]).toEqual([
    "POST",
    "text/plain; charset=utf-8",
    "hällo",
  ]);
  const json = parsed({
    url: "http://x/",
    method: "put",
    body: { a: 1 },
    headers: { "Content-Type": "application/x-own", Accept: null },
  });
  expect([json.method, json.headers.get("content-type"), json.body?.toString()]).toEqual([
    "PUT",
    "application/x-own",
    '{"a":1}',
  ]);
  expect(json.headers.has("accept")).toBe(false);
});

test.each([
  { timeout: 2, timeoutMs: 2_000 },
  { timeout: "500ms", timeoutMs: 500 },
  { timeout: "1.5m", timeoutMs: 90_000 },
])("reads the timeout $timeout", ({ timeout, timeoutMs }) => {
  expect(parsed({ url: "http://x/", timeout }).timeoutMs).toBe(timeoutMs);
});

test("reads the statuses that are expected", () => {
  const { isExpected } = parsed({ url: "http://x/", expect: [200, "3XX", "404"] });
  expect([200, 301, 404].every(isExpected)).toBe(true);
  expect([201, 400].some(isExpected)).toBe(false);
  expect(parsed({ url: "http://x/", expect: 418 }).isExpected(418)).toBe(true);
});

test.each<{ value: JsonValue; problem: string }>([
  { value: null, problem: "is an object with a `url`" },
  { value: ["http://x/"], problem: "is an object with a `url`" },
  { value: {}, problem: "`url` is not an absolute" },
  { value: { url: "/relative" }, problem: "`url` is not an absolute" },
  { value: { url: "file:///etc/passwd" }, problem: "`url` is not an absolute" },
  { value: { url: "http://x/", method: "FETCH" }, problem: "`method` is none of GET" },
  { value: { url: "http://x/", headers: { "a b": "c" } }, problem: "a name that HTTP does not allow" },
  { value: { url: "http://x/", headers: { a: "b\r\nhost: evil" } }, problem: "`headers.a` holds characters" },
  { value: { url: "http://x/", headers: { a: ["b"] } }, problem: "`headers.a` is not a text" },
  { value: { url: "http://x/", query: { a: { b: 1 } } }, problem: "`query.a` is not a text" },
  { value: { url: "http://x/", query: "a=1" }, problem: "`query` is not an object" },
  { value: { url: "http://x/", timeout: "soon" }, problem: "`timeout` is not a duration" },
  { value: { url: "http://x/", timeout: 0 }, problem: "`timeout` is not a duration" },
  { value: { url: "http://x/", timeout: "9999h" }, problem: "`timeout` is not a duration" },
  { value: { url: "http://x/", expect: [] }, problem: "`expect` is not a status" },
  { value: { url: "http://x/", expect: ["ok"] }, problem: "`expect` is not a status" },
  { value: { url: "http://x/", maxBytes: -1 }, problem: "`maxBytes` is not a whole number" },
  { value: { url: "http://x/", followRedirects: "yes" }, problem: "`followRedirects` is not a whole number" },
  { value: { url: "http://x/", verb: "GET" }, problem: "`verb` is not a key of an `http` step" },
])("refuses $value", ({ value, problem }) => {
  const result = parseHttpInput(value);
  expect(result.ok ? [] : result.problems.join(" ")).toContain(problem);
});

test("tells every problem at once", () => {
  const result = parseHttpInput({ url: "x", method: 1, expect: "no", timeout: "no" });
  expect(result.ok ? 0 : result.problems.length).toBe(4);
});

test("checks a definition without minding templates", () => {
  expect(
    checkHttpInput({ url: "${{ inputs.url }}", method: "${{ inputs.method }}", headers: { a: "${{ secrets.A }}" } }),
  ).toEqual([]);
  expect(checkHttpInput({ url: "${{ inputs.url }}", methd: "GET" })).toEqual([
    expect.stringContaining("`methd` is not a key"),
  ]);
  expect(checkHttpInput({ method: "GET" })).toEqual(["`url` is missing."]);
  expect(checkHttpInput({ url: "ftp://x" })).toEqual([expect.stringContaining("`url` is not an absolute")]);
  expect(checkHttpInput("http://x/")).toEqual([expect.stringContaining("is an object")]);
});

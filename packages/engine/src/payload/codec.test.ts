import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { type EncodedPayload, encodePayload, maxPayloadDepth } from "./codec.ts";

function refusal(value: unknown, maxBytes?: number): string {
  const result: EncodedPayload = encodePayload(value, maxBytes === undefined ? {} : { maxBytes });
  if (result.ok) throw new Error(`accepted: ${result.json}`);
  return result.message;
}

test.each([
  { value: null, json: "null" },
  { value: undefined, json: "null" },
  { value: "ü😀\n", json: '"ü😀\\n"' },
  { value: -0, json: "0" },
  { value: 1e21, json: "1e+21" },
  { value: [], json: "[]" },
  { value: { a: [1, { b: null }], c: undefined, d: "" }, json: '{"a":[1,{"b":null}],"d":""}' },
  { value: Object.assign(Object.create(null) as object, { a: 1 }), json: '{"a":1}' },
  { value: runInNewContext("({a: [1]})"), json: '{"a":[1]}' },
  { value: { constructor: "x", toString: 1 }, json: '{"constructor":"x","toString":1}' },
])("encodes $json", ({ value, json }) => {
  const result = encodePayload(value);
  expect(result).toEqual({ ok: true, json, value: JSON.parse(json) as unknown });
});

test("gives a value that later changes of the original do not reach", () => {
  const original = { list: [1] };
  const result = encodePayload(original);
  original.list.push(2);
  expect(result).toMatchObject({ ok: true, value: { list: [1] } });
});

test.each([
  { name: "NaN", value: { a: [0, Number.NaN] }, message: "The value at `/a/1` is NaN" },
  { name: "infinite numbers", value: -Infinity, message: "The value is -Infinity" },
  { name: "BigInt", value: { n: 1n }, message: "`/n` is a bigint" },
  { name: "functions", value: { toJSON: () => 1 }, message: "`/toJSON` is a function" },
  { name: "symbols", value: [Symbol("s")], message: "`/0` is a symbol" },
  { name: "Date", value: { at: new Date(0) }, message: "`/at` is an object of class `Date`" },
  { name: "Map", value: new Map(), message: "class `Map`" },
  { name: "Set", value: new Set(), message: "class `Set`" },
  { name: "Error", value: { e: new TypeError("x") }, message: "`/e` is an object of class `TypeError`" },
  { name: "bytes", value: new Uint8Array(3), message: "class `Uint8Array`" },
  { name: "boxed text", value: Object("x"), message: "class `String`" },
  { name: "a promise", value: Promise.resolve(1), message: "class `Promise`" },
  { name: "a hole in a list", value: Array.from({ length: 3 }), message: "`/0` is undefined" },
  { name: "a list that is only long", value: Object.assign([], { length: 2 ** 32 - 1 }), message: "`/0` is undefined" },
  { name: "NUL in text", value: { a: "x\0y" }, message: "`/a` holds the character \\u0000" },
  {
    name: "NUL in a key",
    value: { a: { "x\0": 1 } },
    message: "`/a/x\ufffd` has a key that holds the character \\u0000",
  },
  { name: "a lone surrogate", value: ["\ud800"], message: "`/0` holds a lone surrogate" },
  {
    name: "a lone surrogate in a key",
    value: { "\udc00": 1 },
    message: "`/\ufffd` has a key that holds a lone surrogate",
  },
  { name: "a __proto__ key", value: JSON.parse('{"a":{"__proto__":{"x":1}}}'), message: "`/a/__proto__` has a key" },
  { name: "keys with slashes", value: { "a/b~": Number.NaN }, message: "`/a~1b~0` is NaN" },
])("refuses $name and says where", ({ value, message }) => {
  expect(refusal(value)).toContain(message);
});

test("refuses cycles, whatever they branch into", () => {
  const cycle: Record<string, unknown> = {};
  Object.assign(cycle, { a: 1, left: cycle, right: cycle });
  expect(refusal(cycle)).toContain("refers to itself");
});

test("accepts the deepest nesting and refuses one more", () => {
  const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
  expect(encodePayload(nest(maxPayloadDepth)).ok).toBe(true);
  expect(refusal(nest(maxPayloadDepth + 1))).toContain("nested deeper than 100 levels");
});

test("reports a getter that throws", () => {
  const value = {
    inner: {
      get bad(): never {
        throw new Error("boom");
      },
    },
  };
  expect(refusal(value)).toBe("The value at `/inner/bad` could not be read: boom.");
});

test("reports a getter that throws what cannot be shown", () => {
  const value = {
    get bad(): never {
      throw Object.create(null);
    },
  };
  expect(refusal(value)).toContain("an error that cannot be shown");
});

test("calls every getter once, so that the JSON is what was checked", () => {
  let calls = 0;
  const value = {
    get once(): unknown {
      calls += 1;
      return calls === 1 ? "fine" : Number.NaN;
    },
  };
  expect(encodePayload(value)).toMatchObject({ ok: true, json: '{"once":"fine"}' });
});

test("names size, limit and place of what is too large", () => {
  expect(refusal({ small: 1, big: { text: "é".repeat(60) } }, 100)).toBe(
    "The value is 149 bytes of JSON, most of them at `/big/text`; the limit is 100. Pass large data by reference.",
  );
  expect(refusal({ small: 1, big: "x".repeat(101) }, 100)).toContain(
    "`/big` brings the payload above its limit of 100 bytes",
  );
});

test("accepts exactly the limit", () => {
  expect(encodePayload("x".repeat(98), { maxBytes: 100 }).ok).toBe(true);
  expect(encodePayload("x".repeat(99), { maxBytes: 100 }).ok).toBe(false);
  expect(encodePayload([[1], { a: "b" }], { maxBytes: '[[1],{"a":"b"}]'.length }).ok).toBe(true);
});

test("ends as soon as a list is too long, whatever it holds", () => {
  const list: unknown[] = Array.from({ length: 100 }, () => 1);
  Object.defineProperty(list, 50, {
    get() {
      throw new Error("read on");
    },
  });
  expect(refusal(list, 20)).toContain("above its limit of 20 bytes");
});

test("ends early on shared references that would make huge JSON", () => {
  let value: unknown = "x";
  for (let level = 0; level < 90; level += 1) value = [value, value];
  expect(refusal(value)).toContain("above its limit");
});

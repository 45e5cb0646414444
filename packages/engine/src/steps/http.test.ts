import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { JsonObject } from "@braid/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HttpStepOptions, httpStep, parseRetryAfter } from "./http.ts";
import { type StepContext, StepFailure } from "./step-type.ts";

type Route = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const reply = (
  status: number,
  headers: Record<string, string | string[]> = {},
  body: string | Uint8Array = "",
): Route => {
  return (_request, response) => void response.writeHead(status, headers).end(body);
};

const echo: Route = (request, response, body) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
};

const routes: Record<string, Route> = {
  "/echo": echo,
  "/json": reply(
    200,
    { "content-type": "application/problem+json; charset=utf-8", "set-cookie": ["a=1", "b=2"] },
    '{"a":[1]}',
  ),
  "/bad-json": reply(200, { "content-type": "application/json" }, "{"),
  "/latin1": reply(200, { "content-type": "text/plain; charset=iso-8859-1" }, Buffer.from([0xe9])),
  "/gzip": reply(200, { "content-encoding": "gzip", "content-type": "text/plain" }, gzipSync("packed")),
  "/bomb": reply(200, { "content-encoding": "gzip" }, gzipSync(Buffer.alloc(5_000_000))),
  "/empty": reply(204),
  "/teapot": reply(418, {}, "short and stout"),
  "/busy": reply(429, { "retry-after": "7" }),
  "/down": reply(503),
  "/relative": reply(302, { location: "/echo?from=redirect" }),
  "/see-other": reply(303, { location: "/echo" }),
  "/moved": reply(301, { location: "/echo" }),
  "/same": reply(307, { location: "/echo" }),
  "/loop": reply(302, { location: "/loop" }),
  "/to-file": reply(302, { location: "file:///etc/passwd" }),
  "/to-metadata": reply(302, { location: "http://[::ffff:169.254.169.254]/latest" }),
  "/elsewhere": (request, response) => {
    const port = request.socket.localPort;
    response.writeHead(302, { location: `http://localhost:${port}/echo` }).end();
  },
  "/hang": () => {},
  "/half-gzip": (_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": "100" });
    response.write(gzipSync("half").subarray(0, 12));
    setTimeout(() => response.destroy(), 5);
  },
  "/half": (_request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half");
    setTimeout(() => response.destroy(), 5);
  },
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const route = routes[new URL(request.url ?? "", "http://x").pathname] ?? reply(404, {}, "no such page");
    route(request, response, Buffer.concat(chunks).toString());
  });
});
let base: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(
  input: JsonObject,
  options: HttpStepOptions = {},
  signal = new AbortController().signal,
): Promise<JsonObject> {
  const context = { input, signal } as unknown as StepContext;
  return (await httpStep(options).run(context)).output as JsonObject;
}

async function failure(path: string, input: JsonObject = {}, options: HttpStepOptions = {}): Promise<StepFailure> {
  const url = path.startsWith("/") ? base + path : path;
  const error: unknown = await ask({ url, ...input }, options).catch((cause: unknown) => cause);
  if (error instanceof StepFailure) return error;
  throw new Error(`no StepFailure: ${String(error)}`);
}

async function echoed(
  input: JsonObject,
): Promise<{ method: string; url: string; headers: Record<string, string>; body: string }> {
  const output = await ask(input);
  return output["body"] as never;
}

test("sends method, query, headers and a JSON body", async () => {
  const seen = await echoed({
    url: `${base}/echo`,
    method: "PATCH",
    query: { q: "a b" },
    headers: { "X-Own": "1" },
    body: { a: [1] },
  });
  expect(seen).toMatchObject({ method: "PATCH", url: "/echo?q=a+b", body: '{"a":[1]}' });
  expect(seen.headers).toMatchObject({ "x-own": "1", "content-type": "application/json", "content-length": "9" });
});

test("parses JSON by its content type and joins headers", async () => {
  expect(await ask({ url: `${base}/json` })).toMatchObject({
    status: 200,
    body: { a: [1] },
    headers: { "set-cookie": "a=1, b=2" },
  });
});

test.each([
  { path: "/latin1", body: "é" },
  { path: "/gzip", body: "packed" },
  { path: "/empty", body: null },
])("reads the body of $path", async ({ path, body }) => {
  expect((await ask({ url: base + path }))["body"]).toBe(body);
});

test.each([
  { path: "/teapot", retryable: false, retryAfterMs: undefined, text: "answered 418: short and stout" },
  { path: "/busy", retryable: true, retryAfterMs: 7_000, text: "answered 429." },
  { path: "/down", retryable: true, retryAfterMs: undefined, text: "answered 503." },
])("fails for the status of $path and says whether to try again", async ({ path, retryable, retryAfterMs, text }) => {
  const error = await failure(path);
  expect(error).toMatchObject({ code: "http_status", retryable, retryAfterMs });
  expect(error.message).toBe(`GET ${base}${path} ${text}`);
});

test("accepts the statuses that are expected", async () => {
  expect(await ask({ url: `${base}/teapot`, expect: ["2xx", 418] })).toMatchObject({
    status: 418,
    body: "short and stout",
  });
  expect((await failure("/echo", { expect: 204 })).code).toBe("http_status");
});

test("keeps query and user out of the message", async () => {
  const error = await failure(`${base.replace("//", "//user:pass@")}/teapot?token=x`);
  expect(error.message).toBe(`GET ${base}/teapot answered 418: short and stout`);
});

test.each([
  { path: "/relative", method: "GET", seen: { method: "GET", url: "/echo?from=redirect", body: "" } },
  { path: "/see-other", method: "PUT", seen: { method: "GET", body: "" } },
  { path: "/moved", method: "POST", seen: { method: "GET", body: "" } },
  { path: "/moved", method: "PUT", seen: { method: "PUT", body: "data" } },
  { path: "/same", method: "POST", seen: { method: "POST", body: "data" } },
])("follows $path with $method", async ({ path, method, seen }) => {
  const body = method === "GET" ? null : "data";
  expect(await echoed({ url: base + path, method, body })).toMatchObject(seen);
});

test("sends credentials to the same origin only", async () => {
  const headers = { Authorization: "Bearer x", Cookie: "a=1", "X-Own": "1" };
  expect((await echoed({ url: `${base}/same`, headers })).headers).toMatchObject({
    authorization: "Bearer x",
    cookie: "a=1",
  });
  const other = await echoed({ url: `${base}/elsewhere`, headers });
  expect(other.headers["x-own"]).toBe("1");
  expect([other.headers["authorization"], other.headers["cookie"]]).toEqual([undefined, undefined]);
});

test("gives the redirect itself when it is not to be followed", async () => {
  expect(await ask({ url: `${base}/relative`, followRedirects: false, expect: "3xx" })).toMatchObject({ status: 302 });
});

test.each<{ name: string; path: string; input?: JsonObject; code: string; text: string }>([
  {
    name: "redirects without end",
    path: "/loop",
    input: { followRedirects: 3 },
    code: "handler_error",
    text: "more than 3 redirects",
  },
  { name: "a redirect to a file", path: "/to-file", code: "handler_error", text: "not HTTP" },
  {
    name: "a body that is too large",
    path: "/echo",
    input: { maxBytes: 10 },
    code: "output_invalid",
    text: "larger than 10 bytes",
  },
  { name: "a body that grows too large", path: "/bomb", code: "output_invalid", text: "larger than 1048576 bytes" },
  { name: "JSON that is none", path: "/bad-json", code: "output_invalid", text: "is no JSON" },
  { name: "an answer that breaks off", path: "/half", code: "handler_error", text: "failed: aborted" },
  { name: "a packed answer that breaks off", path: "/half-gzip", code: "handler_error", text: "failed: aborted" },
  {
    name: "an answer that does not come",
    path: "/hang",
    input: { timeout: "20ms" },
    code: "timeout",
    text: "within 20 ms",
  },
  { name: "a server that is not there", path: "http://127.0.0.1:1/", code: "handler_error", text: "ECONNREFUSED" },
  { name: "wrong input", path: "/echo", input: { method: "X", expect: "y" }, code: "input_invalid", text: "`expect`" },
])("fails clearly for $name", async ({ path, input, code, text }) => {
  const error = await failure(path, input);
  expect(error.code).toBe(code);
  expect(error.message).toContain(text);
});

test.each([
  { name: "a literal address", url: () => `${base}/echo` },
  { name: "a name", url: () => `${base.replace("127.0.0.1", "localhost")}/echo` },
  { name: "an address in another spelling", url: () => base.replace("127.0.0.1", "0x7f.1") },
  { name: "an address inside IPv6", url: () => base.replace("127.0.0.1", "[::ffff:127.0.0.1]") },
])("does not connect to private networks by $name when that is not allowed", async ({ url }) => {
  let requests = 0;
  const count = (): void => void (requests += 1);
  server.on("connection", count);
  const error = await failure(url(), {}, { allowPrivateNetworks: false });
  server.off("connection", count);
  expect(error).toMatchObject({ code: "handler_error", retryable: false });
  expect(error.message).toContain("not on the public internet");
  expect(requests).toBe(0);
});

test("checks the address of every redirect", async () => {
  const asked: string[] = [];
  const checkAddress = (address: string, host: string): string | undefined => {
    asked.push(`${host} ${address}`);
    return address === "127.0.0.1" ? undefined : "refused here";
  };
  const error = await failure("/to-metadata", {}, { checkAddress });
  expect(error.message).toContain("refused here");
  expect(asked).toEqual(["127.0.0.1 127.0.0.1", "::ffff:a9fe:a9fe ::ffff:a9fe:a9fe"]);
});

test.each(["/hang", "/half"])("fails with the reason when the attempt is stopped during %s", async (path) => {
  const controller = new AbortController();
  const reason = new Error("canceled");
  server.once("request", () => setTimeout(() => controller.abort(reason), 2));
  await expect(ask({ url: base + path }, {}, controller.signal)).rejects.toBe(reason);
});

test.each<{ value: string | undefined; delayMs: number | undefined }>([
  { value: undefined, delayMs: undefined },
  { value: "", delayMs: undefined },
  { value: "soon", delayMs: undefined },
  { value: "0", delayMs: 0 },
  { value: " 120 ", delayMs: 120_000 },
  { value: "Thu, 01 Jan 1970 00:01:00 GMT", delayMs: 50_000 },
  { value: "Thu, 01 Jan 1970 00:00:01 GMT", delayMs: 0 },
  { value: "99999999999", delayMs: 86_400_000 },
])("reads Retry-After $value", ({ value, delayMs }) => {
  expect(parseRetryAfter(value, 10_000)).toBe(delayMs);
});

test("checks a definition before it runs", () => {
  const { checkInput } = httpStep();
  expect(checkInput?.({ url: "http://x/" })).toEqual([]);
  expect(checkInput?.({})).toHaveLength(1);
});

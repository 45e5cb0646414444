import type { JsonObject, JsonValue } from "@braid/core";

/** `with` of an `http` step, checked and with its defaults. */
export interface HttpInput {
  readonly url: URL;
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
  readonly timeoutMs: number | undefined;
  readonly isExpected: (status: number) => boolean;
  readonly maxBytes: number;
  readonly maxRedirects: number;
}

export type HttpInputResult =
  | { readonly ok: true; readonly input: HttpInput }
  | { readonly ok: false; readonly problems: readonly string[] };

const keys = ["url", "method", "headers", "query", "body", "timeout", "expect", "maxBytes", "followRedirects"];
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const defaultMaxBytes = 1_048_576;
const defaultRedirects = 10;
const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** What a definition can be told before it runs: keys and the shape of values, except where a template stands. */
export function checkHttpInput(value: JsonValue): readonly string[] {
  if (!isObject(value)) return ["`with` of an `http` step is an object with a `url`."];
  const problems = unknownKeys(value);
  if (value["url"] === undefined) problems.push("`url` is missing.");
  const known = Object.fromEntries(
    Object.entries(value).filter(([, member]) => !JSON.stringify(member).includes("${{")),
  );
  const result = parseHttpInput({ url: "http://localhost/", ...known });
  if (!result.ok) problems.push(...result.problems.filter((problem) => !problems.includes(problem)));
  return problems;
}

/** Reads `with` after its templates were evaluated, and tells everything that is wrong at once. */
export function parseHttpInput(value: JsonValue | undefined): HttpInputResult {
  if (!isObject(value)) return { ok: false, problems: ["`with` of an `http` step is an object with a `url`."] };
  const problems = unknownKeys(value);
  const report = <Result>(result: Result | Problem): Result | undefined => {
    if (!(result instanceof Problem)) return result;
    problems.push(result.message);
    return undefined;
  };
  const url = report(readUrl(value["url"], value["query"]));
  const body = report(readBody(value["body"]));
  const method = report(readMethod(value["method"], body !== undefined));
  const headers = report(readHeaders(value["headers"], body?.type));
  const timeoutMs = report(readTimeout(value["timeout"]));
  const isExpected = report(readExpect(value["expect"]));
  const maxBytes = report(readCount("maxBytes", value["maxBytes"] ?? defaultMaxBytes));
  const redirects = value["followRedirects"];
  const maxRedirects = report(
    typeof redirects === "boolean"
      ? redirects
        ? defaultRedirects
        : 0
      : readCount("followRedirects", redirects ?? defaultRedirects),
  );
  if (problems.length > 0 || !url || !method || !headers || !isExpected) return { ok: false, problems };
  const input: HttpInput = {
    url,
    method,
    headers,
    body: body?.bytes,
    timeoutMs: timeoutMs ?? undefined,
    isExpected,
    maxBytes: maxBytes ?? defaultMaxBytes,
    maxRedirects: maxRedirects ?? defaultRedirects,
  };
  return { ok: true, input };
}

class Problem {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

function unknownKeys(value: JsonObject): string[] {
  const unknown = Object.keys(value).filter((key) => !keys.includes(key));
  return unknown.map((key) => `\`${key}\` is not a key of an \`http\` step; the keys are ${keys.join(", ")}.`);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: JsonValue | undefined): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function readUrl(value: JsonValue | undefined, query: JsonValue | undefined): URL | Problem {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !isHttp(url)) return new Problem("`url` is not an absolute `http:` or `https:` URL.");
  if (query === undefined || query === null) return url;
  if (!isObject(query)) return new Problem("`query` is not an object of names and values.");
  for (const [name, given] of Object.entries(query)) {
    for (const entry of Array.isArray(given) ? (given as readonly JsonValue[]) : [given]) {
      if (entry === null) continue;
      if (!isScalar(entry))
        return new Problem(`\`query.${name}\` is not a text, a number, a boolean or a list of these.`);
      url.searchParams.append(name, String(entry));
    }
  }
  return url;
}

/** Whether a URL is one that an `http` step asks; a redirect may lead to any other. */
export function isHttp(url: URL): boolean {
  return url.protocol === "http:" || url.protocol === "https:";
}

function readBody(value: JsonValue | undefined): { readonly bytes: Uint8Array; readonly type: string } | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return { bytes: Buffer.from(value), type: "text/plain; charset=utf-8" };
  return { bytes: Buffer.from(JSON.stringify(value)), type: "application/json" };
}

function readMethod(value: JsonValue | undefined, hasBody: boolean): string | Problem {
  const method = value ?? (hasBody ? "POST" : "GET");
  const name = typeof method === "string" ? method.toUpperCase() : "";
  return methods.has(name) ? name : new Problem(`\`method\` is none of ${[...methods].join(", ")}.`);
}

function readHeaders(
  value: JsonValue | undefined,
  bodyType: string | undefined,
): ReadonlyMap<string, string> | Problem {
  const headers = new Map([["accept", "*/*"]]);
  if (bodyType !== undefined) headers.set("content-type", bodyType);
  if (value === undefined || value === null) return headers;
  if (!isObject(value)) return new Problem("`headers` is not an object of names and values.");
  for (const [name, given] of Object.entries(value)) {
    if (given === null) headers.delete(name.toLowerCase());
    else if (!isScalar(given)) return new Problem(`\`headers.${name}\` is not a text, a number or a boolean.`);
    else if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      return new Problem(`\`headers\` has a name that HTTP does not allow.`);
    else if (!/^[\t -~\u0080-\u00ff]*$/.test(String(given)))
      return new Problem(`\`headers.${name}\` holds characters that HTTP does not allow.`);
    else headers.set(name.toLowerCase(), String(given));
  }
  return headers;
}

function readTimeout(value: JsonValue | undefined): number | undefined | Problem {
  if (value === undefined || value === null) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(isScalar(value) ? String(value) : "");
  const unit = (match?.[2] ?? "s") as keyof typeof units;
  const timeoutMs = match === null ? 0 : Number(match[1]) * units[unit];
  if (timeoutMs > 0 && timeoutMs <= 2_147_483_647) return timeoutMs;
  return new Problem("`timeout` is not a duration such as `500ms`, `2s`, `5m` or a number of seconds.");
}

function readExpect(value: JsonValue | undefined): ((status: number) => boolean) | Problem {
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [value ?? "2xx"];
  const patterns = list.map((entry) => (isScalar(entry) ? String(entry).toLowerCase() : ""));
  if (patterns.length === 0 || !patterns.every((pattern) => /^[1-5](?:\d\d|xx)$/.test(pattern))) {
    return new Problem("`expect` is not a status such as `200` or `2xx`, or a list of these.");
  }
  const expected = new Set(patterns);
  return (status) => expected.has(String(status)) || expected.has(`${Math.floor(status / 100)}xx`);
}

function readCount(name: string, value: JsonValue): number | Problem {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  return new Problem(`\`${name}\` is not a whole number from 0 up.`);
}

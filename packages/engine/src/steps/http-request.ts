import { lookup } from "node:dns";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { AddressCheck } from "./address-policy.ts";
import { type HttpInput, isHttp } from "./http-input.ts";

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several values are joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface RequestOptions {
  readonly signal: AbortSignal;
  readonly checkAddress?: AddressCheck | undefined;
}

/** A request that was not answered, for a reason that lies in the request and not in the network. */
export class HttpRefusal extends Error {
  readonly reason: "address" | "redirect" | "too_large";

  constructor(reason: HttpRefusal["reason"], message: string) {
    super(message);
    this.name = "HttpRefusal";
    this.reason = reason;
  }
}

/** A connection on which nothing moves for so long is given up, whatever timeouts a step has. */
const idleTimeoutMs = 300_000;

const credentialHeaders = ["authorization", "cookie", "proxy-authorization"];

/**
 * Sends a request and follows redirects, with the rules of the Fetch standard for method, body and credentials.
 *
 * It is built on `node:http` because the built-in `fetch` has no way to look at the address a connection goes to: a name
 * that is checked first and resolved again for the connection may give another address. A connection serves one request:
 * a kept one that the server has just closed would fail a request that may not be safe to repeat.
 *
 * Throws `HttpRefusal`, the reason of the signal, or the error of the network.
 */
export async function sendRequest(input: HttpInput, options: RequestOptions): Promise<HttpResponse> {
  let hop: Hop = { url: input.url, method: input.method, headers: input.headers, body: input.body };
  for (let redirects = 0; ; redirects += 1) {
    const message = await send(hop, options);
    const location = message.headers.location;
    const isRedirect = [301, 302, 303, 307, 308].includes(message.statusCode ?? 0) && location !== undefined;
    if (!isRedirect || input.maxRedirects === 0) return await receive(message, hop.method, input.maxBytes);
    message.destroy();
    if (redirects >= input.maxRedirects) {
      throw new HttpRefusal("redirect", `There were more than ${input.maxRedirects} redirects.`);
    }
    hop = followTo(hop, location, message.statusCode ?? 0);
  }
}

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
}

function followTo(hop: Hop, location: string, status: number): Hop {
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : undefined;
  if (url === undefined || !isHttp(url))
    throw new HttpRefusal("redirect", "A redirect leads to something that is not HTTP.");
  const headers = new Map(hop.headers);
  if (url.origin === hop.url.origin) {
    url.username ||= hop.url.username;
    url.password ||= hop.url.password;
  } else {
    for (const name of credentialHeaders) headers.delete(name);
  }
  const isKept = hop.method === "GET" || hop.method === "HEAD" || status === 307 || status === 308;
  const becomesGet = !isKept && (status === 303 || hop.method === "POST");
  if (!becomesGet) return { ...hop, url, headers };
  for (const name of ["content-type", "content-length", "content-encoding"]) headers.delete(name);
  return { url, method: "GET", headers, body: undefined };
}

function send(hop: Hop, { signal, checkAddress }: RequestOptions): Promise<IncomingMessage> {
  const { url, method, body } = hop;
  const headers: Record<string, string> = Object.fromEntries(hop.headers);
  headers["accept-encoding"] ??= "gzip, deflate, br";
  if (body !== undefined) headers["content-length"] = String(body.length);
  else if (method === "POST" || method === "PUT" || method === "PATCH") headers["content-length"] = "0";

  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // A literal address is connected to without a lookup, so it is checked here.
  const refusal = isIP(host) === 0 ? undefined : checkAddress?.(host, host);
  if (refusal !== undefined) return Promise.reject(new HttpRefusal("address", refusal));
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method,
      headers,
      signal,
      agent: false,
      timeout: idleTimeoutMs,
      lookup: checkedLookup(checkAddress),
    });
    outgoing.once("response", resolve);
    // Not `once`: an error may also come while the answer is read, and without a listener it would end this process.
    outgoing.on("error", (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no data came for ${idleTimeoutMs / 1_000} s`)));
    outgoing.end(body);
  });
}

/** Resolves all addresses of a host and hands on those that may be connected to; none: the first refusal is the error. */
function checkedLookup(checkAddress: AddressCheck | undefined): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const allowed = addresses.filter(({ address }) => checkAddress?.(address, host) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        const refused = addresses[0]?.address ?? "";
        return callback(new HttpRefusal("address", checkAddress?.(refused, host) ?? `\`${host}\` has no address.`), []);
      }
      if (options.all === true) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}

async function receive(message: IncomingMessage, method: string, maxBytes: number): Promise<HttpResponse> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const hasBody = method !== "HEAD" && message.statusCode !== 204 && message.statusCode !== 304;
  const body = hasBody ? await readBody(message, maxBytes) : Buffer.alloc(0);
  if (!hasBody) message.destroy();
  return { status: message.statusCode ?? 0, headers, body };
}

/** Reads what is left of a body after it was decompressed; a small answer may grow large there, so that is what is counted. */
async function readBody(message: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const decoder = decoderOf(message.headers["content-encoding"]);
  const stream = decoder === undefined ? message : message.pipe(decoder);
  // `pipe` hands on data, not errors; without this an answer that breaks off would be waited for.
  if (decoder !== undefined) message.on("error", (error) => decoder.destroy(error));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw new HttpRefusal("too_large", `The body is larger than ${maxBytes} bytes (\`maxBytes\`).`);
      chunks.push(chunk);
    }
  } finally {
    message.destroy();
  }
  return Buffer.concat(chunks);
}

function decoderOf(encoding: string | undefined): ReturnType<typeof createGunzip> | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}

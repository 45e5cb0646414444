import type { JsonObject, JsonValue } from "@braid/core";
import { dropBrokenEnd } from "../payload/cut-text.ts";
import { toStorableText } from "../payload/storable-text.ts";
import { type AddressCheck, denyPrivateNetworks } from "./address-policy.ts";
import { checkHttpInput, type HttpInput, parseHttpInput } from "./http-input.ts";
import type { HttpResponse } from "./http-request.ts";
import { type StepContext, StepFailure, type StepResult, type StepType } from "./step-type.ts";

export interface HttpStepOptions {
  /** Whether a step may reach addresses outside the public internet. Default true: a local run is its author's own. */
  readonly allowPrivateNetworks?: boolean;
  /** A check of its own, in place of the one that `allowPrivateNetworks: false` stands for. */
  readonly checkAddress?: AddressCheck;
}

/** Longest part of a body in the message of a failure. */
const maxExcerptLength = 1_000;

/** Longest wait that an answer may ask for: beyond it, another try is as good. */
const maxRetryAfterMs = 86_400_000;

/**
 * The step type `http`: one request.
 *
 * `with` is `{url, method, headers, query, body, timeout, expect, maxBytes, followRedirects}`; only `url` is needed. A
 * body that is not text is sent as JSON, and makes the method `POST` unless one is named. `expect` (default `2xx`) says
 * which statuses are a success.
 *
 * The output is `{status, headers, body}`; the body is parsed when the answer says that it is JSON, text otherwise, and
 * null when it is empty.
 *
 * Fails with `http_status` for any other status (408, 425, 429 and 5xx may be retried, after `Retry-After` if there is
 * one; the rest is not retried), `input_invalid`, `timeout` (that of `with`), `output_invalid` (JSON that is none, or a
 * body that is too large) and `handler_error` (the network, or an address that is not allowed).
 */
export function httpStep(options: HttpStepOptions = {}): StepType {
  const checkAddress =
    options.checkAddress ?? (options.allowPrivateNetworks === false ? denyPrivateNetworks : undefined);
  return { name: "http", checkInput: checkHttpInput, run: (context) => runHttp(context, checkAddress) };
}

async function runHttp(context: StepContext, checkAddress: AddressCheck | undefined): Promise<StepResult> {
  const parsed = parseHttpInput(context.input);
  if (!parsed.ok) throw permanent("input_invalid", parsed.problems.join(" "));
  const { input } = parsed;
  const timeout = input.timeoutMs === undefined ? undefined : AbortSignal.timeout(input.timeoutMs);
  const signal = timeout === undefined ? context.signal : AbortSignal.any([context.signal, timeout]);
  // Loaded with the first request: a workflow of commands does not pay for TLS.
  const { HttpRefusal, sendRequest } = await import("./http-request.ts");
  let response: HttpResponse;
  try {
    response = await sendRequest(input, { signal, checkAddress });
  } catch (error) {
    context.signal.throwIfAborted();
    if (timeout?.aborted === true) {
      throw new StepFailure("timeout", `${describe(input)} was not answered within ${input.timeoutMs} ms.`, {
        cause: error,
      });
    }
    if (!(error instanceof HttpRefusal)) throw networkFailure(input, error);
    throw permanent(
      error.reason === "too_large" ? "output_invalid" : "handler_error",
      `${describe(input)}: ${error.message}`,
    );
  }
  if (!input.isExpected(response.status)) throw statusFailure(input, response);
  const headers: JsonObject = Object.fromEntries([...response.headers].filter(([name]) => name !== "__proto__"));
  return { output: { status: response.status, headers, body: readBody(input, response) } };
}

/** Method and place. Without the query and the user, which often hold secrets. */
function describe({ method, url }: HttpInput): string {
  return `${method} ${url.origin}${url.pathname}`;
}

function permanent(code: string, message: string): StepFailure {
  return new StepFailure(code, toStorableText(message, 2_000), { retryable: false });
}

function networkFailure(input: HttpInput, error: unknown): StepFailure {
  // Several addresses were tried: the message of the whole is empty, those of the parts say it.
  const causes = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [error];
  const reason = causes.map((cause) => (cause instanceof Error ? cause.message : String(cause))).join("; ");
  return new StepFailure("handler_error", toStorableText(`${describe(input)} failed: ${reason}`, 2_000), {
    cause: error,
  });
}

function statusFailure(input: HttpInput, response: HttpResponse): StepFailure {
  const { status } = response;
  const text = decode(response).trim();
  const excerpt =
    text.length <= maxExcerptLength ? text : `${dropBrokenEnd(text.slice(0, maxExcerptLength)).trimEnd()} …`;
  const message = `${describe(input)} answered ${status}${excerpt === "" ? "." : `: ${excerpt}`}`;
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  const retryAfterMs = retryable ? parseRetryAfter(response.headers.get("retry-after"), Date.now()) : undefined;
  return new StepFailure("http_status", toStorableText(message), {
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Reads `Retry-After`, seconds or a date, as milliseconds from `nowMs` on; undefined when there is none that makes sense. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined || value.trim() === "") return undefined;
  const delayMs = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(0, delayMs), maxRetryAfterMs);
}

function readBody(input: HttpInput, response: HttpResponse): JsonValue {
  if (response.body.length === 0) return null;
  const text = decode(response);
  const type = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && !type.endsWith("+json")) return text;
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StepFailure(
      "output_invalid",
      toStorableText(`${describe(input)} answered ${type} that is no JSON: ${reason}`, 500),
      {
        cause: error,
      },
    );
  }
}

function decode({ headers, body }: HttpResponse): string {
  const charset = /charset="?([\w.:-]+)/i.exec(headers.get("content-type") ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    // A charset that nobody knows: the text is still more use than an error.
    return new TextDecoder().decode(body);
  }
}

import { dropBrokenEnd, dropBrokenStart } from "../payload/cut-text.ts";
import { leftOutMark } from "../process/output-capture.ts";

/** Both streams of a program, as they go into its output. */
export interface FittedStreams {
  readonly stdout: string;
  readonly stderr: string;
  readonly isTruncated: boolean;
}

/**
 * Cuts the middle out of what a program printed until both texts together are at most `maxJsonBytes` as JSON. A program
 * that prints much has not failed, so its output must not be too large for a payload. Each stream may use what the other
 * leaves, and half of the room at least.
 */
export function fitStreams(stdout: string, stderr: string, maxJsonBytes: number): FittedStreams {
  const stdoutBytes = jsonBytes(stdout);
  const stderrBytes = jsonBytes(stderr);
  if (stdoutBytes + stderrBytes <= maxJsonBytes) return { stdout, stderr, isTruncated: false };
  const half = Math.floor(maxJsonBytes / 2);
  const fittedStderr = fitText(stderr, Math.max(half, maxJsonBytes - stdoutBytes));
  return {
    stdout: fitText(stdout, maxJsonBytes - jsonBytes(fittedStderr)),
    stderr: fittedStderr,
    isTruncated: true,
  };
}

function fitText(text: string, maxJsonBytes: number): string {
  let bytes = jsonBytes(text);
  if (bytes <= maxJsonBytes) return text;
  const room = Math.max(0, maxJsonBytes - jsonBytes(leftOutMark));
  let kept = text.length;
  let fitted = "";
  // How much a character takes differs from place to place, so the first estimate may need another.
  do {
    kept = Math.floor(Math.min(kept * 0.95, kept * (room / bytes)));
    fitted = withoutMiddle(text, kept);
    bytes = jsonBytes(fitted);
  } while (bytes > maxJsonBytes && kept > 0);
  return fitted;
}

/** The first and the last half of `length` characters, never half a character. */
function withoutMiddle(text: string, length: number): string {
  const half = length >> 1;
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(text.length - half).replace(/^[\udc00-\udfff]/, "");
  return half === 0 ? leftOutMark : dropBrokenEnd(head) + leftOutMark + dropBrokenStart(tail);
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

import { constants } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Largest output file: a value belongs in a payload, and that has its own limit of the same size. */
const maxFileBytes = 1_048_576;

/** Keys of a program's output that the file cannot set. */
const reservedKeys: ReadonlySet<string> = new Set(["exitCode", "stdout", "stderr", "truncated"]);

const keyPattern = /^[A-Za-z_][\w-]*$/;

/** What a program wrote to its output file; the message of a refusal names the line. */
export type ParsedOutputs =
  | { readonly ok: true; readonly values: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly message: string };

/** The file behind `$BRAID_OUTPUT`, for one attempt. */
export interface OutputFile {
  readonly path: string;
  read(): Promise<ParsedOutputs>;
  remove(): Promise<void>;
}

/**
 * Makes room for an output file in a directory that only this user can read. The program makes the file itself: most
 * write none. Throws when there is no temporary directory to write to.
 */
export async function createOutputFile(): Promise<OutputFile> {
  const directory = await mkdtemp(join(tmpdir(), "braid-"));
  const path = join(directory, "output");
  return {
    path,
    read: () => readOutputs(path),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function readOutputs(path: string): Promise<ParsedOutputs> {
  const text = await readBounded(path);
  return typeof text === "string" ? parseOutputs(text) : text;
}

/** Reads a plain file only: a program may have put a link or a pipe in its place, and the latter would never end. */
async function readBounded(path: string): Promise<string | ParsedOutputs> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    return refused(`could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    const { size } = await file.stat().then((stats) => (stats.isFile() ? stats : { size: -1 }));
    if (size < 0) return refused("is not a plain file");
    if (size > maxFileBytes) return refused(`is ${size} bytes; the limit is ${maxFileBytes}`);
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await file.read(buffer, 0, size, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * Reads `key=value` lines and, for values with several lines, `key<<END` … `END` with any word as the end. Empty lines
 * are skipped; a key that is set again takes the last value.
 */
export function parseOutputs(text: string): ParsedOutputs {
  const values = new Map<string, string>();
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (line.trim() === "") continue;
    const place = `line ${index + 1}`;
    const match = /^([^=<]*)(=|<<)(.*)$/s.exec(line);
    if (match === null) return refused(`${place} is neither \`key=value\` nor \`key<<END\``);
    const [, key = "", operator, rest = ""] = match;
    const problem = problemOfKey(key);
    if (problem !== undefined) return refused(`${place} ${problem}`);
    if (operator === "=") {
      values.set(key, rest);
      continue;
    }
    const end = rest.trim();
    const endIndex = findEnd(lines, index + 1, end);
    if (endIndex === undefined)
      return refused(`${place} begins a value with \`<<${end}\` that no line \`${end}\` ends`);
    values.set(key, lines.slice(index + 1, endIndex).join("\n"));
    index = endIndex;
  }
  return { ok: true, values };
}

/** Searches from where the value begins, so that a file of many values takes linear time. */
function findEnd(lines: readonly string[], from: number, end: string): number | undefined {
  if (end === "") return undefined;
  for (let index = from; index < lines.length; index += 1) if (lines[index]?.trimEnd() === end) return index;
  return undefined;
}

function problemOfKey(key: string): string | undefined {
  if (!keyPattern.test(key)) return `has the key \`${key.slice(0, 100)}\`; a key is letters, digits, \`_\` and \`-\``;
  if (reservedKeys.has(key)) return `sets \`${key}\`, which Braid sets itself`;
  // Names that mean something to every object: never a key of an output.
  if (key === "__proto__" || key === "prototype" || key === "constructor")
    return `sets \`${key}\`, which is not allowed`;
  return undefined;
}

function refused(problem: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message: `The output file \`$BRAID_OUTPUT\`: ${problem}.` };
}

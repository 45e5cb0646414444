import { Composer, isScalar, LineCounter, Parser, Lexer } from "yaml";
import type { Document, ParsedNode, Scalar } from "yaml";
import { MAX_DEPTH } from "./copy-json.ts";
import type { Place } from "./reading.ts";
import { clean, describeSyntaxError } from "./source-problem.ts";
import type { SourceProblem } from "./source-problem.ts";

/** Largest text of a definition, in bytes of UTF-8. */
const MAX_TEXT_BYTES = 1_048_576;

/** Most tokens of a text: 10,000 steps with five dependencies each have 400,000, and the parser needs a second for them. */
const MAX_TOKENS = 500_000;

/** More broken lines than this say that the file is something else. */
const MAX_SYNTAX_PROBLEMS = 20;

/** A text that has been parsed: its tree with a place for every node. */
export interface Source {
  /** Null for an empty text, and where no tree could be made. */
  readonly root: ParsedNode | null;
  readonly problems: readonly SourceProblem[];
  /** Whether the tree is what the author meant; if not, what it seems to say is noise. */
  readonly isWhole: boolean;
  placeAt(offset: number): Place;
}

/** Parses YAML 1.2 (and so JSON) with the caps that hostile text needs. Never throws. */
export function openSource(text: string): Source {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refused = (problem: Omit<SourceProblem, "place">, offset = 0): Source => ({
    root: null,
    problems: [{ ...problem, place: placeAt(offset) }],
    isWhole: false,
    placeAt,
  });
  if (!fitsInBytes(text, MAX_TEXT_BYTES)) {
    const message = `The text is larger than ${MAX_TEXT_BYTES} bytes.`;
    return refused({
      code: "limit_exceeded",
      message,
      hint: "Move parts into workflows of their own, and data into inputs.",
    });
  }
  try {
    const { tokens, limit } = tokenize(text, lines);
    if (limit !== undefined) return refused(limit.problem, limit.offset);
    return { ...compose(text, tokens, placeAt), placeAt };
  } catch (error) {
    // The library reports what is wrong with a text as values. What it throws is a fault of its own, and still about this text.
    const reason = error instanceof Error ? error.message : "unknown reason";
    return refused({ code: "yaml_syntax", message: `The text cannot be read: ${clean(reason)}.` });
  }
}

type Token = Parameters<Composer["compose"]>[0] extends Iterable<infer T> ? T : never;

interface Tokens {
  readonly tokens: readonly Token[];
  readonly limit?: { readonly problem: Omit<SourceProblem, "place">; readonly offset: number };
}

/**
 * Splits the text into top-level tokens, and stops at a depth or a number of tokens that only hostile text has. The library
 * composes a tree by recursion: from a few thousand levels on it would take the whole process down, and not only throw.
 */
function tokenize(text: string, lines: LineCounter): Tokens {
  const parser = new Parser(lines.addNewLine);
  const tokens: Token[] = [];
  let count = 0;
  let documents = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "document") documents += 1;
    }
    // A second document is an error, and what it holds does not matter.
    if (documents > 1) return { tokens };
    count += 1;
    // The parser's stack holds a document, the collections around the current token, and the scalar that it may be.
    if (parser.stack.length > MAX_DEPTH + 2) {
      const message = `The text is nested deeper than ${MAX_DEPTH} levels.`;
      return { tokens, limit: { problem: { code: "limit_exceeded", message }, offset: parser.offset } };
    }
    if (count > MAX_TOKENS) {
      const message = `The text has more than ${MAX_TOKENS} elements.`;
      return { tokens, limit: { problem: { code: "limit_exceeded", message }, offset: parser.offset } };
    }
  }
  tokens.push(...parser.end());
  return { tokens };
}

/** Duplicate keys are found by our own walk: the library compares each key with all others of its mapping. */
const OPTIONS = {
  version: "1.2",
  schema: "core",
  merge: false,
  stringKeys: true,
  uniqueKeys: false,
  resolveKnownTags: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

function compose(text: string, tokens: readonly Token[], placeAt: (offset: number) => Place): Omit<Source, "placeAt"> {
  const documents = [...take(new Composer(OPTIONS).compose(tokens, true, text.length), 2)];
  const [document, second] = documents;
  if (document === undefined) return { root: null, problems: [], isWhole: true };
  const problems = [...document.errors, ...document.warnings].map((error) => describeSyntaxError(error, text, placeAt));
  const { version, explicit } = document.directives.yaml;
  if (explicit && version !== "1.2") {
    const message = `The text asks for YAML ${clean(version)}, and only 1.2 is read.`;
    problems.push({ code: "yaml_syntax", message, hint: "Leave the `%YAML` line out.", place: placeAt(0) });
  }
  if (second !== undefined) {
    const message = "The text holds several documents, and a file is one workflow.";
    const hint = "Put what follows the line `---` into a file of its own.";
    problems.push({ code: "yaml_syntax", message, hint, place: placeAt(second.range[0]) });
  }
  const isWhole = second === undefined && document.errors.every((error) => LOCAL_ERRORS.has(error.code));
  const root = hasContents(document) ? document.contents : null;
  return { root, problems: firstOfEachLine(problems).slice(0, MAX_SYNTAX_PROBLEMS), isWhole };
}

function* take<T>(items: Iterable<T>, count: number): Generator<T, void> {
  let taken = 0;
  for (const item of items) {
    yield item;
    taken += 1;
    if (taken === count) return;
  }
}

function hasContents(document: Document.Parsed): boolean {
  const { contents } = document;
  return (
    contents !== null &&
    !(isScalar(contents) && (contents as Scalar).value === null && (contents as Scalar).source === "")
  );
}

/** Errors inside one value, which leave everything around it as it was meant. */
const LOCAL_ERRORS: ReadonlySet<string> = new Set(["BAD_SCALAR_START", "BAD_DQ_ESCAPE", "TAG_RESOLVE_FAILED"]);

/** One mistake often breaks the rest of its line in several ways. */
function firstOfEachLine(problems: readonly SourceProblem[]): readonly SourceProblem[] {
  const sorted = problems.toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  return sorted.filter((problem, index) => problem.place.line !== sorted[index - 1]?.place.line);
}

/** Whether a text takes at most so many bytes as UTF-8. */
function fitsInBytes(text: string, bytes: number): boolean {
  if (text.length > bytes) return false;
  if (text.length * 3 <= bytes) return true;
  let total = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    total += code < 0x80 ? 1 : code < 0x8_00 ? 2 : code < 0x1_00_00 ? 3 : 4;
  }
  return total <= bytes;
}

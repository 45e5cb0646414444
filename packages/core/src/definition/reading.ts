import type { Diagnostic, DiagnosticCode } from "./diagnostic.ts";
import { parentPointer } from "./pointer.ts";

export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * `Locate` that can also tell where the key of a value stands: an unknown key is shown at the key, a wrong value at the
 * value. Either function may stand in for the other.
 */
export type LocatePart = (pointer: string, part?: "key") => Place | undefined;

/** What is wrong, before its place in the text is known. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string | undefined;
  /** JSON pointer. */
  readonly path: string;
  /** Whether the key is what is wrong, and not the value. */
  readonly part?: "key";
  /** Where it stands, if no value does. */
  readonly place?: Place;
}

/** One pass over one written definition: collects everything that is wrong with it. */
export interface Reading {
  error(finding: Finding): void;
  warning(finding: Finding): void;
  /** `line 7`, or the pointer where there is no text: how a message names a second place. */
  placeOf(path: string, part?: "key"): string;
  /** Counts up for each word, from 1: numbers for what its author left without a name. */
  nextNumber(word: string): number;
  hasErrors(): boolean;
  /** All diagnostics in the order of the text; without a text, in the order in which they were found. */
  finish(): readonly Diagnostic[];
}

/** More than anybody reads. The rest would only fill memory when a program wrote the file. */
const MAX_DIAGNOSTICS = 1000;

export function startReading(locate: LocatePart = () => undefined): Reading {
  const diagnostics: Diagnostic[] = [];
  const numbers = new Map<string, number>();
  let errors = 0;
  let dropped = 0;

  function add(severity: Diagnostic["severity"], finding: Finding): void {
    if (severity === "error") errors += 1;
    if (diagnostics.length >= MAX_DIAGNOSTICS) dropped += 1;
    else diagnostics.push(toDiagnostic(severity, finding, locate));
  }

  return {
    error: (finding) => add("error", finding),
    warning: (finding) => add("warning", finding),
    placeOf(path, part) {
      const place = findPlace(locate, path, part);
      return place === undefined ? `\`${path}\`` : `line ${place.line}`;
    },
    nextNumber(word) {
      const number = (numbers.get(word) ?? 0) + 1;
      numbers.set(word, number);
      return number;
    },
    hasErrors: () => errors > 0,
    finish() {
      const sorted = diagnostics.toSorted(compareByPlace);
      return dropped === 0 ? sorted : [...sorted, tooMany(dropped, errors > 0 ? "error" : "warning")];
    },
  };
}

function toDiagnostic(severity: Diagnostic["severity"], finding: Finding, locate: LocatePart): Diagnostic {
  const { code, message, hint, path, part, place = findPlace(locate, path, part) } = finding;
  const base = { code, severity, message, path };
  return { ...base, ...(hint === undefined ? {} : { hint }), ...place };
}

/** The place of a value or, where the text has none for it, of what is around it. */
function findPlace(locate: LocatePart, path: string, part: "key" | undefined): Place | undefined {
  for (let pointer = path; ; pointer = parentPointer(pointer)) {
    const place = locate(pointer, pointer === path ? part : undefined);
    if (place !== undefined) return { line: place.line, column: place.column };
    if (pointer === "") return undefined;
  }
}

function compareByPlace(a: Diagnostic, b: Diagnostic): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function tooMany(dropped: number, severity: Diagnostic["severity"]): Diagnostic {
  const message = `There are ${dropped} more problems that are not shown.`;
  return { code: "limit_exceeded", severity, message, path: "" };
}

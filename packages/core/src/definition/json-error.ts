/** What may stand next. */
type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | "comma or end" | "nothing";

const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])|true(?!\w)|false(?!\w)|null(?!\w)/y;

/**
 * Where a text stops being JSON, or undefined when it is JSON. `JSON.parse` knows it too, but tells it only in some of its
 * messages, and in other words on every engine.
 */
export function findJsonError(text: string): number | undefined {
  const around: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    at = endOf(SPACE, text, at) ?? at;
    if (at === text.length) return expected === "nothing" ? undefined : at;
    const next = step(text, at, { expected, around });
    if (next === undefined) return at;
    ({ expected, at } = next);
  }
}

interface Position {
  readonly expected: Expected;
  readonly around: ("{" | "[")[];
}

/** Takes one token; undefined when it is not one that may stand here. */
function step(
  text: string,
  at: number,
  { expected, around }: Position,
): { expected: Expected; at: number } | undefined {
  const character = text[at];
  const closes = character === "}" ? "{" : character === "]" ? "[" : undefined;
  if (closes !== undefined) {
    const mayClose = expected === "comma or end" || expected === (closes === "{" ? "key or }" : "value or ]");
    if (!mayClose || around.pop() !== closes) return undefined;
    return { expected: afterValue(around), at: at + 1 };
  }
  if (expected === ":") return character === ":" ? { expected: "value", at: at + 1 } : undefined;
  if (expected === "comma or end") {
    return character === "," ? { expected: around.at(-1) === "{" ? "key" : "value", at: at + 1 } : undefined;
  }
  if (expected === "nothing") return undefined;
  const end = endOfString(text, at);
  if (expected === "key" || expected === "key or }") return end === undefined ? undefined : { expected: ":", at: end };
  if (character === "{" || character === "[") {
    around.push(character);
    return { expected: character === "{" ? "key or }" : "value or ]", at: at + 1 };
  }
  const scalarEnd = end ?? endOf(SCALAR, text, at);
  return scalarEnd === undefined ? undefined : { expected: afterValue(around), at: scalarEnd };
}

function afterValue(around: readonly string[]): Expected {
  return around.length === 0 ? "nothing" : "comma or end";
}

/** Character by character: a regular expression for the whole would need a stack as deep as the text is long. */
function endOfString(text: string, start: number): number | undefined {
  if (text[start] !== '"') return undefined;
  for (let at = start + 1; at < text.length;) {
    const character = text.charAt(at);
    if (character === '"') return at + 1;
    if (character < " ") return undefined;
    const next = character === "\\" ? endOf(ESCAPE, text, at) : at + 1;
    if (next === undefined) return undefined;
    at = next;
  }
  return undefined;
}

function endOf(token: RegExp, text: string, at: number): number | undefined {
  token.lastIndex = at;
  return token.test(text) ? token.lastIndex : undefined;
}

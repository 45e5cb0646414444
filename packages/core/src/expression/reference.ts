/** One access to a context, read off the text of an expression without evaluating it. */
export interface ExpressionReference {
  /** The context, as it is defined: `steps`, `inputs`, … */
  readonly context: string;
  /** The members after it, as far as the text names them: `["build", "output", "image"]`. `outputs` reads `output`. */
  readonly path: readonly string[];
  /** Whether the access goes on with a member that only the evaluation knows: `steps.build.output[inputs.key]`, `list.*`. */
  readonly dynamic: boolean;
  /** Where the context's name stands, in UTF-16 units from the start of the text that was given. */
  readonly offset: number;
}

/** The reference as an author would write it. */
export function formatReference(context: string, path: readonly string[]): string {
  return path.reduce((text, member) => text + formatMember(member), context);
}

/** `.name` where a name may stand after a dot, else `['my name']`, or `[0]` for an item of a list. */
export function formatMember(member: string): string {
  if (isName(member)) return `.${member}`;
  if (isIndex(member)) return `[${member}]`;
  return `['${member.replaceAll("'", "''")}']`;
}

/** Whether a member may be written after a dot: ASCII letters, digits, `_` and `-`, and no digit or `-` first. */
function isName(text: string): boolean {
  const first = text.charAt(0);
  if (first === "" || isDigit(first) || first === "-") return false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (!isLetter(character) && !isDigit(character) && character !== "-") return false;
  }
  return true;
}

/** Whether a member is the place of an item in a list. */
function isIndex(text: string): boolean {
  const index = Number(text);
  return Number.isSafeInteger(index) && index >= 0 && String(index) === text;
}

function isLetter(character: string): boolean {
  return (character >= "a" && character <= "z") || (character >= "A" && character <= "Z") || character === "_";
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

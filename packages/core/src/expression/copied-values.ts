import { isNameCharacter } from "./shell-quote.ts";
import type { ExpressionProblem } from "./problem.ts";

/**
 * Arithmetic over a variable that the script gave a value to. Bash evaluates the text of a variable there, and a text such as
 * `a[$(command)]` runs the command. The expression itself is safe where it stands, and a script may have checked the value in
 * between, so this is a warning and looks no further than plain assignments.
 */

/** Where bash computes: what opens and closes it. */
const ARITHMETIC: readonly (readonly [open: string, close: string])[] = [
  ["((", "))"],
  ["$[", "]"],
];

/** Warns of each expression whose value is assigned to a variable that stands in arithmetic somewhere in the script. */
export function warnOfCopiedValues(
  text: string,
  found: readonly { readonly start: number; readonly end: number }[],
): readonly ExpressionProblem[] {
  const formulas = found.length === 0 ? [] : formulasIn(text);
  if (formulas.length === 0) return [];
  return found.flatMap(({ start, end }): readonly ExpressionProblem[] => {
    const name = assignedName(text, start);
    if (name === undefined || !formulas.some((formula) => holdsName(formula, name))) return [];
    const message = `\`${name}\` is computed with, and arithmetic would run commands in a value such as \`a[$(…)]\``;
    const hint = "declare the input as an integer, or check in the script that the value is a number";
    return [{ code: "unsafe_expression", severity: "warning", message, hint, offset: start, length: end - start }];
  });
}

function formulasIn(text: string): readonly string[] {
  const formulas: string[] = [];
  for (const [open, close] of ARITHMETIC) {
    for (let at = text.indexOf(open); at !== -1;) {
      const end = text.indexOf(close, at + open.length);
      if (end === -1) break;
      formulas.push(text.slice(at + open.length, end));
      at = text.indexOf(open, end + close.length);
    }
  }
  return formulas;
}

/** The name in front of `name="…${{`, or undefined where the expression is no part of an assigned value. */
function assignedName(text: string, start: number): string | undefined {
  let at = start;
  while (at > 0 && !" \t\n;&|(=".includes(text.charAt(at - 1))) at -= 1;
  if (text.charAt(at - 1) !== "=") return undefined;
  let end = at - 1;
  if (text.charAt(end - 1) === "+") end -= 1;
  let first = end;
  while (first > 0 && isNameCharacter(text.charAt(first - 1))) first -= 1;
  return first === end ? undefined : text.slice(first, end);
}

function holdsName(formula: string, name: string): boolean {
  for (let at = formula.indexOf(name); at !== -1; at = formula.indexOf(name, at + 1)) {
    const before = at === 0 ? "" : formula.charAt(at - 1);
    const after = formula.charAt(at + name.length);
    if ((before === "" || !isNameCharacter(before)) && (after === "" || !isNameCharacter(after))) return true;
  }
  return false;
}

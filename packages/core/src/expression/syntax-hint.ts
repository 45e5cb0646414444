/** What an author of another expression language probably meant by a symbol that this one does not have. */
const hints: readonly (readonly [symbol: string, hint: string])[] = [
  ['"', "strings are written in single quotes: 'text'"],
  ["`", "strings are written in single quotes: 'text'"],
  ["'", "the string has no closing quote; a quote inside a string is doubled: 'it''s'"],
  ["??", "write `default(value, other)`"],
  ["?", "write `case(condition, value, otherwise)`"],
  ["=>", "write `>=`"],
  ["===", "write `==`"],
  ["=", "write `==`"],
  ["&", "write `&&`"],
  ["|", "write `||`; a filter is a function call: `upper(value)`"],
  ["+", "write `add(a, b)` for numbers, `format` or `concat` for strings"],
  ["-", "write `sub(a, b)`, and a blank around names: a name may hold a `-`"],
  ["*", "write `mul(a, b)`"],
  ["/", "write `div(a, b)`"],
  ["%", "write `mod(a, b)`"],
  ["~", "there are no patterns: `contains`, `startsWith` and `endsWith` compare plain text"],
  ["{", "objects cannot be written in an expression: use `fromJSON('{…}')`"],
  ["$", "an expression is not nested: name the value itself"],
  ["(", "only the listed functions can be called, not members"],
];

/** A hint for the symbol at which an expression cannot be read, or undefined. */
export function syntaxHint(symbol: string): string | undefined {
  return hints.find(([part]) => symbol.includes(part))?.[1];
}

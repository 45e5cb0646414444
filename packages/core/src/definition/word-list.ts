/** The words of a text: a table of many short names is easier to read as text than as one line each. */
export function wordList(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

// Both are part of the language since ES2024; Node 20 has them.
type UnicodeText = string & { isWellFormed(): boolean; toWellFormed(): string };

/** Whether every surrogate of a text has its other half. */
export const isWellFormed = (text: string): boolean => (text as UnicodeText).isWellFormed();

/** Whether a store can keep the text and give it back unchanged. */
export const isStorableName = (text: string): boolean => isWellFormed(text) && !text.includes("\0");

/**
 * Makes a text that every store can keep, for messages that are made from what a handler threw or a program wrote: NUL
 * and lone surrogates become U+FFFD, and what is longer than `maxLength` is cut.
 */
export function toStorableText(text: string, maxLength = Infinity): string {
  const part = text.length <= maxLength ? text : `${text.slice(0, Math.max(0, maxLength - 1))}…`;
  return (part as UnicodeText).toWellFormed().replaceAll("\0", "\ufffd");
}

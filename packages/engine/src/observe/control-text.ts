/**
 * Everything that a terminal or a log viewer could take for a command, and that could forge or hide text: control
 * characters but for the tab, the direction marks of bidirectional text, and halves of characters.
 */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const suspicious = /[\0-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;
const suspiciousEach = new RegExp(suspicious, "gu");

/**
 * Escape sequences as ECMA-48 forms them: control sequences (`ESC [ … final`), strings (`ESC ] … BEL` or `ESC \`; what is
 * never ended goes on to the end of the line), and the short ones. Each part excludes what ends it, so a match takes
 * linear time.
 */
const sequence =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /(?:\u001b\[|\u009b)([0-?]*)([ -/]*[@-~])|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u009c|\u001b\\)?|\u001b[ -/]*[0-~]?/g;

/** Parameters of a colour or a style. */
const styleParameters = /^[0-9;:]*$/;

/** Whether a text holds anything that `cleanControls` would change. */
export function hasControls(text: string): boolean {
  return suspicious.test(text);
}

/**
 * Makes one line of a program's output safe to show: escape sequences are removed, but for colours and styles unless
 * `keepsStyles` is false, and other control characters become U+FFFD.
 */
export function cleanControls(line: string, { keepsStyles = true }: { readonly keepsStyles?: boolean } = {}): string {
  if (!hasControls(line)) return line;
  const parts: string[] = [];
  let at = 0;
  for (const match of line.matchAll(sequence)) {
    parts.push(replaceControls(line.slice(at, match.index)));
    if (keepsStyles && match[2] === "m" && styleParameters.test(match[1] ?? "")) parts.push(`\u001b[${match[1]}m`);
    at = match.index + match[0].length;
  }
  parts.push(replaceControls(line.slice(at)));
  return parts.join("");
}

function replaceControls(text: string): string {
  return text.replaceAll(suspiciousEach, "\ufffd");
}

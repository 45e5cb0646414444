import { describe, expect, test } from "vitest";
import { oneLine, sanitizeLine } from "./sanitize.ts";

const esc = "\u001b";

describe("a line of a step's log", () => {
  const cases: readonly (readonly [claim: string, line: string, shown: string])[] = [
    ["stays as it is when it is plain", "héllo wörld 漢字 👍\tend", "héllo wörld 漢字 👍\tend"],
    ["keeps colors and closes them", `${esc}[1;31mred`, `${esc}[1;31mred${esc}[0m`],
    ["loses moves of the cursor", `a${esc}[2Ab${esc}[10;5Hc`, "abc"],
    ["loses a title", `a${esc}]0;owned\u0007b`, "ab"],
    ["loses a title that ends with ST", `a${esc}]0;owned${esc}\\b`, "ab"],
    ["loses a link target and keeps its text", `${esc}]8;;http://x${esc}\\link${esc}]8;;${esc}\\`, "link"],
    ["loses a device control string", `a${esc}P1$r0m${esc}\\b`, "ab"],
    ["loses the rest behind a string that never ends", `a${esc}]52;c;aGk`, "a"],
    ["loses eight-bit sequences", "a\u009b31mb\u009d0;t\u0007c", "abc"],
    ["loses character sets and resets", `a${esc}(Bb${esc}cc`, "abc"],
    ["loses a clear screen that looks like a color", `a${esc}[2Jb${esc}[?25lc`, "abc"],
    ["loses a lone escape at its end", `a${esc}`, "a"],
    ["shows other control characters as replacements", "a\u0000b\u0008c\u007fd", "a\uFFFDb\uFFFDc\uFFFDd"],
    ["shows characters that turn the reading direction as replacements", "a\u202eb\u2066c", "a\uFFFDb\uFFFDc"],
    ["shows only the last drawing of a progress bar", "10%\r50%\r100%", "100%"],
    ["shows a progress bar that ends with a return", "10%\r50%\r", "50%"],
  ];
  test.each(cases)("%s", (_claim, line, shown) => {
    expect(sanitizeLine(line, { colors: true })).toBe(shown);
  });

  test("loses colors where there are none", () => {
    expect(sanitizeLine(`${esc}[31mred${esc}[0m`, { colors: false })).toBe("red");
  });

  test("never lets an escape through, whatever bytes come", () => {
    for (let code = 0; code < 0x100; code += 1) {
      const shown = sanitizeLine(`${esc}${String.fromCharCode(code)}[2J${esc}[${String.fromCharCode(code)}J`, {
        colors: false,
      });
      expect(shown, `after 0x${code.toString(16)}`).not.toContain(esc);
    }
  });
});

describe("a name on one line", () => {
  test("joins lines", () => {
    expect(oneLine("first\nsecond\r\n\u2028third")).toBe("first second third");
  });

  test("is cut with a sign that it was", () => {
    expect(oneLine("abcdef", 4)).toBe("abc…");
  });

  test("is not cut inside a character of two units", () => {
    expect(oneLine("ab👍cd", 4)).toBe("ab…");
  });
});

/** Shorter secrets are not masked: a one-letter secret would blot out every text and give itself away by it. */
const minSecretLength = 4;

/** Widths at which common tools break base64: `base64` of the GNU tools and MIME, and PEM. */
const base64Widths = [76, 64];

/**
 * The forms in which a secret may show up in an output: itself, each line of it, as it stands inside JSON, inside a URL,
 * and in base64 at each of the three offsets at which it may lie in something larger that was encoded.
 */
export function secretVariants(secret: string): ReadonlySet<string> {
  const variants = new Set<string>();
  const lines = secret.split(/[\r\n]+/).map((line) => line.trim());
  for (const form of new Set([secret, secret.trim(), ...lines])) {
    if (form.length < minSecretLength) continue;
    for (const variant of [form, ...jsonForms(form), ...urlForms(form), ...base64Forms(form)]) {
      if (variant.length >= minSecretLength) variants.add(variant);
    }
  }
  return variants;
}

function jsonForms(text: string): readonly string[] {
  const escaped = JSON.stringify(text).slice(1, -1);
  // Encoders for ASCII write the rest as \u; some escape slashes, or the characters that are special in HTML.
  const ascii = escaped.replaceAll(/[\u007f-\uffff]/g, unicodeEscape);
  return [escaped, ascii, escaped.replaceAll("/", String.raw`\/`), escaped.replaceAll(/[<>&']/g, unicodeEscape)];
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function urlForms(text: string): readonly string[] {
  // Not `encodeURIComponent`, which throws on half a character.
  const bytes = Buffer.from(text);
  const encode = (isKept: (character: string) => boolean): string =>
    Array.from(bytes, (byte) => {
      const character = String.fromCharCode(byte);
      return isKept(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    }).join("");
  const strict = encode((character) => /[\w.~-]/.test(character));
  const lenient = encode((character) => /[\w.~!*'()-]/.test(character));
  const form = encode((character) => /[\w.*-]/.test(character)).replaceAll("%20", "+");
  return [strict, lenient, form, ...[strict, lenient].map(lowerHex)];
}

function lowerHex(encoded: string): string {
  return encoded.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const whole = bytes.toString("base64");
  const forms = [whole, whole.replaceAll("=", "")];
  for (const width of base64Widths) {
    for (let at = 0; whole.length > width && at < whole.length; at += width) forms.push(whole.slice(at, at + width));
  }
  for (const offset of [0, 1, 2]) {
    // Only the characters that depend on nothing but the secret: those made of its neighbours' bits too are left out.
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    forms.push(encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6)));
  }
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

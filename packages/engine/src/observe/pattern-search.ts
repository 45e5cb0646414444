/** A stretch of text: from `start` up to, but without, `end`. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds many literal patterns in one pass over a text (Aho and Corasick 1975): a trie of all patterns in which every node
 * knows the longest proper suffix that is also in the trie. Each character of the text costs a constant number of moves,
 * however the patterns overlap, so a hostile text cannot make it slow; a regular expression made of secrets could be.
 *
 * Nodes are rows of typed arrays; children are a linked list, except below the root, where nearly every character of a
 * text is looked up.
 */
export class PatternSearch {
  readonly #code: Uint16Array;
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #suffix: Int32Array;
  /** Length of the longest pattern that ends at a node, or 0. */
  readonly #found: Int32Array;
  readonly #fromRoot = new Map<number, number>();
  /** The same for ASCII, 0 where no pattern starts so. */
  readonly #fromRootAscii = new Int32Array(128);
  #size = 1;

  constructor(patterns: Iterable<string>) {
    const list = [...patterns].filter((pattern) => pattern !== "");
    const capacity = list.reduce((sum, pattern) => sum + pattern.length, 1);
    this.#code = new Uint16Array(capacity);
    this.#firstChild = new Int32Array(capacity);
    this.#nextSibling = new Int32Array(capacity);
    this.#suffix = new Int32Array(capacity);
    this.#found = new Int32Array(capacity);
    for (const pattern of list) this.#insert(pattern);
    this.#linkSuffixes();
  }

  /** Whether any pattern occurs. */
  occursIn(text: string): boolean {
    let node = 0;
    for (let at = 0; at < text.length; at += 1) {
      node = this.#step(node, text.charCodeAt(at));
      if (this.#found[node] !== 0) return true;
    }
    return false;
  }

  /** What is covered by patterns, in order; occurrences that overlap or touch are one range. */
  findRanges(text: string): readonly TextRange[] {
    const ranges: TextRange[] = [];
    let node = 0;
    for (let at = 0; at < text.length; at += 1) {
      node = this.#step(node, text.charCodeAt(at));
      const length = this.#found[node] ?? 0;
      if (length === 0) continue;
      let start = at + 1 - length;
      for (let last = ranges.at(-1); last !== undefined && last.end >= start; last = ranges.at(-1)) {
        start = Math.min(start, last.start);
        ranges.pop();
      }
      ranges.push({ start, end: at + 1 });
    }
    return ranges;
  }

  #step(from: number, code: number): number {
    for (let node = from; node !== 0; node = this.#suffix[node] ?? 0) {
      const child = this.#childOf(node, code);
      if (child !== 0) return child;
    }
    return code < 128 ? (this.#fromRootAscii[code] ?? 0) : (this.#fromRoot.get(code) ?? 0);
  }

  #childOf(node: number, code: number): number {
    let child = this.#firstChild[node] ?? 0;
    while (child !== 0 && this.#code[child] !== code) child = this.#nextSibling[child] ?? 0;
    return child;
  }

  #insert(pattern: string): void {
    let node = 0;
    for (let at = 0; at < pattern.length; at += 1) {
      const code = pattern.charCodeAt(at);
      node = this.#childOf(node, code) || this.#addChild(node, code);
    }
    this.#found[node] = pattern.length;
  }

  #addChild(node: number, code: number): number {
    const child = this.#size;
    this.#size += 1;
    this.#code[child] = code;
    this.#nextSibling[child] = this.#firstChild[node] ?? 0;
    this.#firstChild[node] = child;
    if (node === 0) this.#fromRoot.set(code, child);
    if (node === 0 && code < 128) this.#fromRootAscii[code] = child;
    return child;
  }

  /** Breadth first, so that the suffix of a node, which is shorter, is complete before the node needs it. */
  #linkSuffixes(): void {
    const order = new Int32Array(this.#size);
    let length = 1;
    for (let index = 0; index < length; index += 1) {
      const node = order[index] ?? 0;
      for (let child = this.#firstChild[node] ?? 0; child !== 0; child = this.#nextSibling[child] ?? 0) {
        order[length] = child;
        length += 1;
        const suffix = node === 0 ? 0 : this.#step(this.#suffix[node] ?? 0, this.#code[child] ?? 0);
        this.#suffix[child] = suffix;
        if (this.#found[child] === 0) this.#found[child] = this.#found[suffix] ?? 0;
      }
    }
  }
}

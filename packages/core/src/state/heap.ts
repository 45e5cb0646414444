/**
 * A binary heap of small integers with a total order and known positions, so that an entry can be moved or removed in
 * O(log n). All heaps of one `positions` array are disjoint: an entry stands in at most one of them.
 */
export class IndexedHeap {
  readonly #entries: number[] = [];
  readonly #positions: Int32Array;
  readonly #before: (a: number, b: number) => boolean;

  constructor(positions: Int32Array, before: (a: number, b: number) => boolean) {
    this.#positions = positions;
    this.#before = before;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The first entry, or -1. */
  top(): number {
    return this.#entries.length === 0 ? -1 : this.#entries[0]!;
  }

  /** Inserts the entry, or moves it to where its changed order puts it. */
  put(entry: number): void {
    let position = this.#positions[entry]!;
    if (position < 0) {
      position = this.#entries.length;
      this.#entries.push(entry);
      this.#positions[entry] = position;
    }
    this.#down(this.#up(position));
  }

  remove(entry: number): void {
    const position = this.#positions[entry]!;
    if (position < 0) return;
    this.#positions[entry] = -1;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    this.#entries[position] = last;
    this.#positions[last] = position;
    this.#down(this.#up(position));
  }

  #up(start: number): number {
    const entries = this.#entries;
    const entry = entries[start]!;
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      const other = entries[parent]!;
      if (!this.#before(entry, other)) break;
      entries[position] = other;
      this.#positions[other] = position;
      position = parent;
    }
    entries[position] = entry;
    this.#positions[entry] = position;
    return position;
  }

  #down(start: number): void {
    const entries = this.#entries;
    const entry = entries[start]!;
    let position = start;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && this.#before(entries[child + 1]!, entries[child]!)) child += 1;
      const other = entries[child]!;
      if (!this.#before(other, entry)) break;
      entries[position] = other;
      this.#positions[other] = position;
      position = child;
    }
    entries[position] = entry;
    this.#positions[entry] = position;
  }
}

/** A plain binary heap of values; used for worklists and timers. */
export class Heap<T> {
  readonly #entries: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#entries.length;
  }

  top(): T | undefined {
    return this.#entries[0];
  }

  push(value: T): void {
    const entries = this.#entries;
    let position = entries.length;
    entries.push(value);
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#before(value, entries[parent]!)) break;
      entries[position] = entries[parent]!;
      position = parent;
    }
    entries[position] = value;
  }

  pop(): T | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return first;
    let position = 0;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && this.#before(entries[child + 1]!, entries[child]!)) child += 1;
      if (!this.#before(entries[child]!, last)) break;
      entries[position] = entries[child]!;
      position = child;
    }
    entries[position] = last;
    return first;
  }
}

/** First in, first out, without moving what is behind the first. */
export class Queue {
  #values: number[] = [];
  #first = 0;

  get size(): number {
    return this.#values.length - this.#first;
  }

  push(value: number): void {
    this.#values.push(value);
  }

  /** The array is kept, so that a queue that is used again and again allocates nothing; a huge one is given back. */
  #reset(): void {
    if (this.#first > 1024) this.#values = [];
    else this.#values.length = 0;
    this.#first = 0;
  }

  /** The first value; the queue must not be empty. */
  shift(): number {
    const value = this.#values[this.#first]!;
    this.#first += 1;
    if (this.#first === this.#values.length) this.#reset();
    return value;
  }
}

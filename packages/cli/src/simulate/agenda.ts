/** Something that is to happen at an instant of virtual time. */
export interface Entry<Value> {
  readonly at: number;
  readonly value: Value;
}

interface Slot<Value> extends Entry<Value> {
  readonly order: number;
  readonly key: string | null;
  isCanceled: boolean;
}

/**
 * What is to come, earliest first; entries of one instant in the order in which they were put. An entry with a key
 * replaces the one before it under that key, and can be taken back.
 */
export class Agenda<Value> {
  readonly #heap: Slot<Value>[] = [];
  readonly #byKey = new Map<string, Slot<Value>>();
  #order = 0;

  put(at: number, value: Value, key: string | null = null): void {
    if (key !== null) this.cancel(key);
    const slot = { at, value, key, order: this.#order, isCanceled: false };
    this.#order += 1;
    if (key !== null) this.#byKey.set(key, slot);
    this.#heap.push(slot);
    this.#up(this.#heap.length - 1);
  }

  /** Takes back the entry under that key; false where there is none. */
  cancel(key: string): boolean {
    const slot = this.#byKey.get(key);
    if (slot === undefined) return false;
    // It stays in the heap until it comes up: finding it there would cost a scan.
    slot.isCanceled = true;
    this.#byKey.delete(key);
    return true;
  }

  take(): Entry<Value> | undefined {
    for (;;) {
      const slot = this.#pop();
      if (slot === undefined) return undefined;
      if (slot.isCanceled) continue;
      if (slot.key !== null) this.#byKey.delete(slot.key);
      return slot;
    }
  }

  #pop(): Slot<Value> | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first !== undefined && last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#down(0);
    }
    return first;
  }

  #up(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #down(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      let first = index;
      if (left < this.#heap.length && this.#isBefore(left, first)) first = left;
      if (left + 1 < this.#heap.length && this.#isBefore(left + 1, first)) first = left + 1;
      if (first === index) return;
      this.#swap(index, first);
      index = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const left = this.#heap[a]!;
    const right = this.#heap[b]!;
    return left.at < right.at || (left.at === right.at && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}

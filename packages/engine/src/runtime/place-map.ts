import { rowKey } from "./row-key.ts";

/** A row of a run. */
export interface Place {
  readonly step: number;
  readonly task: number;
}

/** Up to this many parts are looked through; more are looked up. */
const FEW = 8;

/**
 * Parts of a commit by the row that they are about, at most one of a row, in the order in which rows were first named. Nearly every
 * commit has one or two, for which a list takes a tenth of the memory of a `Map`, of which a worker makes many thousands a second.
 */
export class PlaceMap<Part extends Place> {
  readonly #parts: Part[] = [];
  /** Where in the list, by row; made when there are many. */
  #index: Map<number, number> | null = null;

  get all(): readonly Part[] {
    return this.#parts;
  }

  get(place: Place): Part | undefined {
    const at = this.#find(place);
    return at === -1 ? undefined : this.#parts[at];
  }

  set(part: Part): void {
    const at = this.#find(part);
    if (at !== -1) {
      this.#parts[at] = part;
      return;
    }
    this.#parts.push(part);
    this.#index?.set(rowKey(part.step, part.task), this.#parts.length - 1);
  }

  delete(place: Place): void {
    const at = this.#find(place);
    if (at === -1) return;
    this.#parts.splice(at, 1);
    this.#index = null;
  }

  #find({ step, task }: Place): number {
    const parts = this.#parts;
    if (parts.length > FEW) {
      this.#index ??= new Map(parts.map((part, at) => [rowKey(part.step, part.task), at]));
      return this.#index.get(rowKey(step, task)) ?? -1;
    }
    for (let at = 0; at < parts.length; at += 1) {
      const part = parts[at]!;
      if (part.step === step && part.task === task) return at;
    }
    return -1;
  }
}

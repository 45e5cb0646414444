import type { DraftEdge } from "./draft.ts";

/** The edges of a plan while it is compiled, with a quick answer to "is there one between these two?". */
export class EdgeBook {
  readonly #size: number;
  readonly #edges: DraftEdge[] = [];
  readonly #first = new Map<number, DraftEdge>();

  /** `size` is the number of steps. */
  constructor(size: number) {
    this.#size = size;
  }

  get edges(): readonly DraftEdge[] {
    return this.#edges;
  }

  add(edge: DraftEdge): void {
    this.#edges.push(edge);
    const pair = this.#pair(edge.from, edge.to);
    if (!this.#first.has(pair)) this.#first.set(pair, edge);
  }

  /** The first edge that was added between two steps. */
  between(from: number, to: number): DraftEdge | undefined {
    return this.#first.get(this.#pair(from, to));
  }

  #pair(from: number, to: number): number {
    return from * this.#size + to;
  }
}

/** Edges by target and then by source in definition order, so that both lists of a step come out in that order. */
export function sortEdges(edges: readonly DraftEdge[]): readonly DraftEdge[] {
  return edges.toSorted((a, b) => a.to - b.to || a.from - b.from);
}

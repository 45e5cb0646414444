/** Numbers that decide; when they have run out, every decision is the first. */
export class Choices {
  readonly #numbers: readonly number[];
  #place = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  pick(size: number): number {
    const number = this.#numbers[this.#place] ?? 0;
    this.#place += 1;
    return number % size;
  }
}

import type { Store } from "../store/port.ts";
import type { CreateAnswer, NewRunRequest } from "../store/records.ts";
import type { Clock } from "./clock.ts";

/** At most this many runs in one call. */
const MOST_RUNS = 128;

interface Waiting {
  readonly request: NewRunRequest;
  readonly resolve: (answer: CreateAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Creates runs in batches: those that are started while one batch is under way make up the next. */
export class CreationDesk {
  readonly #clock: Clock;
  readonly #create: (requests: readonly NewRunRequest[]) => ReturnType<Store["createRuns"]>;
  #waiting: Waiting[] = [];
  #isAtWork = false;

  constructor(clock: Clock, create: (requests: readonly NewRunRequest[]) => ReturnType<Store["createRuns"]>) {
    this.#clock = clock;
    this.#create = create;
  }

  create(request: NewRunRequest): Promise<CreateAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (this.#isAtWork) return;
      this.#isAtWork = true;
      // Whoever starts many runs at once has called for all of them by then.
      this.#clock.soon(() => void this.#work());
    });
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MOST_RUNS);
      this.#waiting = this.#waiting.slice(MOST_RUNS);
      try {
        const { answers } = await this.#create(batch.map(({ request }) => request));
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index]!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isAtWork = false;
  }
}

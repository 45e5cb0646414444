import type { Socket } from "node:net";

/** More than this is not held back for a delay: the sender is stopped instead, as by a full network. */
const MAX_HELD_BYTES = 1_048_576;

interface Parcel {
  /** `null` is the end of the stream. */
  readonly bytes: Buffer | null;
  readonly dueAt: number;
}

export interface OneWayOptions {
  readonly from: Socket;
  readonly to: Socket;
  /** How long bytes that arrive now are on their way. */
  readonly delayMs: () => number;
  /** Takes the bytes when they are due; `false` if nothing more may follow them. */
  readonly deliver: (bytes: Buffer) => boolean;
}

/**
 * One direction of a connection. Bytes wait in a queue until they are due and neither a freeze nor a full receiver is in the way,
 * so their order stays whatever happens to the delay meanwhile. While frozen the sender is not listened to either: its system sees a
 * window that fills up, as with a peer that went silent, and the end of its stream goes unnoticed.
 */
export class OneWay {
  readonly #options: OneWayOptions;
  readonly #queue: Parcel[] = [];
  #heldBytes = 0;
  #lastDueAt = 0;
  #isFrozen = false;
  #isReceiverFull = false;
  #isAbandoned = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OneWayOptions) {
    this.#options = options;
    options.from.on("data", (bytes: Buffer) => this.#take(bytes));
    options.from.on("end", () => this.#take(null));
    options.to.on("drain", () => {
      this.#isReceiverFull = false;
      this.#move();
    });
  }

  freeze(): void {
    this.#isFrozen = true;
    this.#options.from.pause();
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#move();
  }

  /** Forgets what is on its way, for good. */
  stop(): void {
    this.#isFrozen = true;
    this.#queue.length = 0;
    clearTimeout(this.#timer);
  }

  /** The receiver is gone. What the sender still says is thrown away, and at its first word we end our side of its connection. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#queue.length = 0;
    clearTimeout(this.#timer);
    this.#options.from.resume();
  }

  #take(bytes: Buffer | null): void {
    if (this.#isAbandoned) {
      this.#options.from.end();
      return;
    }
    this.#lastDueAt = Math.max(this.#lastDueAt, performance.now() + this.#options.delayMs());
    this.#queue.push({ bytes, dueAt: this.#lastDueAt });
    this.#heldBytes += bytes?.length ?? 0;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#options.from.pause();
    this.#move();
  }

  #move(): void {
    clearTimeout(this.#timer);
    while (!this.#isFrozen && !this.#isReceiverFull) {
      const [parcel] = this.#queue;
      if (parcel === undefined) break;
      const waitMs = parcel.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#move(), Math.ceil(waitMs));
        break;
      }
      this.#queue.shift();
      if (!this.#hand(parcel.bytes)) return;
    }
    if (!this.#isFrozen && this.#heldBytes <= MAX_HELD_BYTES) this.#options.from.resume();
  }

  #hand(bytes: Buffer | null): boolean {
    const { to, deliver } = this.#options;
    if (bytes === null) {
      to.end();
      return false;
    }
    this.#heldBytes -= bytes.length;
    const goesOn = deliver(bytes);
    this.#isReceiverFull = to.writableNeedDrain;
    return goesOn;
  }
}

import type { Client, Notification } from "pg";
import type { ChangeHint } from "../port.ts";
import { connectClient, isBehindPooler } from "./link.ts";
import type { ServerAddress } from "./url.ts";

type Listener = (hint: ChangeHint) => void;

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** A connection that nobody speaks on may be dead without a sign. */
const pingEveryMs = 20_000;
const pingWithinMs = 5_000;

/** What a notification carries: who sent it, and the hint with short names. */
export interface Message {
  readonly from: string;
  readonly q?: readonly string[];
  readonly s?: 1;
  readonly d?: 1;
  readonly r?: readonly string[] | null;
}

/**
 * Hears the notifications of other processes, on a connection of its own, for as long as somebody listens. A connection that
 * breaks is made anew, with growing pauses; what was said meanwhile is lost, so everybody is then told that anything may have
 * changed. Polling is the truth, and this only makes it early.
 */
export class ChangeListener {
  readonly #address: ServerAddress;
  readonly #channel: string;
  readonly #self: string;
  readonly #listeners = new Set<Listener>();
  #client: Client | null = null;
  /** The latest attempt to connect: one that is not it any more ends what it has made. */
  #latest = 0;
  #state: "silent" | "connecting" | "hearing" = "silent";
  /** A pooler in transaction mode takes LISTEN and delivers nothing. */
  #isDeaf = false;
  #pauseMs = firstPauseMs;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: { readonly address: ServerAddress; readonly channel: string; readonly self: string }) {
    this.#address = parts.address;
    this.#channel = parts.channel;
    this.#self = parts.self;
  }

  get isHearing(): boolean {
    return this.#state === "hearing";
  }

  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#state === "silent" && !this.#isDeaf) void this.#connect();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#latest += 1;
    this.#state = "silent";
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const client = this.#client;
    this.#client = null;
    client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    this.#state = "connecting";
    this.#latest += 1;
    const attempt = this.#latest;
    try {
      // A connection may end before there is a client that could be named.
      let made: Client | undefined;
      const client = await connectClient(this.#address, {}, () => this.#lose(made));
      made = client;
      const isHearing = attempt === this.#latest && (await this.#listen(client));
      if (attempt !== this.#latest || !isHearing) {
        await client.end();
        return;
      }
      this.#client = client;
    } catch {
      if (attempt === this.#latest) this.#again();
      return;
    }
    this.#state = "hearing";
    this.#pauseMs = firstPauseMs;
    this.#tell({});
    this.#after(pingEveryMs, () => void this.#ping());
  }

  /** Whether anything will be heard on the connection. */
  async #listen(client: Client): Promise<boolean> {
    this.#isDeaf = await isBehindPooler(client);
    if (this.#isDeaf) {
      this.#state = "silent";
      return false;
    }
    client.on("notification", (notification) => this.#hear(notification));
    await client.query(`listen "${this.#channel}"`);
    return true;
  }

  /** Tries again after a while: half of the pause is chance, so that many processes do not come at once. */
  #again(): void {
    this.#client = null;
    if (this.#listeners.size === 0) return;
    this.#state = "connecting";
    this.#after(this.#pauseMs * (0.5 + Math.random() / 2), () => void this.#connect());
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
  }

  #lose(client: Client | undefined): void {
    if (client === undefined || this.#client !== client) return;
    this.#again();
  }

  async #ping(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    const isSilent = setTimeout(() => client.connection.stream.destroy(), pingWithinMs);
    isSilent.unref();
    try {
      await client.query("select 1");
      if (this.#client === client) this.#after(pingEveryMs, () => void this.#ping());
    } catch {
      this.#lose(client);
    } finally {
      clearTimeout(isSilent);
    }
  }

  #after(ms: number, act: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
    // Whoever waits for something has a timer of his own.
    this.#timer.unref();
  }

  #hear({ payload = "" }: Notification): void {
    let message: Message;
    try {
      message = JSON.parse(payload) as Message;
    } catch {
      // Somebody else speaks on this channel; what he means is anything.
      this.#tell({});
      return;
    }
    if (message.from === this.#self) return;
    const { q, s, d, r } = message;
    this.#tell({
      ...(q === undefined ? {} : { queues: q }),
      ...(s === undefined ? {} : { isStopAsked: true }),
      ...(d === undefined ? {} : { isDue: true }),
      ...(r === undefined ? {} : { runIds: r }),
    });
  }

  #tell(hint: ChangeHint): void {
    for (const listener of this.#listeners) listener(hint);
  }
}

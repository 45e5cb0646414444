import type { Socket } from "node:net";
import { OneWay } from "./one-way.ts";

/** What happens with bytes from the client: they go on; or the client is cut off before the server gets them, or just after. */
export type Verdict = "forward" | "cutBefore" | "cutAfter";

export interface ConnectionOptions {
  readonly id: number;
  readonly client: Socket;
  readonly server: Socket;
  readonly delayMs: () => number;
  readonly judge: (bytes: Buffer, connection: ProxiedConnection) => Verdict;
  readonly onClosed: (connection: ProxiedConnection) => void;
}

/**
 * A client's connection and ours to the server, with bytes going both ways between them. It is open until both sockets are closed;
 * after a cut behind forwarded bytes the client's is closed first, and the server's when the server has answered to nobody.
 */
export class ProxiedConnection {
  readonly id: number;
  readonly #options: ConnectionOptions;
  readonly #toServer: OneWay;
  readonly #toClient: OneWay;
  #bytesToServer = 0;
  #bytesToClient = 0;
  #isFrozen = false;
  #isBroken = false;

  constructor(options: ConnectionOptions) {
    this.id = options.id;
    this.#options = options;
    const { client, server, delayMs } = options;
    this.#toServer = new OneWay({
      from: client,
      to: server,
      delayMs,
      deliver: (bytes) => this.#deliverToServer(bytes),
    });
    this.#toClient = new OneWay({
      from: server,
      to: client,
      delayMs,
      deliver: (bytes) => this.#deliverToClient(bytes),
    });
    for (const socket of [client, server]) {
      // A reset of one side ends the other. An end in good order travels in the queues instead, behind the last bytes.
      socket.on("error", () => this.#break());
      socket.on("close", () => {
        if (client.destroyed && server.destroyed) options.onClosed(this);
      });
    }
  }

  get bytesToServer(): number {
    return this.#bytesToServer;
  }

  get bytesToClient(): number {
    return this.#bytesToClient;
  }

  freeze(): void {
    this.#isFrozen = true;
    this.#toServer.freeze();
    this.#toClient.freeze();
  }

  thaw(): void {
    this.#isFrozen = false;
    if (this.#isBroken) this.destroy();
    this.#toServer.thaw();
    this.#toClient.thaw();
  }

  /** Closes both sockets at once and drops what is on its way. */
  destroy(): void {
    this.#toServer.stop();
    this.#toClient.stop();
    this.#options.client.destroy();
    this.#options.server.destroy();
  }

  /** A paused socket is still read from a little, and so hears of a reset. A frozen network would not have told. */
  #break(): void {
    this.#isBroken = true;
    if (!this.#isFrozen) this.destroy();
  }

  #deliverToServer(bytes: Buffer): boolean {
    const verdict = this.#options.judge(bytes, this);
    if (verdict === "cutBefore") {
      this.destroy();
      return false;
    }
    this.#bytesToServer += bytes.length;
    this.#options.server.write(bytes);
    if (verdict === "cutAfter") this.#cutClient();
    return verdict === "forward";
  }

  #deliverToClient(bytes: Buffer): boolean {
    this.#bytesToClient += bytes.length;
    this.#options.client.write(bytes);
    return true;
  }

  /**
   * The client is gone, and the server shall not know before it has done what it was asked: a socket that is closed with unread
   * bytes in it is reset, and a reset can overtake the request. So the server's answer is awaited and thrown away.
   */
  #cutClient(): void {
    this.#toServer.stop();
    this.#toClient.abandon();
    this.#options.client.destroy();
  }
}

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { ProxiedConnection, type Verdict } from "./proxied-connection.ts";

export interface ProxyCounters {
  /** Connections accepted since the start, and those still open. */
  readonly connections: number;
  readonly openConnections: number;
  /** Connections that ended at once because the server could not be reached. */
  readonly failedConnections: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
  /** Connections that the proxy has destroyed, by `cut` or by a rule. */
  readonly cuts: number;
}

/** Looks at bytes of a client before they are forwarded. A chunk is what one read of the socket gave: it may be half a message. */
export type ChunkPredicate = (bytes: Buffer, connection: ProxiedConnection) => boolean;

export interface CutRule {
  /** How many connections it has cut. */
  readonly hits: number;
  /** Ends the rule. */
  readonly cancel: () => void;
}

interface ActiveRule {
  readonly verdict: Exclude<Verdict, "forward">;
  readonly matches: ChunkPredicate;
  readonly maxHits: number;
  hits: number;
}

/**
 * A TCP proxy on a port of 127.0.0.1, in front of one server, whose network fails on command: connections break, all of it falls
 * silent, becomes slow, or breaks between a request and its answer.
 */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #rules = new Set<ActiveRule>();
  #isFrozen = false;
  #delayMs = 0;
  #accepted = 0;
  #failed = 0;
  #cuts = 0;
  /** Bytes of connections that are closed. */
  #closedBytesToServer = 0;
  #closedBytesToClient = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Starts a proxy in front of the server that a connection string (or any URL with a host and a port) names. */
  static async start(upstream: string): Promise<TcpProxy> {
    const { hostname: host, port } = new URL(upstream);
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const proxy = new TcpProxy(server);
    server.on("connection", (client) => {
      proxy.#accept(client, connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true }));
    });
    return proxy;
  }

  /** The same connection string, leading through the proxy. */
  url(upstream: string): string {
    const url = new URL(upstream);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  get connections(): readonly ProxiedConnection[] {
    return [...this.#connections];
  }

  get counters(): ProxyCounters {
    const open = this.connections;
    return {
      connections: this.#accepted,
      openConnections: open.length,
      failedConnections: this.#failed,
      bytesToServer: open.reduce((sum, { bytesToServer }) => sum + bytesToServer, this.#closedBytesToServer),
      bytesToClient: open.reduce((sum, { bytesToClient }) => sum + bytesToClient, this.#closedBytesToClient),
      cuts: this.#cuts,
    };
  }

  /** Breaks one connection, or all. New ones are accepted. */
  cut(connection?: ProxiedConnection): void {
    for (const each of connection === undefined ? this.connections : [connection]) {
      if (!this.#connections.has(each)) continue;
      this.#cuts += 1;
      each.destroy();
    }
  }

  /** From now on nothing gets through in either direction, not even the end of a connection; new ones are accepted in silence. */
  freeze(): void {
    this.#isFrozen = true;
    for (const connection of this.#connections) connection.freeze();
  }

  /** Lets everything through that was held up. */
  thaw(): void {
    this.#isFrozen = false;
    for (const connection of this.#connections) connection.thaw();
  }

  /** Bytes that arrive from now on are under way for so long, in each direction. Zero ends it. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /**
   * Forwards the next chunk that matches, and then destroys the client's socket: the server carries out the request and the client
   * never hears of it. `maxHits` connections are cut in this way, one unless said otherwise.
   */
  cutAfter(matches: ChunkPredicate, maxHits = 1): CutRule {
    return this.#addRule({ verdict: "cutAfter", matches, maxHits, hits: 0 });
  }

  /** Destroys the connection instead of forwarding the chunk: to the client it looks the same, and nothing was carried out. */
  cutBefore(matches: ChunkPredicate, maxHits = 1): CutRule {
    return this.#addRule({ verdict: "cutBefore", matches, maxHits, hits: 0 });
  }

  /** Ends the proxy and every connection. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #accept(client: Socket, server: Socket): void {
    this.#accepted += 1;
    const countFailure = (): void => {
      this.#failed += 1;
    };
    server.once("error", countFailure);
    server.once("connect", () => server.off("error", countFailure));
    const connection = new ProxiedConnection({
      id: this.#accepted,
      client,
      server,
      delayMs: () => this.#delayMs,
      judge: (bytes, from) => this.#judge(bytes, from),
      onClosed: (closed) => this.#forget(closed),
    });
    this.#connections.add(connection);
    if (this.#isFrozen) connection.freeze();
  }

  #forget(connection: ProxiedConnection): void {
    // Both sockets of a connection tell that they are closed.
    if (!this.#connections.delete(connection)) return;
    this.#closedBytesToServer += connection.bytesToServer;
    this.#closedBytesToClient += connection.bytesToClient;
  }

  #addRule(rule: ActiveRule): CutRule {
    this.#rules.add(rule);
    return {
      get hits() {
        return rule.hits;
      },
      cancel: () => this.#rules.delete(rule),
    };
  }

  #judge(bytes: Buffer, connection: ProxiedConnection): Verdict {
    for (const rule of this.#rules) {
      if (!rule.matches(bytes, connection)) continue;
      rule.hits += 1;
      this.#cuts += 1;
      if (rule.hits >= rule.maxHits) this.#rules.delete(rule);
      return rule.verdict;
    }
    return "forward";
  }
}

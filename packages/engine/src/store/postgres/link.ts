import type { Client, ClientConfig, QueryArrayConfig } from "pg";
import { StoreError } from "../store-error.ts";
import { asStoreError } from "./postgres-errors.ts";
import type { ServerAddress } from "./url.ts";

/** A value of an answer: numbers and booleans are read, everything else, JSON too, stays text. */
export type Cell = string | number | boolean | null | readonly (string | number | null)[];
export type CellRow = readonly Cell[];

/**
 * A parameter. Arrays are given as literals of PostgreSQL (`arrayOf`), so that the driver does not look at each element. Bytes are
 * a value in PostgreSQL's binary format.
 */
export type Parameter = string | number | Buffer | null;

/** A statement; its name is used on direct connections, where the server then keeps its plan. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** The connection, for the holder alone. */
export interface HeldLink {
  rows(statement: Statement, parameters?: readonly Parameter[]): Promise<readonly CellRow[]>;
  run(text: string): Promise<void>;
  begin(): Promise<void>;
  commit(): Promise<void>;
  release(): void;
  /** Ends whatever transaction is open, and releases. */
  rollBack(): Promise<void>;
}

/** What a body of a transaction may do. */
export interface Transaction {
  rows(statement: Statement, parameters?: readonly Parameter[]): Promise<readonly CellRow[]>;
  run(text: string): Promise<void>;
}

export interface LinkSettings {
  readonly address: ServerAddress;
  readonly isPooled: boolean | null;
  readonly display: string;
  /** How long an answer may take before the connection is given up. */
  readonly deadlineMs: number;
  /**
   * Whether what is written may be lost in a crash of the server, as long as nothing that was written later is kept. That saves
   * waiting for the disk where it does no harm: claims, leases and notices are made again.
   */
  readonly isRelaxed?: boolean;
}

/** A connection that cannot be made is not tried again sooner than this. */
const connectTimeoutMs = 5_000;

/**
 * Settings of a session, where sessions are ours (behind a pooler they are not). Plans are made once, for any parameters: the
 * statements are shaped so that only one plan is possible, and the scans that would be chosen on empty tables and kept for
 * ever are switched off. The timeouts keep a stalled process from holding locks.
 */
const timeouts = ["lock_timeout = '5s'", "statement_timeout = '15s'", "idle_in_transaction_session_timeout = '10s'"];

/** Behind a pooler, where no session is ours, the timeouts hold for a transaction. */
const pooledBegin = ["begin", ...timeouts.map((setting) => `set local ${setting}`)].join("; ");

const sessionSettings = [
  "jit = off",
  "plan_cache_mode = force_generic_plan",
  "enable_seqscan = off",
  "enable_hashjoin = off",
  "enable_mergejoin = off",
  "enable_bitmapscan = off",
  ...timeouts,
  "client_min_messages = warning",
].map((setting) => `set ${setting}`);

const relaxed = ["set synchronous_commit = off"];

/**
 * One connection to the server, made when it is first needed and made anew after it broke.
 *
 * Statements are sent at once, without waiting for the answers to those before (but one by one behind a pooler); a transaction
 * has the connection for itself.
 * A statement that gets no answer in time ends the connection: whether it was carried out is then unknown, as after any break.
 */
export class Link {
  readonly #settings: LinkSettings;
  #client: Promise<Client> | null = null;
  #isPooled: boolean;
  #isClosed = false;
  /** Statements under way; a transaction waits for them. */
  #shared = 0;
  #exclusive: Promise<void> | null = null;
  readonly #onIdle: (() => void)[] = [];
  /** Settles with the statement that was sent last, behind a pooler. */
  #turn: Promise<void> = Promise.resolve();

  constructor(settings: LinkSettings) {
    this.#settings = settings;
    this.#isPooled = settings.isPooled ?? false;
  }

  /** Whether a pooler was found in between; known once there has been an answer. */
  get isPooled(): boolean {
    return this.#isPooled;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async rows(statement: Statement, parameters: readonly Parameter[] = []): Promise<readonly CellRow[]> {
    while (this.#exclusive !== null) await this.#exclusive;
    this.#shared += 1;
    try {
      return await this.#send(await this.#connected(), statement, parameters);
    } catch (error) {
      throw asStoreError(error, this.#settings.display);
    } finally {
      this.#shared -= 1;
      if (this.#shared === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** Runs statements in one transaction. A body that throws rolls it back. */
  async transaction<Value>(body: (transaction: Transaction) => Promise<Value>): Promise<Value> {
    const held = await this.hold();
    try {
      await held.begin();
      const value = await body(held);
      await held.commit();
      held.release();
      return value;
    } catch (error) {
      await held.rollBack();
      throw error;
    }
  }

  /** Waits until nobody else uses the connection, and keeps it until it is released. */
  async hold(): Promise<HeldLink> {
    while (this.#exclusive !== null) await this.#exclusive;
    const release = this.#exclude();
    try {
      if (this.#shared > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
      return this.#held(await this.#connected(), release);
    } catch (error) {
      release();
      throw asStoreError(error, this.#settings.display);
    }
  }

  /** Keeps everybody else waiting until the function is called that it returns. */
  #exclude(): () => void {
    let done: (() => void) | null = null;
    this.#exclusive = new Promise((resolve) => (done = resolve));
    return () => {
      this.#exclusive = null;
      done?.();
    };
  }

  #held(client: Client, release: () => void): HeldLink {
    const { display, deadlineMs } = this.#settings;
    const translated = async <Value>(answer: Promise<Value>): Promise<Value> => {
      try {
        return await answer;
      } catch (error) {
        throw asStoreError(error, display);
      }
    };
    const run = async (text: string): Promise<void> => {
      await this.#inTurn(client, () => client.query({ text, query_timeout: deadlineMs } as { readonly text: string }));
    };
    return {
      rows: (statement, parameters = []) => translated(this.#send(client, statement, parameters)),
      run: (text) => translated(run(text)),
      begin: () => translated(run(this.#isPooled ? pooledBegin : "begin")),
      commit: () => translated(run("commit")),
      release,
      async rollBack() {
        // Where the connection is gone the server rolls back by itself.
        await run("rollback").catch(() => {});
        release();
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = this.#client;
    this.#client = null;
    await client?.then(
      (each) => each.end(),
      () => {},
    );
  }

  async #send(
    client: Client,
    { name, text }: Statement,
    parameters: readonly Parameter[],
  ): Promise<readonly CellRow[]> {
    const query: QueryArrayConfig & { readonly query_timeout: number } = {
      text,
      values: parameters as Parameter[],
      rowMode: "array",
      query_timeout: this.#settings.deadlineMs,
      ...(this.#isPooled ? {} : { name }),
    };
    const { rows } = await this.#inTurn(client, () => client.query<Cell[]>(query));
    return rows;
  }

  /** Behind a pooler each statement waits for the answer to the one before. */
  #inTurn<Answer>(client: Client, ask: () => Promise<Answer>): Promise<Answer> {
    if (!this.#isPooled) return ask();
    const answer = this.#turn.then(ask);
    // The driver leaves the connection as it is: what is sent next would wait behind what has no answer.
    answer.catch((error: Error) => {
      if (error.message === "Query read timeout") client.connection.stream.destroy();
    });
    this.#turn = answer.then(
      () => {},
      () => {},
    );
    return answer;
  }

  #connected(): Promise<Client> {
    if (this.#isClosed) {
      throw new StoreError("store_closed", `The store \`${this.#settings.display}\` is not open.`);
    }
    if (this.#client === null) {
      const connecting: Promise<Client> = this.#connect(() => this.#forget(connecting));
      this.#client = connecting;
      connecting.catch(() => this.#forget(connecting));
    }
    return this.#client;
  }

  #forget(client: Promise<Client>): void {
    if (this.#client === client) this.#client = null;
  }

  async #connect(onGone: () => void): Promise<Client> {
    const { address, isPooled, isRelaxed = false } = this.#settings;
    const client = await connectClient(address, { pipeline: true }, onGone);
    try {
      this.#isPooled = isPooled ?? (await isBehindPooler(client));
      // A pooler may give a connection that broke with two statements under way to somebody else, with an answer outstanding.
      if (this.#isPooled) (client as { pipeline?: boolean }).pipeline = false;
      if (!this.#isPooled) await client.query([...sessionSettings, ...(isRelaxed ? relaxed : [])].join("; "));
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
    return client;
  }
}

/**
 * Connects. The driver is loaded with the first connection. `onGone` is called once, when the connection has ended for any reason;
 * a client without listeners would take the process down with it.
 */
export async function connectClient(
  { isSslOptional, ...address }: ServerAddress,
  more: Pick<ClientConfig, "types"> & { readonly pipeline?: boolean },
  onGone: () => void,
): Promise<Client> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({
    ...address,
    ...more,
    types: { getTypeParser: parserOf },
    application_name: "braid",
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectTimeoutMs,
  });
  client.on("error", onGone);
  client.on("end", onGone);
  try {
    await client.connect();
  } catch (error) {
    client.connection.stream.destroy();
    const isRefused = (error as Error).message.startsWith("The server does not support SSL");
    if (!isSslOptional || !isRefused) throw error;
    return connectClient({ ...address, ssl: false, isSslOptional: false }, more, onGone);
  }
  return client;
}

/** A pooler makes up the process id that it tells its clients. */
export async function isBehindPooler(client: Client): Promise<boolean> {
  const { rows } = await client.query<[number]>({ text: "select pg_backend_pid()", rowMode: "array" });
  // The driver keeps it, and its types do not say so.
  return rows[0]?.[0] !== (client as Client & { readonly processID?: number }).processID;
}

type Parser = (text: string) => unknown;

const asText: Parser = (text) => text;

/** Numbers of an array without quotes, as PostgreSQL writes arrays of integers. */
const asIntegers: Parser = (text) =>
  text === "{}"
    ? []
    : text
        .slice(1, -1)
        .split(",")
        .map((part) => (part === "NULL" ? null : Number(part)));

const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [16, (text) => text === "t"],
  [20, Number],
  [21, Number],
  [23, Number],
  [26, Number],
  [700, Number],
  [701, Number],
  [1005, asIntegers],
  [1007, asIntegers],
  [1016, asIntegers],
]);

const parserOf = (oid: number): Parser => parsers.get(oid) ?? asText;

/** An array as a literal of PostgreSQL. Texts are quoted; null is NULL, the text `null` is not. */
export function arrayOf(values: readonly (string | number | null)[]): string {
  return `{${values.map(literalOf).join(",")}}`;
}

/** An element of an array literal. */
function literalOf(value: string | number | null): string {
  if (value === null) return "NULL";
  return typeof value === "number" ? String(value) : quoted(value);
}

const special = /["\\]/;
const allSpecial = /["\\]/g;

function quoted(text: string): string {
  return special.test(text) ? `"${text.replace(allSpecial, "\\$&")}"` : `"${text}"`;
}

/** An array of texts, as the server writes it. Names of queues are quoted where they hold anything special. */
export function textsOf(literal: string): readonly string[] {
  if (literal === "{}") return [];
  return Array.from(literal.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g), ([, text, plain]) =>
    text === undefined ? plain! : text.replaceAll(/\\(.)/g, "$1"),
  );
}

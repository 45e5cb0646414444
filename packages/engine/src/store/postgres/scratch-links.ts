import { randomUUID } from "node:crypto";
import { Link } from "./link.ts";
import type { Cell, Parameter } from "./link.ts";
import { namesOf } from "./names.ts";
import { readPostgresUrl } from "./url.ts";

/** A database of a test on a server that tests have, and connections to it that end with it. */
export class ScratchLinks {
  readonly names = namesOf("braid");
  readonly #server: { readonly url: string };
  readonly #links: Link[] = [];
  #own: Link | null = null;
  #database: string | null = null;

  constructor(server: { readonly url: string }) {
    this.#server = server;
  }

  /** Ends what is left of the test before, and begins with an empty database. */
  async next(): Promise<void> {
    await this.remove();
    const database = `braid_${randomUUID().replaceAll("-", "")}`;
    await this.#administer(`create database ${database}`);
    this.#database = database;
  }

  async remove(): Promise<void> {
    this.#own = null;
    await Promise.all(this.#links.splice(0).map((link) => link.close()));
    if (this.#database !== null) await this.#administer(`drop database ${this.#database} with (force)`);
    this.#database = null;
  }

  /** Name of the test's database. */
  get database(): string {
    return this.#database!;
  }

  get url(): string {
    const url = new URL(this.#server.url);
    url.pathname = this.database;
    return url.href;
  }

  /** A connection, also as another user, whose password is `secret`. */
  open(user?: string): Link {
    const url = new URL(this.url);
    if (user !== undefined) Object.assign(url, { username: user, password: "secret" });
    const link = openLink(url.href);
    this.#links.push(link);
    return link;
  }

  /** Runs a statement as the user of the server's URL, with unqualified names in the store's schema. */
  async query(text: string, parameters: readonly Parameter[] = []): Promise<readonly (readonly Cell[])[]> {
    this.#own ??= this.open();
    return this.#own.transaction(async (transaction) => {
      await transaction.run(`set local search_path = ${this.names.schema}`);
      return transaction.rows({ name: "", text }, parameters);
    });
  }

  async #administer(text: string): Promise<void> {
    const link = openLink(this.#server.url);
    try {
      await link.rows({ name: "", text });
    } finally {
      await link.close();
    }
  }
}

function openLink(url: string): Link {
  const { address, isPooled, display } = readPostgresUrl(url);
  return new Link({ address, isPooled, display, deadlineMs: 10_000 });
}

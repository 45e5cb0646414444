import { freshDatabase } from "@braid/testbed";
import type { FreshDatabase } from "@braid/testbed";
import { Link } from "./link.ts";
import type { Cell, Parameter } from "./link.ts";
import { namesOf } from "./names.ts";
import { readPostgresUrl } from "./url.ts";

/** A database of a test, and connections to it that end with it. */
export class ScratchLinks {
  readonly names = namesOf("braid");
  readonly #server: { readonly url: string };
  readonly #links: Link[] = [];
  #own: Link | null = null;
  #database: FreshDatabase | null = null;

  constructor(server: { readonly url: string }) {
    this.#server = server;
  }

  /** Ends what is left of the test before, and begins with an empty database. */
  async next(): Promise<void> {
    await this.remove();
    this.#database = await freshDatabase(this.#server.url);
  }

  async remove(): Promise<void> {
    this.#own = null;
    await Promise.all(this.#links.splice(0).map((link) => link.close()));
    await this.#database?.drop();
    this.#database = null;
  }

  get url(): string {
    return this.#database!.url;
  }

  get database(): string {
    return this.#database!.name;
  }

  /** A connection, also as another user, whose password is `secret`. */
  open(user?: string): Link {
    const url = new URL(this.url);
    if (user !== undefined) Object.assign(url, { username: user, password: "secret" });
    const { address, isPooled, display } = readPostgresUrl(url.href);
    const link = new Link({ address, isPooled, display, deadlineMs: 10_000 });
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
}

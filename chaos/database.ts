import { Client } from "pg";

/** The database as the checks see it: past every proxy, over a connection that is made anew when it broke. */
export class Database {
  readonly #url: string;
  #client: Promise<Client> | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  /** Rows of one statement, which sees one snapshot. Rejects while the server is down. */
  async rows<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    this.#client ??= this.#connect();
    const connecting = this.#client;
    try {
      const client = await connecting;
      return (await client.query(text, [...values])).rows as Row[];
    } catch (error) {
      if (this.#client === connecting) this.#client = null;
      void connecting.then((client) => client.end()).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await (await client)?.end();
  }

  async #connect(): Promise<Client> {
    const client = new Client({ connectionString: this.#url, application_name: "chaos", query_timeout: 60_000 });
    client.on("error", () => undefined);
    await client.connect();
    // Sums of counts are numbers here.
    client.setTypeParser(20, Number);
    return client;
  }
}

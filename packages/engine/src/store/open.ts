import { createMemoryStore } from "./memory.ts";
import type { Store } from "./port.ts";
import { createSqliteStore } from "./sqlite.ts";
import { StoreError } from "./store-error.ts";

const scheme = /^([a-z][a-z0-9+.-]+):/i;

/**
 * The store that a URL names: `memory:`, `sqlite:PATH`, a bare path, which is an SQLite file, or `postgres://…`. It is not opened
 * yet, and nothing is made before it is. Rejects with `StoreError` where the URL names none.
 */
export async function createStore(url: string): Promise<Store> {
  // On Windows `C:\…` is a path: a scheme of the table below has more than one letter.
  const name = scheme.exec(url)?.[1]?.toLowerCase();
  switch (name) {
    case undefined:
      return sqliteStore(url, url);
    case "memory":
      return createMemoryStore();
    case "sqlite":
      return sqliteStore(url, url.slice("sqlite:".length).replace(/^\/\//, ""));
    case "postgres":
    case "postgresql":
      // Its modules and its driver are loaded only where they are used.
      return (await import("./postgres.ts")).createPostgresStore({ url });
    default:
      throw new StoreError(
        "store_unsupported",
        `There is no store for \`${name}:\` URLs. Use \`postgres://…\`, \`sqlite:PATH\`, a path or \`memory:\`.`,
        { details: { scheme: name } },
      );
  }
}

/** The store that a URL names, ready to use. */
export async function openStore(url: string): Promise<Store> {
  const store = await createStore(url);
  await store.open();
  return store;
}

function sqliteStore(url: string, path: string): Store {
  if (path !== "" && path !== ":memory:") return createSqliteStore({ path });
  throw new StoreError(
    "store_unsupported",
    `The store URL \`${url}\` names no file. Use \`sqlite:PATH\` or \`memory:\`.`,
    {
      details: { url },
    },
  );
}

import { createMemoryStore } from "./memory.ts";
import type { Store } from "./port.ts";
import { createSqliteStore } from "./sqlite.ts";
import { StoreError } from "./store-error.ts";

const scheme = /^([a-z][a-z0-9+.-]+):/i;

/**
 * The store that a URL names: `memory:`, `sqlite:PATH`, or a bare path, which is an SQLite file. It is not opened yet, and
 * nothing is made or loaded before it is.
 */
export function createStore(url: string): Store {
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
      // The URL may hold a password, so the message does not repeat it.
      throw new StoreError(
        "store_unsupported",
        "This build has no PostgreSQL store yet. Use `sqlite:PATH`, which several processes of one machine may share.",
      );
    default:
      throw new StoreError(
        "store_unsupported",
        `There is no store for \`${name}:\` URLs. Use \`memory:\`, \`sqlite:PATH\` or a path.`,
        { details: { scheme: name } },
      );
  }
}

/** The store that a URL names, ready to use. */
export async function openStore(url: string): Promise<Store> {
  const store = createStore(url);
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

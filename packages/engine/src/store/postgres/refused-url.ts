import { StoreError } from "../store-error.ts";

/** What is wrong with a store URL, and what to write instead. */
export function refusedUrl(what: string, hint: string): StoreError {
  return new StoreError("store_cannot_open", `${what} ${hint}`);
}

import { NotStorable } from "./storable.ts";
import { StoreError } from "./store-error.ts";

/** Encodes what a call brings. Throws `StoreError` where no store can keep it, before anything is sent. */
export function refusing<Value>(encode: () => Value): Value {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof NotStorable)) throw error;
    throw new StoreError("store_not_storable", `The store refused the data: ${error.message}.`, { cause: error });
  }
}

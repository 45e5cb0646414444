import type { JsonObject } from "@braid/core";
import { BraidError } from "../errors.ts";

/**
 * Why a store could not answer.
 * - `store_busy`: others kept it locked for too long; `store_unavailable`: it cannot be reached. Asking again may help, and
 *   whether a commit was applied is known only by repeating it with the same `commitId`
 * - `store_not_storable`: the data itself cannot be kept, and never will be
 * - `store_closed`: it was closed, or never opened
 * - `store_denied`: the user may not do that; `store_outdated`: its schema is older than this build and has to be migrated
 * - `store_corrupt`, `store_not_a_store`, `store_too_new`, `store_read_only`, `store_full`, `store_cannot_open`, `store_io`:
 *   somebody has to do what the message says
 * - `store_driver_missing`, `store_unsupported`: this build or platform has no such store
 */
export type StoreErrorCode =
  | "store_busy"
  | "store_unavailable"
  | "store_not_storable"
  | "store_closed"
  | "store_denied"
  | "store_outdated"
  | "store_corrupt"
  | "store_not_a_store"
  | "store_too_new"
  | "store_read_only"
  | "store_full"
  | "store_cannot_open"
  | "store_io"
  | "store_driver_missing"
  | "store_unsupported";

/** A store could not do what it was asked. The message says what to do about it. */
export class StoreError extends BraidError {
  override readonly name = "StoreError";
  declare readonly code: StoreErrorCode;

  // The parameters narrow those of the base class: a store's error has one of the codes above.
  constructor(
    code: StoreErrorCode,
    message: string,
    options: { readonly details?: JsonObject; readonly cause?: unknown } = {},
  ) {
    super(code, message, options);
  }
}

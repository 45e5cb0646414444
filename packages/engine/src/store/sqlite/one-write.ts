import { NotStorable } from "../storable.ts";
import type { Connection } from "./connection.ts";
import { isRefusedData } from "./sqlite-errors.ts";

/** Data that no store can keep: it takes no part in the write, and is answered so. */
export interface Refused {
  readonly kind: "rejected";
  readonly message: string;
}

/** Requests that are answered each on its own, in one write. */
export interface Batch<Request, Prepared extends object, Answer> {
  readonly requests: readonly Request[];
  /** Made before the write begins. Throws `NotStorable`. */
  readonly prepare: (request: Request) => Prepared;
  readonly apply: (prepared: Prepared, now: number) => Answer;
  readonly now: () => number;
}

interface Answers<Answer> {
  readonly now: number;
  readonly answers: readonly (Answer | Refused)[];
}

/**
 * Does all requests with one fsync. The fast way takes no savepoints, because data that the schema refuses is a bug of the
 * caller; when it happens the whole batch is done again with one savepoint a request, and only that one is rejected.
 */
export async function inOneWrite<Request, Prepared extends object, Answer>(
  connection: Connection,
  { requests, prepare, apply, now }: Batch<Request, Prepared, Answer>,
): Promise<Answers<Answer>> {
  const attempts = requests.map((request) => attempt(() => prepare(request)));
  const applyAll = (each: typeof apply | ((prepared: Prepared, at: number) => Answer | Refused)): Answers<Answer> => {
    const at = now();
    return { now: at, answers: attempts.map((one) => ("value" in one ? each(one.value, at) : one)) };
  };
  try {
    return await connection.write(() => applyAll(apply));
  } catch (error) {
    if (!isRefusedData((error as Error).cause)) throw error;
    return connection.write(() => applyAll((prepared, at) => alone(connection, () => apply(prepared, at))));
  }
}

function attempt<Value>(body: () => Value): { readonly value: Value } | Refused {
  try {
    return { value: body() };
  } catch (error) {
    if (!(error instanceof NotStorable)) throw error;
    return { kind: "rejected", message: error.message };
  }
}

/** Undoes what a request has written when it is refused, and nothing else. */
function alone<Answer>(connection: Connection, body: () => Answer): Answer | Refused {
  connection.execute("savepoint one_request");
  try {
    return body();
  } catch (error) {
    if (!isRefusedData(error)) throw error;
    connection.execute("rollback to one_request");
    return { kind: "rejected", message: (error as Error).message };
  } finally {
    connection.execute("release one_request");
  }
}

import { StoreError } from "../store-error.ts";
import type { Connection } from "./connection.ts";
import { applicationId, migrations, schemaVersion } from "./schema.ts";

/**
 * Room for the pages of a large batch, so that none is written twice, and a log that is folded into the file every 16 MB: a
 * page that many commits change is then copied once. Measured with 100 runs in flight, both together are worth a tenth.
 */
const settings =
  "pragma foreign_keys = on; pragma cache_size = -32000; pragma wal_autocheckpoint = 4000; pragma temp_store = memory";

/**
 * Prepares a connection and brings the file to this build's schema. Any number of processes may do so at once on a file
 * that does not exist yet: the version is read again under the write lock, and each migration commits with its number.
 */
export async function migrate(connection: Connection): Promise<void> {
  await useWriteAheadLog(connection);
  // Some of these look at the file, which another process may have locked.
  await connection.alone(() => connection.execute(settings));
  const version = await connection.read(() => checkVersion(connection));
  if (version === schemaVersion) return;
  await connection.write(() => {
    for (let next = checkVersion(connection) + 1; next <= schemaVersion; next += 1) {
      connection.execute(migrations[next - 1]!);
      connection.execute(`pragma user_version = ${next}; pragma application_id = ${applicationId}`);
    }
  });
}

/**
 * Readers and one writer then work at the same time, and a commit is one fsync. Changing the mode takes a lock that does
 * not wait, so a first start by several processes repeats it.
 */
async function useWriteAheadLog(connection: Connection): Promise<void> {
  const mode = await connection.alone(() => connection.row("pragma journal_mode = wal")?.[0]);
  if (mode === "wal") return;
  throw new StoreError(
    "store_cannot_open",
    `The store \`${connection.path}\` cannot be shared between processes: its file system does not support it. ` +
      "Put it on a local file system.",
    { details: { path: connection.path } },
  );
}

/** The version of the file, once it is sure that the file is a store and not newer than this build. */
function checkVersion(connection: Connection): number {
  const version = connection.row("pragma user_version")?.[0] as number;
  const application = connection.row("pragma application_id")?.[0];
  const { path } = connection;
  if (application !== applicationId && (version > 0 || connection.row("select 1 from sqlite_schema") !== undefined)) {
    throw new StoreError(
      "store_not_a_store",
      `The file \`${path}\` is an SQLite database of another program. Name another file for the store.`,
      { details: { path } },
    );
  }
  if (version > schemaVersion) {
    throw new StoreError(
      "store_too_new",
      `The store \`${path}\` has schema version ${version}; this build knows versions up to ${schemaVersion}. ` +
        "Use the newer build that wrote it, or another file.",
      { details: { path, version, supported: schemaVersion } },
    );
  }
  return version;
}

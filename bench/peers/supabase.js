// @ts-check
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { versionOf } from "./engines/engine.js";

const packages = fileURLToPath(new URL("node_modules/", import.meta.url));

/**
 * What pgflow's migrations expect of Supabase besides queues. Nothing of it is part of running a step except the broadcasts, which cost
 * nothing here; that is in pgflow's favour.
 */
const STAND_INS = `
  CREATE SCHEMA realtime;
  CREATE FUNCTION realtime.send(payload jsonb, event text, topic text, private boolean DEFAULT true) RETURNS void
    LANGUAGE sql AS 'SELECT';
  CREATE SCHEMA vault;
  CREATE TABLE vault.decrypted_secrets (name text, decrypted_secret text);
  CREATE SCHEMA net;
  CREATE FUNCTION net.http_post(url text, body jsonb DEFAULT '{}', params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}',
    timeout_milliseconds int DEFAULT 5000) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
  CREATE SCHEMA cron;
  CREATE TABLE cron.job_run_details (jobid bigint, end_time timestamptz);
  CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
  CREATE FUNCTION cron.unschedule(job_name text) RETURNS boolean LANGUAGE sql AS 'SELECT true';`;

/**
 * Installs pgmq (the SQL inside `@electric-sql/pglite-pgmq`) and pgflow (the migrations inside `@pgflow/core`, or those of a newer
 * release in the directory BRAID_PGFLOW_MIGRATIONS) and returns pgflow's version.
 *
 * @param {import("postgres").Sql} sql
 */
export async function installPgflow(sql) {
  await sql.unsafe(STAND_INS);
  await sql.unsafe(queueSql());
  const newer = process.env["BRAID_PGFLOW_MIGRATIONS"];
  const directory = newer ?? join(packages, "@pgflow/core/dist/supabase/migrations");
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(".sql"))
    .toSorted();
  for (const file of files) {
    await sql.unsafe(readFileSync(join(directory, file), "utf8").replaceAll(/^CREATE EXTENSION .*;$/gim, ""));
  }
  return newer === undefined ? versionOf("@pgflow/core") : `schema of ${files.at(-1)?.slice(0, 8)}`;
}

/** The newest full install script in the archive, which is a plain tar: a 512-byte header before each file, sizes in octal. */
function queueSql() {
  const archive = gunzipSync(readFileSync(join(packages, "@electric-sql/pglite-pgmq/dist/pgmq.tar.gz")));
  for (let at = 0; at + 512 <= archive.length;) {
    const name = archive.toString("utf8", at, at + 100).replace(/\0.*$/s, "");
    const size = Number.parseInt(archive.toString("utf8", at + 124, at + 136), 8) || 0;
    if (/\/pgmq--[\d.]+\.sql$/.test(name)) return archive.toString("utf8", at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error("`@electric-sql/pglite-pgmq` has no install script of pgmq in it");
}

import type { StoreSchema } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { chooseStore } from "../store/store-url.ts";
import { countOf } from "../terminal/format.ts";

export interface MigrateOptions {
  readonly store?: string;
  readonly check?: boolean;
  readonly print?: boolean;
  readonly grants?: string;
}

/** Brings the tables of a store to this build's schema, or says what is missing. */
export async function migrate(context: CommandContext, options: MigrateOptions): Promise<number> {
  const { url } = chooseStore(context.io, options);
  const { openSchema } = await import("@braid/engine");
  const schema = await openSchema(url);
  if (schema === null) return withoutSchema(context, url, options);
  try {
    if (options.print === true || options.grants !== undefined) return await print(context, schema, options);
    return options.check === true ? await check(context, schema) : await apply(context, schema);
  } finally {
    await schema.close();
  }
}

/** There is nothing to do by hand. */
function withoutSchema({ io }: CommandContext, url: string, { print: isPrint, grants }: MigrateOptions): number {
  if (isPrint === true || grants !== undefined) {
    throw new UsageError("there is nothing to print: only PostgreSQL stores are migrated by hand and have roles");
  }
  io.stdout.write(`${url}: up to date; a store of this kind is migrated by whoever opens it\n`);
  return exitCode.ok;
}

async function apply({ io }: CommandContext, schema: StoreSchema): Promise<number> {
  const before = await schema.state();
  const { version, applied, held } = await schema.migrate();
  const titles = new Map(before.pending.map(({ number, title }) => [number, title]));
  for (const number of applied) io.stdout.write(`applied ${number}: ${titles.get(number) ?? ""}\n`);
  // It may go on for workers as it is, but not for somebody who asked for the migration.
  if (held !== null) throw held;
  io.stdout.write(`${schema.url}: version ${version}, up to date\n`);
  return exitCode.ok;
}

async function check({ io }: CommandContext, schema: StoreSchema): Promise<number> {
  const { version, pending } = await schema.state();
  for (const { number, title } of pending) io.stdout.write(`missing ${number}: ${title}\n`);
  const now = version === null ? "no store yet" : `version ${version}`;
  const found = pending.length === 0 ? "up to date" : `${countOf(pending.length, "migration")} missing`;
  io.stdout.write(`${schema.url}: ${now}, ${found}\n`);
  return pending.length === 0 ? exitCode.ok : exitCode.failed;
}

async function print({ io }: CommandContext, schema: StoreSchema, options: MigrateOptions): Promise<number> {
  if (options.print === true) io.stdout.write(schema.print((await schema.state()).version ?? 0));
  if (options.grants !== undefined) io.stdout.write(schema.grants(options.grants));
  return exitCode.ok;
}

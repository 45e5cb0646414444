import type { ScratchLinks } from "./scratch-links.ts";

const ofSchema = "'braid'::regnamespace";

/** What the catalog says of a schema, one line each. Constraints and indexes as the server would write them. */
const catalog = {
  columns: `
select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
  || case when a.attnotnull then ' not null' else '' end
  || case when a.attidentity = 'a' then ' generated always as identity' else '' end
  || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = ${ofSchema} and c.relkind in ('r', 'v')
order by c.relkind, c.relname collate "C", a.attnum`,
  settings: `
select c.relname || ' (' || array_to_string(c.reloptions, ', ') || ')'
from pg_class c where c.relnamespace = ${ofSchema} and c.reloptions is not null order by c.relname collate "C"`,
  // Newer servers list what a column must not be among the constraints, too.
  constraints: `
select coalesce(c.relname, t.typname) || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
from pg_constraint k left join pg_class c on c.oid = k.conrelid left join pg_type t on t.oid = k.contypid
where k.connamespace = ${ofSchema} and k.contype <> 'n'
order by coalesce(c.relname, t.typname) collate "C", k.conname collate "C"`,
  indexes: `select indexdef from pg_indexes where schemaname = 'braid' order by tablename collate "C", indexname collate "C"`,
  views: `
select c.relname || ' as' || E'\\n' || pg_get_viewdef(c.oid)
from pg_class c where c.relnamespace = ${ofSchema} and c.relkind = 'v' order by c.relname collate "C"`,
};

/** The schema `braid` as text, the same for the same schema on every version of the server. */
export async function dumpSchema(scratch: ScratchLinks): Promise<string> {
  const parts: string[] = [];
  for (const [title, text] of Object.entries(catalog)) {
    const lines = (await scratch.query(text)).map(([line]) => line as string);
    parts.push(`-- ${title}\n${lines.join("\n")}\n`);
  }
  return parts.join("\n");
}

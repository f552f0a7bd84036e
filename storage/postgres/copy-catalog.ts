import type { Queryable, Tx } from './connect.ts';
import { quoted } from './copy.ts';

/** A table of ours, with what can be written to it. */
export interface CatalogTable {
  /** `schema.table`. */
  readonly name: string;
  /** Without those that PostgreSQL works out itself. */
  readonly columns: readonly string[];
}

export interface CatalogSequence {
  /** `schema.sequence`. */
  readonly name: string;
  /** The table whose column draws from it; null: it stands alone. */
  readonly table: string | null;
}

const schemas = ['public', 'shared', 'qar'];

/** All tables of the database but those of extensions, by name. */
export async function listTables(sql: Queryable): Promise<CatalogTable[]> {
  return sql<CatalogTable[]>`
    select n.nspname || '.' || c.relname as name,
      array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any (${schemas})
      and not exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by 1`;
}

/** All sequences of the database, by name. */
export async function listSequences(sql: Queryable): Promise<CatalogSequence[]> {
  return sql<CatalogSequence[]>`
    select n.nspname || '.' || c.relname as name, (
      select tn.nspname || '.' || t.relname from pg_depend d
      join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
        and d.refclassid = 'pg_class'::regclass limit 1) as table
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'S' and n.nspname = any (${schemas})
    order by 1`;
}

/** Where a sequence stands. */
export async function readSequence(
  sql: Queryable,
  name: string,
): Promise<{ value: string; isCalled: boolean }> {
  const [row] = await sql.unsafe<{ value: string; isCalled: boolean }[]>(
    `select last_value::text as value, is_called as "isCalled" from ${quoted(name)}`,
  );
  if (row === undefined) throw new Error(`${name} is no sequence`);
  return row;
}

/**
 * Takes foreign keys and plain indexes off some tables: rows may come in any order, and what is
 * built once at the end costs a fraction. The function it resolves to brings them back, and throws
 * when a row is there that one of them forbids.
 */
export async function loosen(tx: Tx, tables: readonly string[]): Promise<() => Promise<void>> {
  const keys = await foreignKeys(tx, tables);
  const indexes = await plainIndexes(tx, tables);
  for (const { table, name } of keys) {
    await tx.unsafe(`alter table ${quoted(table)} drop constraint ${quoted(name)}`);
  }
  for (const { name } of indexes) await tx.unsafe(`drop index ${name}`);
  return async () => {
    for (const { definition } of indexes) await tx.unsafe(definition);
    for (const { table, name, definition } of keys) {
      await tx.unsafe(`alter table ${quoted(table)} add constraint ${quoted(name)} ${definition}`);
    }
  };
}

function foreignKeys(tx: Tx, tables: readonly string[]) {
  return tx<{ table: string; name: string; definition: string }[]>`
    select n.nspname || '.' || c.relname as table, k.conname as name,
      pg_get_constraintdef(k.oid) as definition
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    join pg_namespace n on n.oid = c.relnamespace
    where k.contype = 'f' and n.nspname || '.' || c.relname = any (${tables as string[]})
    order by 1, 2`;
}

/** Those that are no constraint, and that none leans on. */
function plainIndexes(tx: Tx, tables: readonly string[]) {
  return tx<{ name: string; definition: string }[]>`
    select format('%I.%I', n.nspname, x.relname) as name,
      pg_get_indexdef(i.indexrelid) as definition
    from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = any (${tables as string[]})
      and not i.indisprimary
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
    order by 1`;
}

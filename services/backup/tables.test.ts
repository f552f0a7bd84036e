import { expect } from 'chai';
import { listSequences, listTables } from '#storage/postgres/copy-catalog.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { fateOfSequence, sequences, tables } from './tables.ts';

describe('what becomes of tables in a backup', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  it('is said of every table there is, in services/backup/tables.ts', async () => {
    const found = await db.sql<{ name: string }[]>`
      select table_schema || '.' || table_name as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
      order by 1`;
    expect(Object.keys(tables).sort()).to.deep.equal(found.map(({ name }) => name).sort());
    expect((await listTables(db.sql)).map(({ name }) => name)).to.have.length(found.length);
  });

  it('is said of every sequence', async () => {
    const found = await listSequences(db.sql);
    const unsaid = found.filter(({ name, table }) => fateOfSequence(name, table) === undefined);
    expect(unsaid).to.deep.equal([]);
    const alone = found.filter(({ table }) => table === null).map(({ name }) => name);
    expect(Object.keys(sequences).sort()).to.deep.equal(alone);
  });

  it('leaves no row behind that another one needs', async () => {
    const keys = await db.sql<{ from: string; to: string }[]>`
      select fn.nspname || '.' || f.relname as "from", tn.nspname || '.' || t.relname as "to"
      from pg_constraint k
      join pg_class f on f.oid = k.conrelid join pg_namespace fn on fn.oid = f.relnamespace
      join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace
      where k.contype = 'f'`;
    expect(keys).to.have.length.above(5);
    for (const { from, to } of keys) {
      if (tables[from]?.fate !== 'content') continue;
      expect(tables[to], `${from} refers to ${to}`).to.deep.include({ fate: 'content' });
    }
  });
});

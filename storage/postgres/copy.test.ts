import { expect } from 'chai';
import fc from 'fast-check';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { copyIn, copyOut, prepareCopy } from './copy.ts';
import { copyRow, uuidBytes } from './copy-row.ts';
import { loosen, listSequences, listTables } from './copy-catalog.ts';

const columns =
  'id,words,bytes,list,doc,exact,real8,real4,at,day,span,net,flag,lists,search,uuid'.split(',');

describe('copying rows', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
    for (const name of ['source', 'target']) {
      await db.sql.unsafe(`
        create table "${name}" (
          id integer primary key, words text, bytes bytea, list text[], doc jsonb, exact numeric,
          real8 double precision, real4 real, at timestamptz, day date, span interval, net inet,
          flag boolean, lists integer[][], search tsvector, uuid uuid,
          made integer generated always as (id * 2) stored
        )`);
    }
  });
  after(() => db.close());
  beforeEach(() => db.sql.unsafe('truncate source, target'));

  const target = { table: 'public.target', columns };
  const carry = () =>
    db.sql.begin(async (tx) => {
      await prepareCopy(tx);
      const writer = await copyIn(tx, target);
      // Two connections: a transaction of ours has one.
      await db.sql.begin(async (other) => {
        await prepareCopy(other);
        for await (const rows of copyOut(other, { table: 'public.source', columns })) {
          await writer.write(rows);
        }
      });
      await writer.end();
    });
  const rowsOf = async (name: string) => {
    const rows = await db.sql.unsafe<{ row: string }[]>(
      `select t::text as row from "${name}" t order by id`,
    );
    return rows.map(({ row }) => row);
  };

  it('brings over every value as it is', async () => {
    const text = fc.option(fc.string({ unit: 'binary' }).map((each) => each.replaceAll('\0', '')));
    const row = fc.record({
      words: text,
      bytes: fc.option(fc.uint8Array()),
      list: fc.option(fc.array(text)),
      doc: fc.option(fc.json().map((each) => each.replaceAll(/\\u0000/g, ''))),
      exact: fc.option(
        fc.oneof(
          fc.bigInt().map(String),
          fc.constantFrom('NaN', 'Infinity', '-Infinity', '1e-20', '0.10000'),
        ),
      ),
      real8: fc.option(fc.double().map(String)),
      real4: fc.option(fc.float().map(String)),
      at: fc.option(
        fc.constantFrom('infinity', '-infinity', '4713-01-01 00:00:00 BC', '2026-01-31 04:17:00.5'),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), async (rows) => {
        await db.sql.unsafe('truncate source, target');
        for (const [id, each] of rows.entries()) {
          await db.sql`
            insert into source (id, words, bytes, list, doc, exact, real8, real4, at)
            values (${id}, ${each.words}, ${each.bytes && Buffer.from(each.bytes)}, ${each.list},
              ${each.doc}::text::jsonb, ${each.exact}::text::numeric, ${each.real8}::text::float8,
              ${each.real4}::text::float4, ${each.at}::text::timestamptz)`;
        }
        await carry();
        expect(await rowsOf('target')).to.deep.equal(await rowsOf('source'));
      }),
      { numRuns: 40 },
    );
  });

  it('brings over the types that chance does not make', async () => {
    await db.sql.unsafe(`
      insert into source (id, words, day, span, net, flag, lists, search, uuid) values
        (1, E'\\\\.', 'infinity', '1 year -2 days 03:04:05.6', '2001:db8::/32', true,
         '{{1,2},{3,null}}', to_tsvector('simple', 'a fat cat'), uuidv7()),
        (2, E'a\\nb\\tc\\\\N', '-infinity', '-1 mons', '10.0.0.1', false, '{}', '', null),
        (3, '\\N', '0044-03-15 BC', null, null, null, null, null, null)`);
    await carry();
    expect(await rowsOf('target')).to.deep.equal(await rowsOf('source'));
  });

  it('tells what PostgreSQL has against a row, whenever it says so', async () => {
    await db.sql.unsafe('insert into target (id) values (7)');
    const insert = (rows: string) =>
      db.sql
        .begin(async (tx) => {
          const writer = await copyIn(tx, { table: 'public.target', columns: ['id'] });
          await writer.write(Buffer.from(rows));
          await writer.end();
        })
        .then(
          () => 'written',
          (error: unknown) => (error as { code: string }).code,
        );
    expect(await insert('8\n')).to.equal('written');
    expect(await insert('7\n')).to.equal('23505');
    expect(await insert('not a number\n')).to.equal('22P02');
    expect(await insert('9')).to.equal('written');
    expect((await rowsOf('target')).length).to.equal(3);
  });

  it('takes nothing of a copy that is given up, and the connection serves on', async () => {
    const reason = new Error('given up');
    const given = await db.sql
      .begin(async (tx) => {
        const writer = await copyIn(tx, { table: 'public.target', columns: ['id'] });
        await writer.write(Buffer.from('1\n2\n'));
        await writer.abort(reason);
        throw reason;
      })
      .catch((error: unknown) => error);
    expect(given).to.equal(reason);
    expect(await rowsOf('target')).to.deep.equal([]);
  });

  it('adds one row of any size in binary, and tells what is against it', async () => {
    const id = '01890000-0000-7000-8000-00000000beef';
    await db.sql`create table pictures (id uuid primary key, bytes bytea)`;
    const given = { table: 'pictures', columns: ['id', 'bytes'] };
    const add = (bytes: Uint8Array) =>
      db.sql.begin((tx) => copyRow(tx, given, [uuidBytes(id), bytes]));
    for (const size of [0, 1, 65_535, 65_536, 65_537, 300_000]) {
      const bytes = Buffer.from(Array.from({ length: size }, (_, at) => at % 251));
      await add(bytes);
      const [row] = await db.sql<{ id: string; bytes: Buffer }[]>`delete from pictures returning *`;
      expect(row?.id).to.equal(id);
      expect(row?.bytes.equals(bytes), `${size} bytes`).to.equal(true);
    }
    await add(Buffer.from('once'));
    const again = await add(Buffer.from('twice')).catch((error: unknown) => error);
    expect(String(again)).to.contain('duplicate key');
  });

  it('may be left early', async () => {
    await db.sql.unsafe(
      `insert into source (id, words) select n, repeat('x', 1000) from generate_series(1, 20000) n`,
    );
    const first = await db.sql.begin(async (tx) => {
      for await (const chunk of copyOut(tx, { table: 'public.source', columns: ['id', 'words'] })) {
        const [row] = await db.sql<{ one: number }[]>`select 1 as one`;
        return { chunk: chunk.length, other: row!.one };
      }
      return undefined;
    });
    expect(first?.chunk).to.be.greaterThan(0);
    expect(first?.other).to.equal(1);
  });

  it('knows tables without what PostgreSQL works out, and whose a sequence is', async () => {
    await db.sql.unsafe(`create table shared.numbered (n bigint generated always as identity)`);
    const found = await listTables(db.sql);
    expect(found.find(({ name }) => name === 'public.source')?.columns).to.deep.equal(columns);
    const sequences = await listSequences(db.sql);
    expect(sequences).to.deep.include({ name: 'shared.numbered_n_seq', table: 'shared.numbered' });
    expect(sequences).to.deep.include({ name: 'shared.clock_epoch', table: null });
  });

  it('takes keys and indexes off, and brings all of them back', async () => {
    const look = () =>
      db.sql<{ text: string }[]>`
        select pg_get_constraintdef(oid) || conname as text from pg_constraint where contype = 'f'
        union all select pg_get_indexdef(indexrelid) from pg_index order by 1`;
    const before = await look();
    const names = (await listTables(db.sql)).map(({ name }) => name);
    await db.sql.begin(async (tx) => {
      const tighten = await loosen(tx, names);
      const [keys] = await tx<{ left: number }[]>`
        select count(*) as left from pg_constraint where contype = 'f'`;
      expect(keys?.left).to.equal(0);
      await tighten();
    });
    expect(await look()).to.deep.equal(before);
  });
});

import { expect } from 'chai';
import { createLocalClock } from '#cluster/clock.ts';
import { createCache } from '#storage/cache/index.ts';
import type { SearchEngine } from '#storage/search/engine.ts';
import { createPostgresSearch } from '#storage/search/postgres.ts';
import { createTypesenseSearch } from '#storage/search/typesense.ts';
import { fakeTypesense } from '#test/fakes/typesense.ts';
import { quiet } from '#test/log.ts';
import { testDatabase } from '#test/postgres.ts';
import { bodyOf, callOf } from '#test/users.ts';
import { createAdder } from '../jobs/enqueue.ts';
import type { JobContext } from '../jobs/job.ts';
import { peopleNamed } from '../people/store.ts';
import type { Principal } from '../principal.ts';
import { createSearch, createSearchChanges, searchSchema } from './index.ts';
import { sharedAudience, type SearchSource } from './source.ts';
import { writeOn } from '#test/write.ts';

const signal = new AbortController().signal;
const idOf = (at: number) => `01990000-0000-7000-8000-${at.toString(16).padStart(12, '0')}`;

/** A kind whose items are rows of a table made for the test. */
const songs: SearchSource = {
  kind: 'song',
  permission: 'songs:read',
  async documents(sql, ids) {
    const rows = await sql<{ id: string; title: string; year: number }[]>`
      select id, title, year from songs where id = any(${ids as string[]}::uuid[])`;
    return rows.map(({ id, title, year }) => ({
      id,
      title,
      year,
      audience: sharedAudience,
      titles: [],
      people: ['Nina Simone'],
      keywords: [],
      subtitle: 'A song',
      facets: { genre: ['Jazz'] },
      rank: 0.5,
      addedAt: new Date(0),
    }));
  },
  async idsAfter(sql, afterId, limit) {
    const rows = await sql<{ id: string }[]>`
      select id from songs where ${afterId ?? null}::uuid is null or id > ${afterId ?? null}
      order by id limit ${limit}`;
    return rows.map(({ id }) => id);
  },
};

const reader = (
  ...permissions: Principal['permissions'] extends ReadonlySet<infer P> ? P[] : never
) => ({ permissions: new Set(permissions) }) as unknown as Principal;
const anna = reader('search:read', 'songs:read');

/** Search over songs, in PostgreSQL alone or with a Typesense before it. */
async function world(options: { typesense?: boolean; source?: SearchSource } = {}) {
  const stack = new AsyncDisposableStack();
  const db = stack.use(await testDatabase());
  const fake = options.typesense ? stack.use(await fakeTypesense()) : undefined;
  await db.sql`create table songs (id uuid primary key, title text, year smallint)`;
  let time = Date.now();
  const now = () => time;
  const clock = createLocalClock({ epoch: 1 });
  const write = writeOn(db.sql, clock);
  const fallback = createPostgresSearch({ sql: db.sql, schema: searchSchema });
  const primary: SearchEngine | undefined =
    fake &&
    stack.use(
      createTypesenseSearch(
        { schema: searchSchema, log: quiet, now },
        { url: fake.url, apiKey: fake.apiKey },
      ),
    );
  const jobs = createAdder();
  const search = createSearch({
    store: { sql: db.sql, write },
    cache: createCache({ clock, log: quiet, now, l1MaxBytes: 1_000_000 }),
    ...{ primary, fallback, jobs, now, log: quiet, sources: [options.source ?? songs] },
    personIds: (names) => peopleNamed(db.sql, names),
  });
  const names = primary ? ['typesense', 'postgres'] : ['postgres'];
  const changes = createSearchChanges({ jobs, engines: names, instance: 'test', now });
  const run = async (name: string, payload: object = {}) => {
    const handler = search.jobs.find(({ definition }) => definition.name === name);
    const context: JobContext = { jobId: '', attempt: 1, signal, log: quiet, progress: () => {} };
    await handler?.run(payload, context);
  };
  return {
    ...{ db, fake, search, changes, run, write },
    wait: (ms: number) => void (time += ms),
    jobs: () =>
      db.sql<{ name: string; key: string; payload: object }[]>`
        select name, key, payload from shared.jobs order by created_at, name, key`,
    async put(from: number, titles: readonly string[]) {
      const rows = titles.map((title, at) => ({ id: idOf(from + at), title, year: 1960 }));
      await write(async (tx) => {
        await tx`insert into songs ${tx(rows)}
          on conflict (id) do update set title = excluded.title`;
        await changes.changed(
          tx,
          'song',
          rows.map(({ id }) => id),
        );
      });
    },
    async drop(at: number) {
      await write(async (tx) => {
        await tx`delete from songs where id = ${idOf(at)}`;
        await changes.changed(tx, 'song', [idOf(at)]);
      });
    },
    async rebuildAll() {
      for (const engine of names) await run('search.rebuild', { engine });
    },
    async find(q: string, principal: Principal = anna) {
      const call = callOf('search', { query: { q }, principal });
      const body = await bodyOf(search.handlers.search(call));
      return { ...body, titles: body.items.map(({ title }) => title) };
    },
    [Symbol.asyncDispose]: async () => {
      const faults = fake?.faults ?? [];
      await stack[Symbol.asyncDispose]();
      expect(faults).to.deep.equal([]);
    },
  };
}

describe('search over kinds', () => {
  it('says whose the name is that was found', async () => {
    await using w = await world();
    await w.put(1, ['Feeling Good']);
    await w.run('search.index');
    const match = async () => (await w.find('simone')).items[0]?.match;
    expect(await match()).to.not.have.property('personId');
    await w.db.sql`
      insert into people (id, name, sort_name) values (${idOf(5)}, 'Nina Simone', 'simone nina')`;
    expect(await match()).to.deep.include({ field: 'person', personId: idOf(5) });
    expect((await w.find('feeling')).items[0]?.match).to.not.have.property('personId');
  });

  it('indexes what was changed, in the transaction that changed it', async () => {
    await using w = await world();
    await w.put(1, ['Feeling Good', 'Sinnerman']);
    await w
      .write(async (tx) => {
        await w.changes.changed(tx, 'song', [idOf(9)]);
        throw new Error('no');
      })
      .catch(() => undefined);
    const [row] = await w.db.sql`select count(*)::integer as count from shared.search_pending`;
    expect(row?.['count']).to.equal(2);
    await w.run('search.index');
    expect((await w.find('sinerman')).titles).to.deep.equal(['Sinnerman']);
    await w.drop(2);
    await w.run('search.index');
    expect((await w.find('sinnerman')).titles).to.deep.equal([]);
  });

  it('makes few jobs of many changes, and looks again for latecomers', async () => {
    await using w = await world();
    for (let at = 0; at < 40; at += 1) await w.put(at, [`Song ${at}`]);
    expect((await w.jobs()).map(({ key }) => key)).to.deep.equal(['changes:test']);
    await w.run('search.index');
    expect((await w.jobs()).map(({ key }) => key)).to.include('again');
    expect((await w.find('song')).total).to.equal(40);
  });

  it('answers from the cache until the index changes', async () => {
    await using w = await world();
    await w.put(1, ['Sinnerman']);
    await w.run('search.index');
    expect((await w.find('sinnerman')).total).to.equal(1);
    await w.put(2, ['Sinnerman']);
    await w.db.sql`update shared.search_documents set title = 'Changed behind its back'`;
    expect((await w.find('sinnerman')).titles).to.deep.equal(['Sinnerman']);
    await w.run('search.index');
    expect((await w.find('sinnerman')).total).to.equal(2);
  });

  it('finds only kinds the caller may read', async () => {
    await using w = await world();
    await w.put(1, ['Sinnerman']);
    await w.run('search.index');
    expect((await w.find('sinnerman', reader('search:read'))).titles).to.deep.equal([]);
    expect((await w.find('sinnerman', reader('search:read', 'songs:*'))).total).to.equal(1);
  });

  it('says where the words were found', async () => {
    await using w = await world();
    await w.put(1, ['Feeling Good']);
    await w.run('search.index');
    const [item] = (await w.find('good feel')).items;
    expect(item).to.deep.include({ kind: 'song', year: 1960, subtitle: 'A song', poster: null });
    expect(item?.match).to.deep.equal({
      field: 'title',
      text: 'Feeling Good',
      ranges: [
        { start: 0, end: 4 },
        { start: 8, end: 12 },
      ],
    });
    expect((await w.find('simone')).items[0]?.match?.field).to.equal('person');
  });

  it('filters and counts', async () => {
    await using w = await world();
    await w.put(1, ['Sinnerman']);
    await w.run('search.index');
    const ask = async (query: object) => {
      const call = callOf('search', { query: { q: 'sinn', ...query }, principal: anna });
      return bodyOf(w.search.handlers.search(call));
    };
    expect((await ask({ genre: ['Blues'] })).total).to.equal(0);
    expect((await ask({ kinds: ['movie'] })).total).to.equal(0);
    expect((await ask({ yearTo: 1959 })).total).to.equal(0);
    expect((await ask({ genre: ['Jazz'], facets: ['genre'] })).facets).to.deep.equal({
      genre: [{ value: 'Jazz', count: 1 }],
    });
  });

  it('suggests while somebody is typing', async () => {
    await using w = await world();
    await w.put(1, ['Sinnerman', 'Feeling Good']);
    await w.run('search.index');
    for (const q of ['s', 'si', 'sinn', 'sinner']) {
      const call = callOf('suggest', { query: { q }, principal: anna });
      const { items } = await bodyOf(w.search.handlers.suggest(call));
      expect(
        items.map(({ title }) => title),
        q,
      ).to.deep.equal(['Sinnerman']);
    }
  });

  it('rebuilds: what is gone leaves, what was missed comes', async () => {
    await using w = await world();
    await w.put(1, ['Sinnerman', 'Feeling Good']);
    await w.run('search.index');
    await w.db.sql`delete from songs where title = 'Sinnerman'`;
    await w.db.sql`insert into songs values (${idOf(5)}, 'Baltimore', 1978)`;
    await w.run('search.rebuild', { engine: 'postgres' });
    expect((await w.find('sinnerman')).total).to.equal(0);
    expect((await w.find('baltimore')).total).to.equal(1);
    await w.run('search.rebuild', { engine: 'unheard-of' });
  });

  it('rebuilds by itself what was never filled, and only once asks for it', async () => {
    await using w = await world({ typesense: true });
    await w.run('search.keep');
    await w.run('search.keep');
    const asked = (await w.jobs()).filter(({ name }) => name === 'search.rebuild');
    expect(asked.map(({ key }) => key)).to.have.members(['postgres', 'typesense']);
    await w.rebuildAll();
    await w.db.sql`delete from shared.jobs`;
    await w.run('search.keep');
    expect(await w.jobs()).to.deep.equal([]);
  });

  it('keeps other documents when one cannot be indexed', async () => {
    await using w = await world({ typesense: true });
    await w.rebuildAll();
    w.fake?.refuse(({ title }) => title === 'Refused');
    await w.put(1, ['Feeling Good', 'Refused', 'Sinnerman', 'Baltimore', 'Four Women']);
    await w.run('search.index');
    const [typesense] = [...(w.fake?.collections.values() ?? [])];
    expect(typesense?.documents.size).to.equal(4);
  });

  it('asks Typesense once it is filled, PostgreSQL while it is down', async () => {
    await using w = await world({ typesense: true });
    await w.put(1, ['Sinnerman']);
    await w.run('search.index');
    expect(await w.find('sinnerman')).to.deep.include({ engine: 'postgres', total: 1 });
    await w.rebuildAll();
    w.wait(6_000);
    expect(await w.find('sinner')).to.deep.include({ engine: 'typesense', total: 1 });
    w.fake?.behave('gone');
    for (const q of ['sinn', 'sinne', 'sinnerm', 'sinnerma', 'sin']) {
      expect(await w.find(q), q).to.deep.include({ engine: 'postgres', total: 1 });
    }
    expect(await w.search.health(signal).catch((error: Error) => error.message)).to.contain(
      'typesense',
    );
    w.fake?.behave('well');
    w.wait(11_000);
    expect(await w.find('si')).to.deep.include({ engine: 'typesense', total: 1 });
  });

  it('catches up when Typesense is back', async () => {
    await using w = await world({ typesense: true });
    await w.rebuildAll();
    w.fake?.behave('unavailable');
    await w.put(1, ['Sinnerman']);
    await w.run('search.index');
    const { engines } = await bodyOf(w.search.handlers.getSearchStatus(callOf('getSearchStatus')));
    expect(engines.map(({ name, pending }) => [name, pending])).to.deep.equal([
      ['typesense', 1],
      ['postgres', 0],
    ]);
    w.wait(11_000);
    w.fake?.behave('well');
    await w.run('search.keep');
    await w.run('search.index', { engine: 'typesense' });
    w.wait(31_000);
    expect(await w.find('sinnerman')).to.deep.include({ engine: 'typesense', total: 1 });
  });

  it('does not ask an engine that is far behind', async () => {
    await using w = await world({ typesense: true });
    await w.rebuildAll();
    await w.put(1, ['Sinnerman']);
    await w.run('search.index', { engine: 'postgres' });
    await w.db.sql`update shared.search_pending set noted_at = now() - interval '5 minutes'`;
    w.wait(6_000);
    expect(await w.find('sinnerman')).to.deep.include({ engine: 'postgres', total: 1 });
    await w.run('search.index');
    w.wait(31_000);
    expect(await w.find('sinnerman')).to.deep.include({ engine: 'typesense', total: 1 });
  });

  it('tells a new index of changes made while it is filled', async () => {
    await using w = await world({ typesense: true });
    await w.put(
      1,
      Array.from({ length: 600 }, (_, at) => `Number ${at}`),
    );
    await w.rebuildAll();
    const handler = w.search.jobs.find(({ definition }) => definition.name === 'search.rebuild');
    let isFirst = true;
    const changing: Promise<void>[] = [];
    const progress = () => {
      if (!isFirst) return;
      isFirst = false;
      changing.push(w.put(1, ['Changed Meanwhile']).then(() => w.run('search.index')));
    };
    const context: JobContext = { jobId: '', attempt: 1, signal, log: quiet, progress };
    await handler?.run({ engine: 'typesense' }, context);
    await Promise.all(changing);
    await w.run('search.index');
    w.wait(31_000);
    expect(await w.find('changed meanwhile')).to.deep.include({ engine: 'typesense', total: 1 });
    expect((await w.find('number')).total).to.equal(599);
  });

  it('starts a rebuild on request, once', async () => {
    await using w = await world();
    const ask = (engine?: 'postgres' | 'typesense') =>
      w.search.handlers.rebuildSearch(
        callOf('rebuildSearch', { body: engine === undefined ? undefined : { engine } }),
      );
    expect(await ask())
      .to.have.nested.property('body.jobIds')
      .with.lengthOf(1);
    expect(await ask('postgres'))
      .to.have.nested.property('body.jobIds')
      .with.lengthOf(0);
    const absent = await ask('typesense').catch((error: { code: string }) => error.code);
    expect(absent).to.equal('not-found');
  });

  it('survives whatever a file’s tags hold', async () => {
    const odd: SearchSource = {
      ...songs,
      documents: async (sql, ids) =>
        (await songs.documents(sql, ids)).map((document) => ({
          ...document,
          title: `Odd\0 \ud800 ${document.title}`,
          year: 123_456_789,
          rank: Number.NaN,
          facets: { genre: ['', 'a\0b', 'ab'] },
        })),
    };
    await using w = await world({ source: odd });
    await w.put(1, ['Sinnerman']);
    await w.run('search.index');
    expect((await w.find('sinnerman')).total).to.equal(1);
  });
});

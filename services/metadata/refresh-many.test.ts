import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, writeFiles, type TestServer } from '#test/server.ts';

type Schemas = components['schemas'];

describe('a refresh of a library', function () {
  let tmdb: FakeTmdb;
  let server: TestServer;
  let libraryId: string;
  before(async () => {
    tmdb = await startTmdb([{ id: 1, title: 'Known', date: '1990-01-01' }]);
    const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
    server = await startServer({ config });
    const names = ['Known (1990)', ...Array.from({ length: 20 }, (_, at) => `Other ${at}x (1991)`)];
    await writeFiles(
      server.films,
      Object.fromEntries(names.map((name) => [`m/${name}/${name}.mkv`, name])),
    );
    libraryId = (await server.library('Films', 'm')).id;
    await enriched(server);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  /** The works that were asked about, and how far the job says it got. */
  const refresh = async (which: 'all' | 'unmatched' | 'failed') => {
    const [{ now } = { now: new Date() }] = await server.db.sql<{ now: Date }[]>`select now()`;
    const { jobId } = await server.read<Schemas['LibraryRefreshJob']>(
      `/api/v1/libraries/${libraryId}/refresh`,
      { method: 'POST', json: { which } },
    );
    await enriched(server);
    const job = await server.read<Schemas['Job']>(`/api/v1/jobs/${jobId}`);
    const [row] = await server.db.sql<{ asked: number }[]>`
      select count(*)::int as asked from metadata_states where checked_at > ${now}`;
    return { asked: row?.asked, state: job.state };
  };

  it('asks about those that are wanted, and no others', async () => {
    expect(await refresh('all')).to.deep.equal({ asked: 21, state: 'completed' });
    expect(await refresh('unmatched')).to.deep.equal({ asked: 20, state: 'completed' });
    expect(await refresh('failed')).to.deep.equal({ asked: 0, state: 'completed' });
  });

  it('is of a library that there is', async () => {
    const none = '01890000-0000-7000-8000-000000000000';
    const { status } = await server.fetch(`/api/v1/libraries/${none}/refresh`, {
      ...{ method: 'POST', token: server.adminToken, json: {} },
    });
    expect(status).to.equal(404);
  });
});

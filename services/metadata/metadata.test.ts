import { expect } from 'chai';
import { createTestOrder } from '#test/clock.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { filmLibrary, type FilmLibrary } from '#test/films.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { toldOf, writeOn, type Told } from '#test/write.ts';
import { createCache } from '#storage/cache/index.ts';
import { createOutbound, type Outbound } from '#storage/outbound/index.ts';
import type { Offer } from '../artwork/offers.ts';
import { createContent } from '../content/index.ts';
import { editWork, type Update } from '../content/edit.ts';
import { readDetail } from '../content/movie/detail.ts';
import { editableFilms } from '../content/movie/edit.ts';
import { createAdder } from '../jobs/enqueue.ts';
import { createKeptAnswers } from '../providers/kept.ts';
import { createTmdb } from '../providers/tmdb/index.ts';
import { createMetadata, type Metadata } from './index.ts';
import { subject } from './kind.ts';

const GB = 1_000_000_000;
const images = { forItems: async () => new Map() };

const heat = {
  ...{ id: 949, title: 'Heat', date: '1995-12-15', minutes: 170, votes: 7_000 },
  ...{ imdb: 'tt0113277', otherTitles: ['Heat - Fuego contra fuego'] },
};

const trailer = { site: 'YouTube', key: 'k', type: 'Trailer' };

describe('metadata of films', () => {
  let db: TestDatabase;
  let tmdb: FakeTmdb;
  let outbound: Outbound;
  let library: FilmLibrary;
  let metadata: Metadata;
  let told: Told[];
  let offered: readonly Offer[];
  let content: ReturnType<typeof createContent>;
  const nowMs = Date.UTC(2026, 5, 1);

  before(async () => {
    db = await testDatabase();
    tmdb = await startTmdb();
    outbound = createOutbound({ trusted: [tmdb.url], userAgent: 'Revenge/test' });
  });
  after(async () => {
    await outbound[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
    await db.close();
  });

  beforeEach(async () => {
    await db.sql`delete from libraries`;
    await db.sql`delete from metadata_states`;
    await db.sql`delete from shared.jobs`;
    tmdb.films.splice(0, Infinity, heat);
    tmdb.trouble = undefined;
    tmdb.asked.length = 0;
    library = await filmLibrary(db.sql);
    ({ metadata, content } = node());
  });

  /** A node with its own caches. */
  const node = () => {
    told = [];
    const clock = createTestOrder().node();
    const now = () => nowMs;
    const cache = createCache({ clock, log: quiet, now, l1MaxBytes: 10_000_000 });
    const store = {
      sql: db.sql,
      write: writeOn(db.sql, clock, (events) => told.push(...toldOf(events))),
    };
    const search = { changed: async () => undefined };
    const films = createContent({ ...store, ...{ cache, images, search, now, random: () => 0.5 } });
    const provider = createTmdb(
      {
        ...{ outbound, cache, log: quiet, now, random: () => 0.5 },
        kept: createKeptAnswers(undefined),
        meter: { request: () => undefined, drift: () => undefined },
        pause: async () => undefined,
      },
      {
        ...{ apiKey: 'key', baseUrl: `${tmdb.url}/3` },
        budget: { take: async () => 0, rest: async () => undefined },
      },
    );
    return {
      content: films,
      metadata: createMetadata({
        artwork: { offered: async (_tx, _item, offers) => void (offered = offers) },
        ...{ store, search, log: quiet, now, random: () => 0.5, instance: 'a' },
        jobs: createAdder(),
        seesItem: async () => true,
        subjects: [subject(films.enriched.movie, [provider.film])],
      }),
    };
  };

  /** Identifies what lies in the library, as a scan does; resolves to the films by title. */
  const scan = async () => {
    const batch = await library.batch();
    const [films] = content.modules;
    await db.sql.begin(async (tx) => {
      const { added, updated } = await films!.identify(tx, batch);
      await metadata.changed(tx, 'movie', [...added, ...updated]);
    });
  };
  const run = (name: string, payload: object, signal = new AbortController().signal) => {
    const job = metadata.jobs.find(({ definition }) => definition.name === name);
    const context = { jobId: 'x', attempt: 1, signal, log: quiet, progress: () => undefined };
    return job!.run(payload, context);
  };
  /** Hands out what is due, and does it. */
  const enrich = async () => {
    await run('metadata.due', {});
    const jobs = await db.sql<{ payload: object }[]>`
      delete from shared.jobs where name = 'metadata.enrich' returning payload`;
    for (const { payload } of jobs) await run('metadata.enrich', payload);
  };
  const scanAndEnrich = async () => {
    await scan();
    await enrich();
  };
  const film = async (title?: string) => {
    const [row] = await db.sql<{ id: string }[]>`
      select id from movies where ${title === undefined ? db.sql`true` : db.sql`title = ${title}`}`;
    return (await readDetail(db.sql, images, row!.id))!.view;
  };
  const state = async () => {
    const [row] = await db.sql<
      { score: number; candidates: { id: string }[]; [key: string]: unknown }[]
    >`
      select provider, provider_id as "providerId", basis, score, candidates, problem, tries,
        given_ids as "givenIds", extras, next_at > now() + interval '7 h' as "isSettled",
        round(extract(epoch from next_at - now()))::int as "nextSeconds"
      from metadata_states`;
    return row!;
  };
  const edit = async (update: Update) => {
    const { id } = await film();
    await db.sql.begin((tx) => editWork(tx, editableFilms, { id, update, revision: undefined }));
  };
  /** The film is asked for again, as after a month. */
  const again = async () => {
    await db.sql`update metadata_states set next_at = now()`;
    ({ metadata } = node());
    await enrich();
  };

  it('fills what names left open, and says where it comes from', async () => {
    await library.put({ 'Heat (1995)/Heat.1995.1080p.mkv': 4 * GB });
    await scan();
    const { id } = await film();
    expect((await film()).overview).to.equal(null);
    await enrich();
    const view = await film();
    expect(view).to.deep.include({
      ...{ id, title: 'Heat', year: 1995, releaseDate: '1995-12-15', runtimeMs: 10_200_000 },
      ...{ overview: 'What happens in Heat.', tagline: null, certification: 'R' },
      ...{ studio: 'Regency', genres: ['Drama', 'Crime'], tags: ['heist'], rating: 7.25 },
      externalIds: { tmdb: '949', imdb: 'tt0113277' },
      ratings: [{ source: 'themoviedb', score: 7.25, votes: 7_000 }],
    });
    expect(view.sources).to.deep.include({ title: 'tmdb', overview: 'tmdb', people: 'tmdb' });
    expect(
      view.people.map(({ name, role, character }) => `${role} ${name} ${character}`),
    ).to.deep.equal([
      'actor Al Pacino Lt. Vincent Hanna',
      'actor Robert De Niro Neil McCauley',
      'director Michael Mann ',
    ]);
    expect(await state()).to.deep.include({
      ...{ provider: 'tmdb', providerId: '949', basis: 'title', score: 1, problem: null },
      ...{ candidates: [], tries: 0, isSettled: true },
    });
    expect((await state())['extras']).to.deep.include({
      certifications: { US: 'R', DE: '16' },
      otherTitles: ['Heat - Fuego contra fuego'],
    });
    expect(told.map(({ name }) => name)).to.deep.equal(['item.updated']);
    expect(offered.map(({ type, language }) => [type, language])).to.deep.equal([
      ['poster', 'en'],
      ['poster', 'fr'],
      ['backdrop', undefined],
    ]);
  });

  it('asks in the language of the library, and goes by its country', async () => {
    await db.sql`update libraries set language = 'de'`;
    tmdb.films.splice(0, 1, { ...heat, overview: '' });
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    expect(await film()).to.deep.include({ certification: '16', overview: 'In English.' });
    expect(tmdb.asked.every((path) => !path.includes('/movie') || path.includes('de-DE'))).to.equal(
      true,
    );
  });

  it('asks nothing of a film that is settled', async () => {
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    tmdb.asked.length = 0;
    await scanAndEnrich();
    await enrich();
    expect(tmdb.asked).to.deep.equal([]);
  });

  it('goes by the ids in names and NFO files before any title', async () => {
    const other = { id: 5, title: 'Heat', date: '1995-01-01', imdb: 'tt0000005', votes: 9_000 };
    tmdb.films.push(other);
    await library.put({ 'Heat (1995) [imdbid-tt0113277]/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    expect(await state()).to.deep.include({ providerId: '949', basis: 'id', score: 1 });
    expect(await state()).to.deep.include({ givenIds: { tmdb: '949' } });
    expect(tmdb.asked.some((path) => path.includes('/search/'))).to.equal(false);
  });

  it('takes none where two are as likely, and keeps both for a person', async () => {
    tmdb.films.push({ id: 5, title: 'Heat', date: '1986-11-01', votes: 6_000, minutes: 101 });
    await library.put({ 'Heat/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    const { candidates, ...rest } = await state();
    expect(rest).to.deep.include({ provider: null, providerId: null, tries: 1, isSettled: true });
    expect(candidates.map(({ id }) => id)).to.deep.equal(['949', '5']);
    expect((await film()).overview).to.equal(null);
  });

  it('tells two of one title apart by their running time', async () => {
    tmdb.films.push({ id: 5, title: 'Heat', date: '1986-11-01', votes: 6_000, minutes: 101 });
    await library.put({ 'Heat/Heat.mkv': 4 * GB });
    await scan();
    await db.sql`update movies set duration_ms = 102 * 60000`;
    await enrich();
    expect(await state()).to.deep.include({ providerId: '5', basis: 'title' });
    expect((await film()).year).to.equal(1986);
  });

  it('asks again when the running time comes to be known while it asks', async () => {
    tmdb.films.push({ id: 5, title: 'Heat', date: '1986-11-01', votes: 6_000, minutes: 101 });
    await library.put({ 'Heat/Heat.mkv': 4 * GB });
    await scan();
    const { id } = await film();
    const { respond } = tmdb;
    tmdb.respond = async (...asked) => {
      tmdb.respond = respond;
      await db.sql.begin(async (tx) => {
        await tx`update movies set duration_ms = 102 * 60000`;
        await metadata.changed(tx, 'movie', [id]);
      });
      return respond(...asked);
    };
    await enrich();
    expect(await state()).to.deep.include({ providerId: null, tries: 0 });
    await enrich();
    expect(await state()).to.deep.include({ providerId: '5', basis: 'title' });
  });

  it('takes the film people mean where the other is known to nobody', async () => {
    tmdb.films.push({ id: 5, title: 'Heat', date: '1949-01-01', votes: 1 });
    await library.put({ 'Heat/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    expect(await state()).to.deep.include({ providerId: '949' });
  });

  it('leaves what a person set or locked, whatever the provider says later', async () => {
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scan();
    await edit({ title: 'HEAT!', genres: [], tagline: null });
    await enrich();
    const mine = { title: 'HEAT!', genres: [], tagline: null };
    expect(await film()).to.deep.include({ ...mine, overview: 'What happens in Heat.' });
    await edit({ overview: 'Mine.' });
    tmdb.films.splice(0, 1, { ...heat, overview: 'Another.', more: { tagline: 'Theirs' } });
    await again();
    await scan();
    expect(await film()).to.deep.include({ ...mine, overview: 'Mine.' });
  });

  it('leaves what an NFO tells, and fills the rest', async () => {
    await library.put({
      'Heat (1995)/Heat.mkv': 4 * GB,
      'Heat (1995)/Heat.nfo':
        '<movie><title>Heat</title><plot>By hand.</plot><actor><name>A</name></actor></movie>',
    });
    await scanAndEnrich();
    const view = await film();
    expect(view).to.deep.include({ overview: 'By hand.', certification: 'R' });
    expect(view.people.map(({ name }) => name)).to.deep.equal(['A']);
    await again();
    expect((await film()).people.map(({ name }) => name)).to.deep.equal(['A']);
  });

  it('takes back what the provider does not say any more', async () => {
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    tmdb.films.splice(0, 1, { ...heat, overview: null, more: { genres: [], translations: null } });
    await again();
    const view = await film();
    expect(view).to.deep.include({ title: 'Heat', overview: null, genres: [] });
    expect(view.sources).to.not.have.any.keys('overview', 'genres');
  });

  it('looks again when a film turns out to be another, and takes all of the first back', async () => {
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    const { id } = await film();
    await library.move('Heat (1995)/Heat.mkv', 'Ronin (1998)/Ronin.mkv');
    await db.sql`delete from directories where path = 'Heat (1995)'`;
    await scanAndEnrich();
    const view = await film();
    expect(view).to.deep.include({
      ...{ id, title: 'Ronin', year: 1998, overview: null, externalIds: {}, people: [] },
    });
    expect(await state()).to.deep.include({ provider: null, givenIds: {} });
    expect(offered).to.deep.equal([]);
  });

  const passing = [
    { name: 'is down', trouble: 500, waits: [60, 120] },
    { name: 'asks for patience', trouble: 429, waits: [60, 120] },
    { name: 'does not take the key', trouble: 401, waits: [3_600, 5_400] },
  ] as const;
  for (const { name, trouble, waits } of passing) {
    it(`puts all films off while the provider ${name}, and loses none`, async () => {
      await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB, 'Ronin (1998)/Ronin.mkv': 4 * GB });
      tmdb.films.push({ id: 7, title: 'Ronin', date: '1998-09-25' });
      tmdb.trouble = trouble;
      await scanAndEnrich();
      const { nextSeconds, problem, tries } = await state();
      expect(nextSeconds).to.be.within(waits[0], waits[1]);
      expect(tries).to.equal(0);
      expect(problem).to.contain('tmdb');
      tmdb.trouble = undefined;
      await again();
      const rows = await db.sql`select from movies where overview is not null`;
      expect(rows).to.have.length(2);
    });
  }

  it('keeps what a provider told that is not asked any more', async () => {
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    await db.sql`update metadata_states set provider = 'tvdb'`;
    tmdb.films.length = 0;
    await again();
    expect((await film()).overview).to.equal('What happens in Heat.');
    expect(await state()).to.deep.include({ provider: 'tvdb', providerId: '949' });
  });

  it('puts off one film whose record cannot be read, and goes on with the others', async () => {
    tmdb.films.push({ id: 7, title: 'Ronin', date: '1998-09-25', more: { title: 5 } });
    await library.put({ 'Ronin (1998)/Ronin.mkv': 4 * GB, 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    expect((await film('Heat')).overview).to.equal('What happens in Heat.');
    const [row] = await db.sql`select tries, problem from metadata_states where tries > 0`;
    expect(row?.['problem']).to.contain('film');
  });

  for (const [what, more] of [
    ['a character that no text may have', { overview: 'A\0heist' }],
    ['half a character', { videos: { results: [{ ...trailer, name: 'A \ud83d' }] } }],
    ['more votes than there are people', { vote_count: 2 ** 40 }],
  ] as const) {
    it(`puts off one film alone of which a provider says ${what}`, async () => {
      tmdb.films.push({ id: 7, title: 'Ronin', date: '1998-09-25', more });
      await library.put({ 'Ronin (1998)/Ronin.mkv': 4 * GB, 'Heat (1995)/Heat.mkv': 4 * GB });
      await scanAndEnrich();
      expect((await film('Heat')).overview).to.equal('What happens in Heat.');
      const rows = await db.sql`select problem from metadata_states where tries > 0`;
      expect(rows).to.have.length(1);
      expect(rows[0]?.['problem']).to.match(/^tmdb: what it says of 7 cannot be kept: /);
    });
  }

  it('takes a release day that is none for none, and the rest as it is', async () => {
    const more = { release_date: '1995-02-30' };
    tmdb.films.splice(0, 1, { ...heat, more });
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    const view = await film();
    expect(view).to.deep.include({ releaseDate: null, overview: 'What happens in Heat.' });
  });

  it('leaves out what has another form, and takes the rest', async () => {
    tmdb.films.splice(0, 1, { ...heat, more: { genres: 'Drama', runtime: 'long', credits: [] } });
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    expect(await film()).to.deep.include({ genres: [], runtimeMs: null, certification: 'R' });
  });

  it('forgets a film with what was known of it', async () => {
    await library.put({ 'Heat (1995)/Heat.mkv': 4 * GB });
    await scanAndEnrich();
    await db.sql.begin((tx) => content.modules[0]!.remove!(tx, { libraryId: library.id }));
    expect(await db.sql`select from metadata_states`).to.have.length(0);
  });
});

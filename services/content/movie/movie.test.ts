import { expect } from 'chai';
import fc from 'fast-check';
import type { Call, Handler, OperationId } from '#api/handler.ts';
import { createTestOrder } from '#test/clock.ts';
import { filmLibrary } from '#test/films.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { toldOf, writeOn, type Told } from '#test/write.ts';
import { createCache } from '#storage/cache/index.ts';
import type { Principal } from '../../principal.ts';
import { createProgress } from '../../progress/index.ts';
import { createContent } from '../index.ts';

/** The film and progress API on a database of its own, without HTTP. */
function api(db: TestDatabase, nowMs: () => number) {
  const clock = createTestOrder().node();
  const cache = createCache({ clock, log: quiet, now: nowMs, l1MaxBytes: 10_000_000 });
  const published: Told[] = [];
  const write = writeOn(db.sql, clock, (told) => published.push(...toldOf(told)));
  const changed: string[] = [];
  const content = createContent({
    sql: db.sql,
    write,
    cache,
    images: { forItems: async () => new Map() },
    search: { changed: async (_tx, _kind, ids) => void changed.push(...ids) },
    now: nowMs,
    random: () => 0.5,
  });
  const progress = createProgress({
    ...{ sql: db.sql, write, kinds: content.kinds, compounds: [] },
    now: async () => nowMs(),
  });
  return { content, progress, published, changed, write };
}

const principal = (userId: string): Principal => ({
  userId,
  username: 'ann',
  role: 'admin',
  via: 'session',
  credentialId: 'x',
  permissions: new Set(),
});

type Asked<Id extends OperationId> = Partial<Pick<Call<Id>, 'params' | 'query' | 'body'>> & {
  headers?: Record<string, string>;
};

async function ask<Id extends OperationId>(
  handler: Handler<Id>,
  userId: string,
  asked: Asked<Id> = {},
): Promise<{ body: never; headers?: Record<string, string> }> {
  const request = {
    id: 'r',
    ip: '127.0.0.1',
    userAgent: undefined,
    headers: asked.headers ?? {},
    method: 'GET',
    signal: new AbortController().signal,
  };
  const call = {
    params: {},
    query: {},
    body: undefined,
    ...asked,
    principal: principal(userId),
    request,
  };
  return (await handler(call as unknown as Call<Id>)) as never;
}

const GB = 1_000_000_000;

/** What a promise rejects with. */
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('films', () => {
  let db: TestDatabase;
  let userId: string;
  const nowMs = Date.UTC(2026, 5, 1);
  before(async () => {
    db = await testDatabase();
    const [user] = await db.sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('ann', 'user') returning id`;
    userId = user!.id;
  });
  after(() => db.close());

  type Page = { items: { id: string; title: string }[]; nextCursor: string | null; total?: number };

  describe('lists', () => {
    beforeEach(() => db.sql`delete from libraries`);

    const fill = async (rows: readonly object[]) => {
      const [library] = await db.sql<{ id: string }[]>`
        insert into libraries (kind, name) values ('movie', 'L') returning id`;
      await db.sql`
        insert into movies (library_id, title, sort_title, identity, year, release_date, rating,
          duration_ms, size_bytes, genres, is_available, added_at)
        select ${library!.id}, title, lower(title), title, year, "releaseDate", rating,
          "durationMs", "sizeBytes", genres, "isAvailable", "addedAt"
        from jsonb_to_recordset(${db.sql.json(rows as never)}) as r (
          title text, year smallint, "releaseDate" date, rating real, "durationMs" bigint,
          "sizeBytes" bigint, genres text[], "isAvailable" boolean, "addedAt" timestamptz)`;
      return library!.id;
    };
    const row = fc.record({
      title: fc.constantFrom('a', 'b', 'b b', 'c', 'é', '#1', 'z'),
      year: fc.option(fc.constantFrom(1999, 2000, 2001)),
      releaseDate: fc.option(fc.constantFrom('1999-01-01', '2000-02-29')),
      rating: fc.option(fc.constantFrom(0.1, 7.3, 8.699999)),
      durationMs: fc.option(fc.constantFrom(1, 7_200_000)),
      sizeBytes: fc.constantFrom(0, 1, 9_000_000_000),
      genres: fc.subarray(['Drama', 'War']),
      isAvailable: fc.boolean(),
      addedAt: fc.constantFrom('2026-01-01T00:00:00.123456Z', '2026-01-01T00:00:00.123457Z'),
    });
    const sorts = [
      'title',
      'added',
      'year',
      'released',
      'duration',
      'size',
      'rating',
      'random',
    ] as const;

    it('gives every film exactly once, in order, whatever is equal or missing', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            rows: fc.array(row, { maxLength: 25 }),
            sort: fc.constantFrom(...sorts),
            order: fc.constantFrom('asc' as const, 'desc' as const),
            limit: fc.integer({ min: 1, max: 7 }),
          }),
          async ({ rows, sort, order, limit }) => {
            await db.sql`delete from libraries`;
            await fill(rows);
            const { handlers } = api(db, () => nowMs).content;
            const seen: string[] = [];
            let cursor: string | null = null;
            do {
              const query = { sort, order, limit, ...(cursor === null ? {} : { cursor }) };
              const page = (await ask(handlers.listMovies, userId, { query })).body as Page;
              expect(page.items.length).to.be.at.most(limit);
              seen.push(...page.items.map(({ id }) => id));
              cursor = page.nextCursor;
            } while (cursor !== null);
            expect(new Set(seen).size).to.equal(seen.length);
            expect(seen.length).to.equal(rows.length);
            if (sort === 'random') return;
            const query = { sort, order, offset: 0, limit: 200 };
            const whole = (await ask(handlers.listMovies, userId, { query })).body as Page;
            expect(seen).to.deep.equal(whole.items.map(({ id }) => id));
            expect(whole.total).to.equal(rows.length);
          },
        ),
        { numRuns: 60 },
      );
    });

    it('filters', async () => {
      const base = {
        rating: null,
        durationMs: null,
        sizeBytes: 1,
        addedAt: '2026-01-01T00:00:00Z',
      };
      const libraryId = await fill([
        { ...base, title: 'Alien', year: 1979, genres: ['Horror'], isAvailable: true },
        { ...base, title: 'Brazil', year: 1985, genres: ['Comedy'], isAvailable: true },
        {
          ...base,
          title: '12 Monkeys',
          year: 1995,
          genres: ['Horror', 'Drama'],
          isAvailable: false,
        },
      ]);
      await db.sql`update movies set resolutions = '{1080p}', hdr_kinds = '{SDR}',
        video_codecs = '{h264}', audio_languages = '{de,en}', collection = 'Imagination'
        where title = 'Brazil'`;
      const { content, progress } = api(db, () => nowMs);
      const [{ id: brazil } = { id: '' }] = await db.sql<{ id: string }[]>`
        select id from movies where title = 'Brazil'`;
      const params = { kind: 'movie' as const, itemId: brazil };
      await ask(progress.handlers.markWatched, userId, { params });
      await ask(progress.handlers.addFavourite, userId, { params });
      const titles = async (query: object) => {
        const page = await ask(content.handlers.listMovies, userId, { query });
        return (page.body as Page).items.map(({ title }) => title).join(',');
      };
      const all = '12 Monkeys,Alien,Brazil';
      const cases: [query: object, expected: string][] = [
        [{}, all],
        [{ genre: ['Horror'] }, '12 Monkeys,Alien'],
        [{ genre: ['Drama', 'Comedy'] }, '12 Monkeys,Brazil'],
        [{ collection: ['Imagination', 'Alien'] }, 'Brazil'],
        [{ collection: ['imagination'] }, ''],
        [{ year: 1979 }, 'Alien'],
        [{ yearFrom: 1980, yearTo: 1990 }, 'Brazil'],
        [{ resolution: ['1080p'], videoCodec: ['h264'], hdr: ['SDR'], language: ['de'] }, 'Brazil'],
        [{ language: ['fr'] }, ''],
        [{ watched: true }, 'Brazil'],
        [{ watched: false }, '12 Monkeys,Alien'],
        [{ favourite: true }, 'Brazil'],
        [{ favourite: false }, '12 Monkeys,Alien'],
        [{ watchlist: true }, ''],
        [{ available: false }, '12 Monkeys'],
        [{ available: true }, 'Alien,Brazil'],
        [{ addedSince: '2026-01-02T00:00:00Z' }, ''],
        [{ letter: 'a' }, 'Alien'],
        [{ letter: '#' }, '12 Monkeys'],
        [{ titlePrefix: 'The BRA' }, 'Brazil'],
        [{ library: [libraryId] }, all],
        [{ library: [brazil] }, ''],
      ];
      for (const [query, expected] of cases) {
        expect(await titles(query), JSON.stringify(query)).to.equal(expected);
      }
      const { body: filters } = await ask(content.handlers.getMovieFilters, userId);
      expect(filters).to.deep.equal({
        genres: [
          { value: 'Horror', count: 2 },
          { value: 'Comedy', count: 1 },
          { value: 'Drama', count: 1 },
        ],
        resolutions: [{ value: '1080p', count: 1 }],
        videoCodecs: [{ value: 'h264', count: 1 }],
        hdr: [{ value: 'SDR', count: 1 }],
        languages: [
          { value: 'de', count: 1 },
          { value: 'en', count: 1 },
        ],
        decades: [
          { value: '1970', count: 1 },
          { value: '1980', count: 1 },
          { value: '1990', count: 1 },
        ],
        certifications: [],
        letters: [
          { value: '#', count: 1 },
          { value: 'a', count: 1 },
          { value: 'b', count: 1 },
        ],
      });
      const { body: genres } = await ask(content.handlers.listMovieGenres, userId);
      expect((genres as { items: { value: string }[] }).items[0]).to.deep.equal({
        value: 'Comedy',
        count: 1,
      });
    });

    it('refuses cursors that are not its own', async () => {
      const { handlers } = api(db, () => nowMs).content;
      const encode = (...values: unknown[]) =>
        Buffer.from(JSON.stringify(values)).toString('base64url');
      const id = '01890000-0000-7000-8000-000000000000';
      const wrong = [
        'x',
        encode('movies added desc', 'first', '2026-01-01 00:00:00+00', id),
        encode('movies title asc', 'first', 'a', 'not an id'),
        encode('movies title asc', 'second', null, id),
        encode('movies title asc', 'first', 7, id),
        encode('movies title asc'),
      ];
      for (const cursor of wrong) {
        const error = await failure(ask(handlers.listMovies, userId, { query: { cursor } }));
        expect(error, cursor).to.have.property('code', 'invalid-cursor');
      }
      const unreal = [
        ['added', '2026-13-41 00:00:00+00'],
        ['added', '0000-01-01 00:00:00+00'],
        ['released', '2024-02-30'],
        ['released', '0000-01-01'],
      ] as const;
      for (const [sort, time] of unreal) {
        const cursor = encode(`movies ${sort} desc`, 'first', time, id);
        const error = await failure(ask(handlers.listMovies, userId, { query: { cursor, sort } }));
        expect(error, time).to.have.property('code', 'invalid-cursor');
      }
    });
  });

  describe('one film', () => {
    const stream = (more: object) => ({ isDefault: false, isForced: false, codec: 'x', ...more });
    const probe = (width: number, height: number) => ({
      container: 'matroska',
      durationMs: 6_000_000.4,
      bitrate: 5_000_000,
      tags: {},
      chapters: [{ startMs: 0, endMs: 1000.2, title: 'One' }],
      streams: [
        stream({
          index: 0,
          type: 'video',
          codec: 'hevc',
          width,
          height,
          hdr: 'HDR10',
          interlaced: false,
        }),
        stream({ index: 1, type: 'audio', codec: 'eac3', channels: 6, language: 'ger' }),
        stream({ index: 2, type: 'subtitle', language: 'eng', isHearingImpaired: true }),
      ],
    });

    it('tells versions, streams, extras, subtitles, and follows its files', async () => {
      const library = await filmLibrary(db.sql);
      await library.put({
        'Heat (1995)/Heat (1995) - 1080p.mkv': GB,
        'Heat (1995)/Heat (1995) - 2160p.mkv': 4 * GB,
        'Heat (1995)/Heat (1995) - 1080p.de.srt': 10,
        'Heat (1995)/Heat (1995)-trailer.mp4': 10,
      });
      const { content, published } = api(db, () => nowMs);
      const [module] = content.modules;
      const batch = await library.batch();
      const { added } = await db.sql.begin((tx) => module!.identify(tx, batch));
      const id = added[0]!;
      await db.sql`update files set probe = ${db.sql.json(probe(1920, 800))}, probe_state = 'done'
        where library_id = ${library.id} and name like '%1080p.mkv'`;
      await db.sql`update files set probe = ${db.sql.json(probe(3840, 2160))}, probe_state = 'done'
        where library_id = ${library.id} and name like '%2160p.mkv'`;
      await db.sql.begin((tx) => module!.refresh(tx, [id]));
      const read = async () => ask(content.handlers.getMovie, userId, { params: { movieId: id } });
      const { body, headers } = await read();
      expect(body).to.containSubset({
        title: 'Heat',
        year: 1995,
        resolutions: ['1080p', '2160p'],
        hdrKinds: ['HDR10'],
        durationMs: 6_000_000,
        isAvailable: true,
        match: { chosen: { from: 'file', title: 'Heat' }, path: 'Heat (1995)' },
        userState: { positionMs: 0, isWatched: false },
        extras: [{ type: 'trailer' }],
        subtitles: [{ language: 'de', format: 'srt' }],
        versions: [{ label: '2160p' }, { label: '1080p', files: [{ container: 'matroska' }] }],
      });
      const [version] = (body as { versions: { files: { streams: object[] }[] }[] }).versions;
      expect(version!.files[0]!.streams[1]).to.include({ language: 'de', channels: 6 });

      const etag = headers!['ETag']!;
      const patch = (update: object, match?: string) =>
        ask(content.handlers.updateMovie, userId, {
          params: { movieId: id },
          body: update,
          ...(match === undefined ? {} : { headers: { 'if-match': match } }),
        });
      const { body: edited } = await patch({ title: 'The Heat', genres: ['Crime'] }, etag);
      expect(edited).to.include({ title: 'The Heat', sortTitle: 'heat' });
      expect((edited as { lockedFields: string[] }).lockedFields).to.deep.equal([
        'genres',
        'title',
      ]);
      expect(published.at(-1)).to.include({ name: 'item.updated' });
      const stale = await failure(patch({ year: 1996 }, etag));
      expect(stale).to.have.property('code', 'precondition-failed');

      expect(await db.sql.begin((tx) => module!.identify(tx, batch))).to.deep.equal({
        added: [],
        updated: [],
      });
      const opened = await patch({ lockedFields: [] });
      expect((opened.body as { lockedFields: string[] }).lockedFields).to.deep.equal([]);
      await db.sql.begin((tx) => module!.identify(tx, batch));
      const [row] = await db.sql`select title, genres from movies where id = ${id}`;
      expect(row).to.deep.equal({ title: 'Heat', genres: ['Crime'] });

      await library.lose('Heat (1995)/Heat (1995) - 2160p.mkv');
      await db.sql.begin((tx) => module!.refresh(tx, [id]));
      await library.lose('Heat (1995)/Heat (1995) - 1080p.mkv');
      const one = await db.sql`select resolutions, is_available from movies where id = ${id}`;
      expect(one[0]).to.deep.equal({ resolutions: ['1080p'], is_available: true });
      await db.sql.begin((tx) => module!.refresh(tx, [id]));
      const gone = await db.sql`select resolutions, is_available from movies where id = ${id}`;
      expect(gone[0]).to.deep.equal({ resolutions: ['1080p'], is_available: false });

      const [document] = await content.searchSources[0]!.documents(db.sql, [id]);
      expect(document).to.deep.include({ title: 'Heat', year: 1995 });
      expect(await content.searchSources[0]!.idsAfter(db.sql, undefined, 500)).to.include(id);
      await db.sql.begin((tx) => module!.remove!(tx, { itemIds: [id] }));
      expect(await db.sql`select from movies where id = ${id}`).to.have.length(0);
    });

    it('is not found when there is none', async () => {
      const { content } = api(db, () => nowMs);
      const params = { movieId: '01890000-0000-7000-8000-000000000000' };
      const error = await failure(ask(content.handlers.getMovie, userId, { params }));
      expect(error).to.have.property('code', 'not-found');
    });

    it('forgets all films of a library', async () => {
      const library = await filmLibrary(db.sql);
      await library.put({ 'A (2000).mkv': GB, 'B (2001).mkv': GB });
      const { content } = api(db, () => nowMs);
      const batch = await library.batch();
      await db.sql.begin((tx) => content.modules[0]!.identify(tx, batch));
      await db.sql.begin((tx) => content.modules[0]!.remove!(tx, { libraryId: library.id }));
      expect(await db.sql`select from movies where library_id = ${library.id}`).to.have.length(0);
    });
  });
});

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { createLocalClock } from '#cluster/clock.ts';
import { createCache } from '#storage/cache/index.ts';
import { filmLibrary } from '#test/films.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { bodyOf, callOf, codeOf } from '#test/users.ts';
import { writeOn } from '#test/write.ts';
import { createContent } from '../content/index.ts';
import type { Permission, Principal } from '../principal.ts';
import { saveShelf } from '../progress/store.ts';
import { replaceCredits, type Credit } from './index.ts';
import { createPeoplePages } from './pages.ts';
import { peopleNamed } from './store.ts';

type Page = components['schemas']['PersonWorkPage'];

const credit = (name: string, role: Credit['role'], character = ''): Credit => ({
  ...{ name, role, character },
  position: 0,
});

describe('the page of a person', () => {
  let db: TestDatabase;
  let userId: string;
  let pages: ReturnType<typeof createPeoplePages>;
  let libraries: { readonly movie: string; readonly series: string };

  before(async () => {
    db = await testDatabase();
    const { sql } = db;
    const clock = createLocalClock({ epoch: 1 });
    const { credited, kinds } = createContent({
      ...{ sql, write: writeOn(sql, clock), now: Date.now, random: () => 0 },
      cache: createCache({ clock, log: quiet, now: Date.now, l1MaxBytes: 1_000_000 }),
      images: { forItems: async () => new Map() },
      search: { changed: async () => undefined },
    });
    pages = createPeoplePages({ sql, credited, kinds });
    const [user] = await sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('ann', 'user') returning id`;
    userId = user!.id;
    libraries = {
      movie: (await filmLibrary(sql)).id,
      series: (await filmLibrary(sql, 'Series', 'series')).id,
    };
  });
  after(() => db.close());

  async function add(
    kind: 'movie' | 'series',
    work: { readonly title: string; readonly year?: number; readonly day?: string },
    credits: readonly Credit[],
  ): Promise<string> {
    const { title, year = null, day = null } = work;
    const [table, dayColumn] =
      kind === 'movie' ? ['movies', 'release_date'] : ['series', 'premiered'];
    const [row] = await db.sql<{ id: string }[]>`
      insert into ${db.sql(table)}
        (library_id, title, sort_title, identity, year, ${db.sql(dayColumn)})
      values (${libraries[kind]}, ${title}, ${title.toLowerCase()}, ${title}, ${year}, ${day})
      returning id`;
    await db.sql.begin((tx) => replaceCredits(tx, kind, [{ itemId: row!.id, credits }]));
    return row!.id;
  }
  const idOf = async (name: string) => (await peopleNamed(db.sql, [name])).get(name)!;
  const caller = (...permissions: Permission[]): Principal => ({
    ...{ userId, username: 'ann', role: 'user', via: 'session', credentialId: 'x' },
    permissions: new Set(permissions),
  });
  const both = () => caller('movies:read', 'series:read');
  const getPerson = (personId: string, principal = both()) =>
    bodyOf(pages.handlers.getPerson(callOf('getPerson', { params: { personId }, principal })));
  const works = (personId: string, query = {}, principal = both()): Promise<Page> =>
    bodyOf(
      pages.handlers.listPersonWorks(
        callOf('listPersonWorks', { params: { personId }, query, principal }),
      ),
    );
  const told = ({ items }: Page) =>
    items.map(({ kind, title, year, credits }) => [
      `${kind} ${title} ${year}`,
      ...credits.map(({ role, character }) => `${role} ${character}`.trim()),
    ]);

  it('lists films and series, the newest first, with all that somebody did for each', async () => {
    await add('movie', { title: 'Unknown' }, [credit('Ann Lee', 'writer')]);
    await add('movie', { title: 'Late', year: 2001, day: '2001-12-24' }, [
      credit('Ann Lee', 'director'),
      credit('Ann Lee', 'actor', 'Zoe'),
      credit('Bob Orr', 'actor', 'Max'),
    ]);
    await add('series', { title: 'Show', year: 2001, day: '2001-12-25' }, [
      credit('Ann Lee', 'actor', 'Eve'),
    ]);
    await add('movie', { title: 'Early', year: 2001 }, [credit('Ann Lee', 'composer')]);
    const id = await idOf('Ann Lee');
    expect(await getPerson(id)).to.deep.equal({ id, name: 'Ann Lee', workCount: 4 });
    expect(told(await works(id))).to.deep.equal([
      ['series Show 2001', 'actor Eve'],
      ['movie Late 2001', 'actor Zoe', 'director'],
      ['movie Early 2001', 'composer'],
      ['movie Unknown null', 'writer'],
    ]);
  });

  it('is read in pages that leave nothing out and tell nothing twice', async () => {
    const titles = ['A', 'B', 'C', 'D', 'E'];
    for (const title of titles) {
      await add('movie', { title, year: 1999 }, [credit('Cy Day', 'actor')]);
    }
    const id = await idOf('Cy Day');
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await works(id, { limit: 2, ...(cursor === '' ? {} : { cursor }) });
      seen.push(...page.items.map(({ title }) => title));
      cursor = page.nextCursor;
    }
    expect(seen).to.deep.equal(titles.toReversed());
    const { nextCursor } = await works(id, { limit: 2 });
    const other = await idOf('Ann Lee');
    expect(await codeOf(works(other, { cursor: nextCursor }))).to.equal('invalid-cursor');
    expect(await codeOf(works(id, { cursor: 'x' }))).to.equal('invalid-cursor');
  });

  it('shows what the viewer has done with the works', async () => {
    const itemId = await add('series', { title: 'Liked' }, [credit('Di Fox', 'producer')]);
    const key = { userId, kind: 'series', itemId };
    await db.sql.begin((tx) => saveShelf(tx, key, { shelf: 'favourite', atMs: 1 }));
    const { items } = await works(await idOf('Di Fox'));
    expect(items[0]?.userState.isFavourite).to.equal(true);
  });

  it('is only of works that the caller may see, and else there is nobody', async () => {
    await add('series', { title: 'Hers' }, [credit('Eve Gil', 'actor')]);
    await add('movie', { title: 'His' }, [credit('Flo Hay', 'actor')]);
    await add('series', { title: 'Theirs' }, [credit('Flo Hay', 'actor')]);
    const [eve, flo] = [await idOf('Eve Gil'), await idOf('Flo Hay')];
    const films = caller('movies:read');
    expect(await codeOf(getPerson(eve, films))).to.equal('not-found');
    expect(await codeOf(works(eve, {}, films))).to.equal('not-found');
    expect((await getPerson(flo, films)).workCount).to.equal(1);
    expect((await works(flo, {}, films)).items.map(({ title }) => title)).to.deep.equal(['His']);
    expect(await codeOf(getPerson(flo, caller()))).to.equal('not-found');
    expect(await codeOf(getPerson(randomUUID()))).to.equal('not-found');
  });
});

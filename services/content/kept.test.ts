import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { createTestOrder } from '#test/clock.ts';
import { filmLibrary, type FilmLibrary } from '#test/films.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { writeOn } from '#test/write.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { createCache } from '#storage/cache/index.ts';
import { editWork } from './edit.ts';
import { createContent } from './index.ts';
import type { Kind } from './module.ts';
import { editableFilms } from './movie/edit.ts';
import { editableSeries } from './series/edit.ts';

const gigabyte = 1e9;
const releases = [' 1080p', ' 720p x264-AA', ' 1080p WEB-DL-BB', ' 2160p BluRay-CC', '.HDTV-DD'];
const titles = ['Alpha', 'Bravo', 'Casino', 'Delta', 'Echoes', 'Foxes', 'Golfer', 'Hotels'];

/** What happens to the files of a work, and which scans see it. */
const steps = [
  'rename', // all files at once
  'rename one by one', // with a scan after each
  'replace', // old and new are never seen together, nor is neither
  'replace, old and new seen', // a scan while both are there
  'replace, gone meanwhile', // a scan while neither is there
  'replace all',
  'replace all, folder too', // of the same title and year
  'rescan',
  'nfo',
  'forget', // rows of missing files, after their time
] as const;
const step = fc.record({
  what: fc.constantFrom(...steps),
  release: fc.constantFrom(...releases),
  which: fc.nat(9),
  isWhole: fc.boolean(),
});
const history = fc.record({
  isFlat: fc.boolean(),
  count: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'));

/** What the files of a work are called, and another's beside them. */
function createNames(kind: Kind, isFlat: boolean) {
  const isFilm = kind === 'movie';
  const season = isFilm ? '' : '/Season 1';
  let [title, year, renamed, tag] = ['Zulu', 1995, 0, ''];
  // Of one that is named like a series, everything is that series'.
  const flat = isFilm ? 'Flat' : 'TV';
  const named = () => `${title} (${year})`;
  const home = () => `${named()}${tag}`;
  const folder = () => (isFlat ? flat : `${home()}${season}`);
  const other = `Other (2000)${isFilm ? '' : ' S01E01'}.mkv`;
  return {
    home,
    other: isFlat ? `${flat}/${other}` : `Other (2000)${season}/${other}`,
    path(nth: number, release: string) {
      const cut = nth === 0 ? '' : ` - Cut${nth}`;
      return `${folder()}/${named()}${isFilm ? cut : ` S01E0${nth + 1}`}${release}.mkv`;
    },
    nextFolder() {
      tag = tag === '' ? ' [1080p]' : '';
    },
    next() {
      title = titles[renamed % titles.length]!;
      [year, renamed] = [year + 1, renamed + 1];
    },
  };
}

interface Story {
  readonly kind: Kind;
  readonly isFlat: boolean;
  readonly library: FilmLibrary;
  readonly names: ReturnType<typeof createNames>;
  readonly scan: (folders?: readonly string[]) => Promise<void>;
  files: string[];
  /** An NFO file has told of it. */
  isTold: boolean;
}

describe('what people set of a work', function () {
  this.timeout(180_000);
  let db: TestDatabase;
  let content: ReturnType<typeof createContent>;
  let userId: string;

  before(async () => {
    db = await testDatabase();
    const clock = createTestOrder().node();
    content = createContent({
      ...{ sql: db.sql, write: writeOn(db.sql, clock), now: Date.now, random: () => 0.5 },
      cache: createCache({ clock, log: quiet, now: Date.now, l1MaxBytes: 1_000_000 }),
      images: { forItems: async () => new Map() },
      search: { changed: async () => undefined },
    });
    userId = await addUser(db.sql);
  });
  after(() => db.close());

  const begin = async (kind: Kind, { isFlat, count }: History): Promise<Story> => {
    await db.sql`delete from libraries`;
    await db.sql`delete from external_ids`;
    const library = await filmLibrary(db.sql, undefined, kind);
    const names = createNames(kind, isFlat);
    const files = Array.from({ length: count }, (_, nth) => names.path(nth, ''));
    await library.put(Object.fromEntries([...files, names.other].map((f) => [f, gigabyte])));
    const module = content.modules.find((one) => one.kind === kind)!;
    const scan: Story['scan'] = async (folders) => {
      const batch = await library.batch(folders);
      await db.sql.begin((tx) => module.identify(tx, batch));
    };
    await scan();
    await setByHand(db.sql, { kind, path: files[0]!, userId });
    return { kind, isFlat, library, names, scan, files, isTold: false };
  };

  for (const kind of ['movie', 'series'] as const) {
    it(`stays with it whatever becomes of its files: ${kind}`, async () => {
      await fc.assert(
        fc.asyncProperty(history, async (past) => {
          const story = await begin(kind, past);
          await expectKept(db.sql, story, userId);
          for (const one of past.steps) {
            await happen(db.sql, story, one);
            await expectKept(db.sql, story, userId);
          }
        }),
        { numRuns: 20, seed: 2026 },
      );
    });
  }
});

async function addUser(sql: Sql): Promise<string> {
  const id = randomUUID();
  await sql`
    insert into shared.users (id, username, password_hash, role)
    values (${id}, 'viewer', 'none', 'user')`;
  return id;
}

const columnsOf = (sql: Sql, kind: Kind) => ({
  works: sql(kind === 'movie' ? 'movies' : 'series'),
  seen: kind === 'movie' ? sql`f.item_id` : sql`l.episode_id`,
});

/** Edits of the work, its season and its first episode; the film, or episode, is seen. */
async function setByHand(
  sql: Sql,
  { kind, path, userId }: { kind: Kind; path: string; userId: string },
): Promise<void> {
  const [row] = await sql<{ itemId: string; seenId: string }[]>`
    select f.item_id as "itemId", ${columnsOf(sql, kind).seen} as "seenId"
    from files f left join episode_files l on l.file_id = f.id where f.path = ${path}`;
  const { itemId, seenId } = row!;
  const edit = { id: itemId, update: { overview: 'By me', title: 'Mine' }, revision: undefined };
  await sql.begin((tx) => editWork(tx, kind === 'movie' ? editableFilms : editableSeries, edit));
  await sql`update episodes set edits = '{"title":"Episode"}' where id = ${seenId}`;
  await sql`update seasons set edits = '{"title":"Season"}' where series_id = ${itemId}`;
  await sql`
    insert into user_items (user_id, kind, item_id, watched_at)
    values (${userId}, ${kind === 'movie' ? 'movie' : 'episode'}, ${seenId}, now())`;
}

async function expectKept(sql: Sql, { kind, files, names }: Story, userId: string) {
  const { works, seen } = columnsOf(sql, kind);
  const rows = await sql<{ path: string; overview: string | null; [field: string]: unknown }[]>`
    select f.path, w.title, w.overview, e.edits->>'title' as episode, s.edits->>'title' as season,
      u.watched_at is not null as "isSeen"
    from files f join ${works} w on w.id = f.item_id
    left join episode_files l on l.file_id = f.id
    left join episodes e on e.id = l.episode_id
    left join seasons s on s.id = e.season_id
    left join user_items u on u.user_id = ${userId} and u.item_id = ${seen}
    where f.missing_since is null and f.role = 'video'`;
  const of = (path: string) => rows.find((row) => row.path === path);
  const season = kind === 'movie' ? null : 'Season';
  for (const path of files) {
    expect(of(path), path).to.include({ overview: 'By me', title: 'Mine', season });
  }
  const episode = kind === 'movie' ? null : 'Episode';
  expect(of(files[0]!)).to.include({ episode, isSeen: true });
  expect(of(names.other)?.overview).to.not.equal('By me');
}

async function happen(sql: Sql, story: Story, one: Step): Promise<void> {
  const { what, isWhole } = one;
  const { scan, files } = story;
  switch (what) {
    case 'rename':
    case 'rename one by one':
      return rename(sql, story, one);
    case 'replace all, folder too':
      // An NFO that calls it something else is left behind: then nothing says that it is the same.
      if (!story.isTold) story.names.nextFolder();
      for (const nth of files.keys()) await replace(story, nth, one);
      return scan();
    case 'replace all':
      for (const nth of files.keys()) await replace(story, nth, one);
      break;
    case 'replace':
    case 'replace, old and new seen':
    case 'replace, gone meanwhile':
      await replace(story, one.which % files.length, one);
      break;
    case 'nfo':
      return addNfo(sql, story, one.which + 1);
    case 'forget':
      await sql`delete from files where missing_since is not null`;
      break;
    case 'rescan':
      break;
  }
  await scan(isWhole ? undefined : foldersOf(story));
}

const foldersOf = ({ files }: Story) => [...new Set(files.map(folderOf))];

async function rename(sql: Sql, story: Story, { what, release, isWhole }: Step): Promise<void> {
  const { library, names, scan } = story;
  names.next();
  const next = story.files.map((_, nth) => names.path(nth, release));
  for (const [nth, path] of story.files.entries()) {
    await library.move(path, next[nth]!);
    if (what === 'rename one by one') await scan([folderOf(next[nth]!)]);
  }
  story.files = next;
  await sql`
    delete from directories d where d.path like '%(%'
      and not exists (select from files f where f.directory_id = d.id)
      and not exists (select from directories c where c.path like d.path || '/%')`;
  await scan(isWhole ? undefined : foldersOf(story));
}

let replaced = 0;

async function replace(story: Story, nth: number, { what, release }: Step): Promise<void> {
  const { library, names, scan, files } = story;
  const old = files[nth]!;
  const next = names.path(nth, `${release}${(replaced += 1)}`);
  if (what !== 'replace, old and new seen') await library.lose(old);
  if (what === 'replace, gone meanwhile') await scan(foldersOf(story));
  await library.put({ [next]: 2 * gigabyte });
  if (what === 'replace, old and new seen') {
    await scan(foldersOf(story));
    await library.lose(old);
  }
  files[nth] = next;
}

async function addNfo(sql: Sql, story: Story, id: number): Promise<void> {
  const { kind, isFlat, library, names, scan } = story;
  if (isFlat) return;
  const root = kind === 'movie' ? 'movie' : 'tvshow';
  const path = `${names.home()}/${root}.nfo`;
  await sql`delete from files where path = ${path}`;
  const says = `<title>Told ${id}</title><uniqueid type="tmdb">${id}</uniqueid>`;
  await library.put({ [path]: `<${root}>${says}</${root}>` });
  story.isTold = true;
  await scan([names.home()]);
}

/** Where NFO files of works lie, and what they are to say. */
import type { Queryable } from '#storage/postgres/connect.ts';
import { splitName } from '../naming/extensions.ts';
import { workFolder } from '../naming/path.ts';
import { readPlace } from '../naming/places.ts';
import type { Kind } from './module.ts';
import { filmToTell } from './movie/nfo-write.ts';
import { episodesToTell, showToTell } from './series/nfo-write.ts';

/** An NFO file that is to be there. */
export interface NfoTarget {
  readonly rootId: string;
  /** The root it lies in. */
  readonly root: string;
  /** Relative to the root. */
  readonly path: string;
  /** XML, without our mark. */
  readonly text: string;
}

interface Video {
  readonly id: string;
  readonly name: string;
  readonly rootId: string;
  readonly root: string;
  readonly directory: string;
}

const join = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
const besideOf = ({ directory, name }: Video): string =>
  join(directory, `${splitName(name).stem}.nfo`);

/** The videos of a work that are there now, of parts the first. */
const videosOf = (sql: Queryable, id: string): Promise<Video[]> => sql<Video[]>`
  select f.id, f.name, f.root_id as "rootId", r.path as root, d.path as directory
  from files f join directories d on d.id = f.directory_id
  join library_roots r on r.id = f.root_id and r.removed_at is null
  where f.item_id = ${id} and f.role = 'video' and f.missing_since is null
    and r.unavailable_since is null and not f.facts ? 'auxiliary' and coalesce(f.part, 1) = 1
  order by f.path, f.id`;

/** Whether no video of another work lies in a folder or below it. */
async function isOwn(
  sql: Queryable,
  id: string,
  { rootId, folder }: { readonly rootId: string; readonly folder: string },
): Promise<boolean> {
  if (folder === '') return false;
  const others = await sql`
    select from directories d join files f on f.directory_id = d.id
    where d.root_id = ${rootId}
      and (d.path = ${folder} or (d.path > ${`${folder}/`} and d.path < ${`${folder}0`}))
      and f.role = 'video' and f.missing_since is null and f.item_id is distinct from ${id}
    limit 1`;
  return others.length === 0;
}

/** What NFO files of a work are to be there: at most one at a place. */
export const nfoTargets: Readonly<
  Record<Kind, (sql: Queryable, id: string) => Promise<NfoTarget[]>>
> = {
  async movie(sql, id) {
    const [text, videos] = await Promise.all([filmToTell(sql, id), videosOf(sql, id)]);
    if (text === undefined) return [];
    const targets = new Map<string, NfoTarget>();
    for (const video of videos) {
      const { rootId, root, directory } = video;
      const { owner: folder, disc } = readPlace(directory);
      const isAlone = await isOwn(sql, id, { rootId, folder });
      // A disc has no place for one beside its streams.
      if (!isAlone && disc !== undefined) continue;
      const path = isAlone ? join(folder, 'movie.nfo') : besideOf(video);
      targets.set(`${rootId} ${path}`, { rootId, root, path, text });
    }
    return [...targets.values()];
  },
  async series(sql, id) {
    const [show, episodes, videos] = await Promise.all([
      showToTell(sql, id),
      episodesToTell(sql, id),
      videosOf(sql, id),
    ]);
    if (show === undefined) return [];
    const folders = new Map<string, NfoTarget | undefined>();
    for (const { rootId, root, directory } of videos) {
      const folder = workFolder(directory);
      const place = `${rootId} ${folder ?? ''}`;
      if (folder === undefined || folders.has(place)) continue;
      const isAlone = await isOwn(sql, id, { rootId, folder });
      folders.set(
        place,
        isAlone ? { rootId, root, path: join(folder, 'tvshow.nfo'), text: show } : undefined,
      );
    }
    const beside = videos.flatMap((video) => {
      const text = episodes.get(video.id);
      const { rootId, root } = video;
      return text === undefined ? [] : [{ rootId, root, path: besideOf(video), text }];
    });
    return [...[...folders.values()].filter((target) => target !== undefined), ...beside];
  },
};

/** NFO files in the catalogue that are a film's and lie elsewhere than where ours would. */
export const otherNfos = (
  sql: Queryable,
  id: string,
  paths: readonly string[],
): Promise<{ root: string; path: string }[]> => sql<{ root: string; path: string }[]>`
  select r.path as root, f.path from files f join library_roots r on r.id = f.root_id
  where f.item_id = ${id} and f.role = 'nfo' and f.missing_since is null
    and f.name ilike '%.nfo' and f.path <> all (${paths as string[]}::text[])
  order by f.path limit 10`;

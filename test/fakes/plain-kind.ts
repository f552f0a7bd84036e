import type { ContentModule } from '#services/content/module.ts';
import type { Tx } from '#storage/postgres/connect.ts';

/** The table of the plain kind's works. */
export const plainWorks = `
  create table plain_works (
    id uuid primary key default uuidv7(),
    library_id uuid not null,
    title text not null,
    overview text,
    is_available boolean not null default true
  )`;

/**
 * The simplest kind of content there could be: each video is a work named like it. For tests of
 * what
 * all kinds have in common, the scan before all.
 */
export const plainKind: ContentModule = {
  kind: 'movie',
  classify({ name }) {
    if (/\.(mkv|mp4)$/i.test(name)) return 'video';
    if (/\.nfo$/i.test(name)) return 'nfo';
    return /\.srt$/i.test(name) ? 'subtitle' : undefined;
  },
  ignores: ({ name }) => name.startsWith('.'),
  async identify(tx, { library, directories, texts }) {
    const videos = directories.flatMap(({ files }) => files.filter(({ role }) => role === 'video'));
    const fresh = videos.filter(({ itemId }) => itemId === undefined);
    const added: string[] = [];
    for (const { id, name } of fresh) {
      const title = name.replace(/\.\w+$/, '');
      const [known] = await tx<{ id: string }[]>`
        select id from plain_works where library_id = ${library.id} and title = ${title}`;
      const made = known ? undefined : await insert(tx, { libraryId: library.id, title, texts });
      if (made !== undefined) added.push(made);
      await tx`update files set item_id = ${made ?? known?.id ?? null} where id = ${id}`;
    }
    return { added, updated: [] };
  },
  async refresh(tx, itemIds) {
    await tx`
      update plain_works m set is_available = exists (
        select from files f where f.item_id = m.id and f.missing_since is null)
      where m.id = any (${itemIds}::uuid[])`;
  },
  async remove(tx, which) {
    if ('libraryId' in which)
      await tx`delete from plain_works where library_id = ${which.libraryId}`;
    else await tx`delete from plain_works where id = any (${which.itemIds}::uuid[])`;
  },
};

async function insert(
  tx: Tx,
  work: { libraryId: string; title: string; texts: ReadonlyMap<string, Uint8Array> },
): Promise<string | undefined> {
  const [bytes] = work.texts.values();
  const overview = bytes ? Buffer.from(bytes).toString('utf8') : null;
  const [row] = await tx<{ id: string }[]>`
    insert into plain_works (library_id, title, overview)
    values (${work.libraryId}, ${work.title}, ${overview}) returning id`;
  return row?.id;
}

import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { ProviderIds } from '../naming/ids.ts';
import type { ArrServer, ArrWork } from './arr-server.ts';

type Source = ArrServer['source'];

const sources: Readonly<Record<string, Source>> = { movie: 'radarr', series: 'sonarr' };

type Server = Pick<ArrServer, 'source' | 'server'>;

/**
 * Makes these all that a server has; resolves to the folders of which something new is said. A
 * folder is that server's which spoke of it first; once that one has it no more, it is the one's
 * that has spoken of it longest. One that no other has was what it was.
 */
export async function replaceArrWorks(
  tx: Tx,
  { source, server }: Server,
  works: readonly ArrWork[],
): Promise<string[]> {
  const byPath = new Map(works.map((work) => [work.path, work]));
  const rows = [...byPath.values()].map(({ year, ...rest }) => ({ ...rest, year: year ?? null }));
  const given = tx`
    jsonb_to_recordset(${tx.json(rows as never)})
      as g (path text, title text, titles text[], year integer, ids jsonb)`;
  const changed = await tx<{ path: string }[]>`
    with given as (select * from ${given}), gone as (
      delete from arr_works a where a.source = ${source} and a.server = ${server}
        and not exists (select from given g where g.path = a.path)
    ), come as (
      insert into arr_works as a (source, server, path, title, titles, year, ids)
      select ${source}, ${server}, path, title, titles, year, ids from given
      on conflict (source, path) do update set server = excluded.server, title = excluded.title,
        titles = excluded.titles, year = excluded.year, ids = excluded.ids
      where a.server in ('', ${server}) and (a.server, a.title, a.titles, a.year, a.ids)
        is distinct from
        (excluded.server, excluded.title, excluded.titles, excluded.year, excluded.ids)
      returning a.path, old.ids is distinct from new.ids
        or old.title <> new.title or old.titles <> new.titles
        or old.year is distinct from new.year as "isNews"
    )
    select path from come where "isNews"`;
  await tx`
    with given as (select * from ${given}), gone as (
      delete from arr_rivals r where r.source = ${source} and r.server = ${server}
        and not exists (
          select from given g join arr_works a on a.source = ${source} and a.path = g.path
            and a.server <> ${server}
          where g.path = r.path)
    )
    insert into arr_rivals as r (source, server, path, title, titles, year, ids)
    select ${source}, ${server}, g.path, g.title, g.titles, g.year, g.ids
    from given g join arr_works a on a.source = ${source} and a.path = g.path
      and a.server <> ${server}
    on conflict (source, path, server) do update set title = excluded.title,
      titles = excluded.titles, year = excluded.year, ids = excluded.ids
    where (r.title, r.titles, r.year, r.ids)
      is distinct from (excluded.title, excluded.titles, excluded.year, excluded.ids)`;
  return [...changed.map(({ path }) => path), ...(await freeFolders(tx, source))];
}

/** Gives folders of which nobody speaks any more to those who spoke of them, too. */
async function freeFolders(tx: Tx, source: Source): Promise<string[]> {
  const rows = await tx<{ path: string }[]>`
    with free as (
      delete from arr_rivals r using (
        select distinct on (o.path) o.path, o.server from arr_rivals o
        where o.source = ${source} and not exists (
          select from arr_works a where a.source = ${source} and a.path = o.path)
        order by o.path, o.claimed_at, o.server
      ) as next
      where r.source = ${source} and r.path = next.path and r.server = next.server
      returning r.*
    )
    insert into arr_works (source, server, path, title, titles, year, ids)
    select source, server, path, title, titles, year, ids from free
    on conflict (source, path) do nothing
    returning path`;
  return rows.map(({ path }) => path);
}

/** Forgets what is said by servers that are not asked any more; resolves to folders it frees. */
export async function forgetOthers(
  tx: Tx,
  source: Source,
  servers: readonly string[],
): Promise<string[]> {
  const asked = servers as string[];
  await tx`delete from arr_works where source = ${source} and server <> all (${asked}::text[])`;
  await tx`delete from arr_rivals where source = ${source} and server <> all (${asked}::text[])`;
  return freeFolders(tx, source);
}

/** From-clause: videos `f` below a folder, whose absolute path is a column `p.path` outside. */
const filesBelow = (sql: Queryable): ReturnType<Queryable> => sql`
  library_roots r
  cross join lateral (select substr(p.path, length(r.path) + 2) collate "C" as path) w
  join directories d on d.root_id = r.id
    and (d.path = w.path or (d.path > w.path || '/' and d.path < w.path || '0'))
  join files f on f.directory_id = d.id and f.role = 'video' and f.missing_since is null
    and r.removed_at is null and starts_with(p.path, r.path || '/')`;

/**
 * Has works in these folders decided anew, as far as a record is not the one that the server names
 * and no person has chosen it. Resolves to how many.
 */
export async function openAnew(
  tx: Tx,
  { kind, source }: { kind: string; source: Source },
  paths: readonly string[],
): Promise<number> {
  const opened = await tx`
    update metadata_states s set provider_id = null, basis = null, tries = 0, next_at = now()
    from (
      select distinct f.item_id, a.ids
      from unnest(${paths as string[]}::text[]) as p (path)
        cross join lateral (
          select f.item_id from ${filesBelow(tx)} where f.item_id is not null
        ) as f
        left join arr_works a on a.source = ${source} and a.path = p.path
    ) as told
    where s.kind = ${kind} and s.item_id = told.item_id and s.basis is distinct from 'user'
      and (s.provider_id is null or told.ids ->> s.provider is distinct from s.provider_id)
    returning s.item_id`;
  return opened.length;
}

/** What a server says of a work's folder; undefined: nothing, or others lie in it, too. */
export async function findArrWork(
  sql: Queryable,
  kind: string,
  itemId: string,
): Promise<(Pick<ArrWork, 'title' | 'year'> & { readonly ids: ProviderIds }) | undefined> {
  const source = sources[kind];
  if (source === undefined) return undefined;
  const [file] = await sql<{ root: string; path: string }[]>`
    select r.path as root, f.path from files f join library_roots r on r.id = f.root_id
    where f.item_id = ${itemId} and f.role = 'video' and f.missing_since is null
    order by f.path limit 1`;
  const folders = file === undefined ? [] : foldersOf(file);
  if (folders.length === 0) return undefined;
  const [found] = await sql<{ title: string; year: number | null; ids: ProviderIds }[]>`
    select p.title, p.year, p.ids from arr_works p
    where p.source = ${source} and p.path = any (${folders}::text[])
      and not exists (
        select from ${filesBelow(sql)} where f.item_id <> ${itemId})
    order by length(p.path) desc limit 1`;
  return found && { title: found.title, year: found.year ?? undefined, ids: found.ids };
}

/** The folders a file lies in, below its library's. */
function foldersOf({ root, path }: { root: string; path: string }): string[] {
  const steps = path.split('/').slice(0, -1);
  const base = root === '/' ? '' : root;
  return steps.map((_, index) => `${base}/${steps.slice(0, index + 1).join('/')}`);
}

import { randomUUID } from 'node:crypto';
import type {
  DirectoryView,
  FileRole,
  IdentifyBatch,
  Kind,
  StoredFile,
} from '#services/content/module.ts';
import { classify } from '#services/content/classify.ts';
import type { Queryable, Sql } from '#storage/postgres/connect.ts';

/** A film library in a test database, as a scan would have recorded it. */
export interface FilmLibrary {
  readonly id: string;
  readonly rootId: string;
  /** Records files by path (relative to the root), with their size or, for texts, their content. */
  put(files: Readonly<Record<string, number | string>>): Promise<void>;
  /** Moves a file as the scan does when it recognises one: the row keeps its id and work. */
  move(from: string, to: string): Promise<void>;
  /** Marks a file missing. */
  lose(path: string): Promise<void>;
  /** The batch a scan would hand to `identify` for these directories; all when none are named. */
  batch(directories?: readonly string[]): Promise<IdentifyBatch>;
}

const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Makes an empty library of films (or series) with one root. */
export async function filmLibrary(
  sql: Sql,
  name = `Films ${randomUUID()}`,
  kind: Kind = 'movie',
): Promise<FilmLibrary> {
  const [library] = await sql<{ id: string }[]>`
    insert into libraries (kind, name) values (${kind}, ${name}) returning id`;
  const id = library!.id;
  const [root] = await sql<{ id: string }[]>`
    insert into library_roots (library_id, path) values (${id}, ${`/films/${id}`}) returning id`;
  const rootId = root!.id;
  const texts = new Map<string, string>();
  const place = { sql, libraryId: id, rootId };
  return {
    id,
    rootId,
    async put(files) {
      for (const [path, content] of Object.entries(files)) {
        if (typeof content === 'string') texts.set(path, content);
        await putFile(place, path, typeof content === 'string' ? content.length : content);
      }
    },
    async move(from, to) {
      const directoryId = await putDirectory(place, folderOf(to));
      await sql`
        update files set path = ${to}, name = ${nameOf(to)}, directory_id = ${directoryId}
        where root_id = ${rootId} and path = ${from} and missing_since is null`;
    },
    async lose(path) {
      await sql`update files set missing_since = now() where root_id = ${rootId} and path = ${path}`;
    },
    async batch(directories) {
      const views = await viewsOf(sql, rootId);
      const chosen = directories === undefined ? views : pick(views, directories);
      const files = chosen.flatMap((view) => view.files);
      const known = files.filter(({ path }) => texts.has(path));
      return {
        library: { id, language: 'en', options: {} },
        directories: chosen,
        texts: new Map(known.map((f) => [f.id, new TextEncoder().encode(texts.get(f.path))])),
      };
    },
  };
}

const pick = (views: readonly DirectoryView[], paths: readonly string[]): DirectoryView[] =>
  paths.map((path) => {
    const view = views.find((one) => one.path === path);
    if (view === undefined) throw new Error(`no directory ${path}`);
    return view;
  });

type Place = { sql: Sql; libraryId: string; rootId: string };

async function putDirectory({ sql, rootId }: Place, path: string): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into directories (root_id, path) values (${rootId}, ${path})
    on conflict (root_id, path) do update set path = excluded.path returning id`;
  if (path !== '') await putDirectory({ sql, rootId, libraryId: '' }, folderOf(path));
  return row!.id;
}

async function putFile(place: Place, path: string, sizeBytes: number): Promise<void> {
  const directory = folderOf(path);
  const directoryId = await putDirectory(place, directory);
  const role = classify({ directory, name: nameOf(path), sizeBytes });
  if (role === undefined) return;
  await place.sql`
    insert into files (
      library_id, root_id, directory_id, path, name, role, size_bytes, mtime_ms, inode, device
    ) values (
      ${place.libraryId}, ${place.rootId}, ${directoryId}, ${path}, ${nameOf(path)}, ${role},
      ${sizeBytes}, 0, ${randomUUID()}, '1'
    )`;
}

async function viewsOf(sql: Queryable, rootId: string): Promise<DirectoryView[]> {
  const paths = await sql<{ path: string }[]>`
    select path from directories where root_id = ${rootId} order by path`;
  const files = await sql<
    (Omit<StoredFile, 'itemId'> & { itemId: string | null; role: FileRole })[]
  >`
    select id, path, name, role, size_bytes as "sizeBytes", mtime_ms as "mtimeMs",
      item_id as "itemId"
    from files where root_id = ${rootId} and missing_since is null order by path`;
  return paths.map(({ path }) => ({
    rootId,
    path,
    files: files
      .filter((file) => folderOf(file.path) === path)
      .map((file) => ({ ...file, itemId: file.itemId ?? undefined })),
    directories: paths
      .filter((other) => other.path !== '' && folderOf(other.path) === path)
      .map((other) => nameOf(other.path)),
  }));
}

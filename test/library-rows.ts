import type { Sql } from '#storage/postgres/connect.ts';

/** A library with one root, written straight into the tables. */
export interface LibraryRows {
  readonly libraryId: string;
  /** Writes a file's row; returns its id. */
  addFile(file: FileRow): Promise<string>;
}

/** A file as a scan would have found it. */
export interface FileRow {
  /** Encoded, relative to the root. */
  readonly path: string;
  readonly role: 'video' | 'audio' | 'subtitle' | 'image' | 'nfo' | 'extra' | 'other';
  readonly sizeBytes?: number;
  readonly mtimeMs?: number;
  readonly itemId?: string;
  readonly probe?: object;
  readonly isMissing?: boolean;
}

/** For tests of what works on files that a scan has found, without the scan. */
export async function libraryRows(sql: Sql, root: string): Promise<LibraryRows> {
  const [made] = await sql<{ libraryId: string; rootId: string; directoryId: string }[]>`
    with library as (
      insert into libraries (kind, name) values ('movie', ${root.slice(-100)}) returning id
    ), root as (
      insert into library_roots (library_id, path) select id, ${root} from library returning *
    ), directory as (
      insert into directories (root_id, path, is_due) select id, '', false from root returning *
    )
    select root.library_id as "libraryId", root.id as "rootId", directory.id as "directoryId"
    from root, directory`;
  if (made === undefined) throw new Error('no library was made');
  const { libraryId, rootId, directoryId } = made;
  return {
    libraryId,
    async addFile(file) {
      const name = file.path.slice(file.path.lastIndexOf('/') + 1);
      const [row] = await sql<{ id: string }[]>`
        insert into files (library_id, root_id, directory_id, path, name, role, size_bytes,
          mtime_ms, inode, device, item_id, probe, missing_since)
        values (${libraryId}, ${rootId}, ${directoryId}, ${file.path}, ${name}, ${file.role},
          ${file.sizeBytes ?? 0}, ${file.mtimeMs ?? 0}, '1', '1', ${file.itemId ?? null},
          ${file.probe === undefined ? null : sql.json(file.probe as never)},
          ${file.isMissing ? new Date() : null})
        returning id`;
      if (row === undefined) throw new Error('no file was made');
      return row.id;
    },
  };
}

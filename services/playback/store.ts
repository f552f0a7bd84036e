import type { Probe } from '#storage/media/media.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** A file that can be played, with where it lies. */
export interface PlayableFile {
  readonly id: string;
  readonly libraryId: string;
  readonly itemId: string | null;
  readonly root: string;
  readonly path: string;
  readonly name: string;
  readonly role: 'video' | 'audio' | 'subtitle' | 'extra';
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly probe: Probe | null;
  readonly isMissing: boolean;
}

/** A file of the library that is meant for viewers; undefined for all others. */
export async function findPlayableFile(
  sql: Queryable,
  fileId: string,
): Promise<PlayableFile | undefined> {
  const [row] = await sql<PlayableFile[]>`
    select f.id, f.library_id as "libraryId", f.item_id as "itemId", r.path as root, f.path,
      f.name, f.role, f.size_bytes as "sizeBytes", f.mtime_ms as "mtimeMs", f.probe,
      f.missing_since is not null as "isMissing"
    from files f
    join library_roots r on r.id = f.root_id and r.removed_at is null
    where f.id = ${fileId} and f.role in ('video', 'audio', 'subtitle', 'extra')`;
  return row;
}

/** How often a user has revoked all addresses; 0 for one who never did. */
export async function findEpoch(sql: Queryable, userId: string): Promise<number> {
  const [row] = await sql<{ epoch: number }[]>`
    select epoch from shared.address_epochs where user_id = ${userId}`;
  return row?.epoch ?? 0;
}

/** Makes every address of a user void. */
export async function raiseEpoch(tx: Tx, userId: string): Promise<void> {
  await tx`
    insert into shared.address_epochs (user_id, epoch) values (${userId}, 1)
    on conflict (user_id) do update set epoch = shared.address_epochs.epoch + 1`;
}

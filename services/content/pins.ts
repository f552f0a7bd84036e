/** Files that a person gave to works, whatever their names say; of all kinds alike. */
import type { Tx } from '#storage/postgres/connect.ts';
import { compare, type PlacedFile } from './placed.ts';
import type { Works } from './works.ts';

/** The work that a person gave a file to. */
export interface Pin {
  readonly itemId: string;
  /** It came by a merge: what its name and what lies beside it say is not said of the work. */
  readonly isGuest: boolean;
}

/** The pins that matter to some files. */
export interface Pins {
  readonly byFile: ReadonlyMap<string, Pin>;
  /** Of files that are gone from a directory: what takes their place is given to the same works. */
  readonly left: ReadonlyMap<string, readonly Pin[]>;
}

/** Some videos that go together, and what they are. */
export interface Entry<T> {
  readonly videos: readonly PlacedFile[];
  readonly of: T;
}

/** What of some entries is one work's; no pin: as names say. */
export interface Share<T> {
  readonly pin: Pin | undefined;
  readonly of: readonly T[];
}

const placeOf = ({ rootId, directory }: Pick<PlacedFile, 'rootId' | 'directory'>): string =>
  `${rootId} ${directory}`;

/** The pins of files to works of their library, and those that missing ones left in the directories of these. */
export async function loadPins(
  tx: Tx,
  { table }: Works,
  { libraryId, files }: { readonly libraryId: string; readonly files: readonly PlacedFile[] },
): Promise<Pins> {
  const places = [...new Map(files.map((file) => [placeOf(file), file])).values()];
  const rows = await tx<(Pin & { fileId: string; rootId: string; directory: string | null })[]>`
    select p.file_id as "fileId", p.item_id as "itemId", p.is_guest as "isGuest",
      null::uuid as "rootId", null as directory
    from file_pins p join ${tx(table)} w on w.id = p.item_id and w.library_id = ${libraryId}
    where p.file_id = any (${files.map(({ id }) => id)}::uuid[])
    union all
    select p.file_id, p.item_id, p.is_guest, d.root_id, d.path
    from unnest(
      ${places.map(({ rootId }) => rootId)}::uuid[],
      ${places.map(({ directory }) => directory)}::text[]
    ) as l (root_id, path)
    join directories d on d.root_id = l.root_id and d.path = l.path
    join files f on f.directory_id = d.id and f.missing_since is not null
    join file_pins p on p.file_id = f.id
    join ${tx(table)} w on w.id = p.item_id and w.library_id = ${libraryId}`;
  const byFile = new Map<string, Pin>();
  const left = new Map<string, Pin[]>();
  for (const { fileId, rootId, directory, itemId, isGuest } of rows) {
    const pin = { itemId, isGuest };
    if (directory === null) byFile.set(fileId, pin);
    else {
      const place = placeOf({ rootId, directory });
      left.set(place, [...(left.get(place) ?? []), pin]);
    }
  }
  return { byFile, left };
}

/** What missing files left where these lie. Pure. */
export const leftAt = ({ left }: Pins, files: readonly PlacedFile[]): Pin[] =>
  [...new Set(files.map(placeOf))].flatMap((place) => left.get(place) ?? []);

/**
 * Divides entries by who has their files: pinned ones are their works', new ones go with all that
 * is known around them where that is one work's. `around`: pins beside the entries, and whether
 * something unpinned is known there. Pure.
 */
export function sharesOf<T>(
  entries: readonly Entry<T>[],
  pins: Pins,
  around: { readonly pins: readonly Pin[]; readonly isKnown: boolean },
): Share<T>[] {
  const seen = entries.map(({ videos, of }) => ({
    of,
    pin: videos.flatMap(({ id }) => pins.byFile.get(id) ?? [])[0],
    itemIds: videos.flatMap(({ itemId }) => itemId ?? []),
  }));
  const others = seen.filter(({ pin, itemIds }) => pin === undefined && itemIds.length > 0);
  const owner = others.flatMap(({ itemIds }) => itemIds)[0];
  const given = [...seen.flatMap(({ pin }) => pin ?? []), ...around.pins];
  const isOneWorks = new Set(given.map(({ itemId }) => itemId)).size === 1;
  const heir = others.length === 0 && !around.isKnown && isOneWorks ? given[0] : undefined;
  const shares = new Map<string, { pin: Pin | undefined; of: T[] }>();
  for (const { pin, itemIds, of } of seen) {
    const taker = pin ?? (itemIds.length === 0 ? heir : undefined);
    // With files of the same work beside them, their names speak for it together.
    const own = taker?.itemId === owner ? undefined : taker;
    const share = shares.get(own?.itemId ?? '');
    if (share === undefined) shares.set(own?.itemId ?? '', { pin: own, of: [of] });
    else {
      share.of.push(of);
      if (own?.isGuest === false) share.pin = own;
    }
  }
  return [...shares.values()];
}

/**
 * The share that what is said of all entries is said of: the one that no person made, else that of
 * the oldest work. Pure.
 */
export const mainShare = <T>(shares: readonly Share<T>[]): Share<T> | undefined =>
  shares.find(({ pin }) => pin === undefined) ??
  shares
    .filter(({ pin }) => pin?.isGuest === false)
    .toSorted((a, b) => compare(a.pin?.itemId ?? '', b.pin?.itemId ?? ''))[0];

/** Files of `from` become `to`'s for good. */
export interface Given {
  readonly fileIds: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly isGuest: boolean;
}

/** Pins files, whatever they were pinned to before. */
export async function pinFiles(tx: Tx, { fileIds, from, to, isGuest }: Given): Promise<void> {
  await tx`
    insert into file_pins (file_id, item_id, is_guest, from_id)
    select id, ${to}, ${isGuest}, ${from} from unnest(${fileIds as string[]}::uuid[]) as f (id)
    on conflict (file_id) do update set item_id = excluded.item_id,
      is_guest = excluded.is_guest, from_id = excluded.from_id`;
}

/** Pins the videos of a work that are not yet, so that no rename takes them away from it. */
export async function pinOwn(tx: Tx, itemId: string): Promise<void> {
  await tx`
    insert into file_pins (file_id, item_id, is_guest, from_id)
    select id, ${itemId}, false, ${itemId} from files where item_id = ${itemId} and role = 'video'
    on conflict (file_id) do nothing`;
}

/** Pins files that took a place beside pinned ones. */
export async function followPins(
  tx: Tx,
  pins: Pins,
  given: readonly { readonly pin?: Pin | undefined; readonly videos: readonly PlacedFile[] }[],
): Promise<void> {
  const followers = given.flatMap(({ pin, videos }) =>
    pin === undefined
      ? []
      : videos
          .filter(({ id }) => !pins.byFile.has(id))
          .map(({ id: fileId }) => ({ fileId, ...pin })),
  );
  if (followers.length === 0) return;
  await tx`
    insert into file_pins (file_id, item_id, is_guest, from_id)
    select "fileId", "itemId", "isGuest", "itemId"
    from jsonb_to_recordset(${tx.json(followers)})
      as r ("fileId" uuid, "itemId" uuid, "isGuest" boolean)
    on conflict (file_id) do nothing`;
}

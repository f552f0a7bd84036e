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

/** A video that is gone from its directory: what takes its place is of the same work. */
export interface LeftVideo {
  /** Relative to the root. */
  readonly path: string;
  /** The work it was of. */
  readonly itemId: string;
  readonly pin: Pin | undefined;
}

/** What persons decided, and what was before, as far as it matters to some files. */
export interface Pins {
  readonly byFile: ReadonlyMap<string, Pin>;
  readonly left: ReadonlyMap<string, readonly LeftVideo[]>;
}

/** Some videos that go together, and what they are. */
export interface Entry<T> {
  readonly videos: readonly PlacedFile[];
  readonly of: T;
  /** Of what they took the place of, where that is sure. */
  readonly successor?: Pin | undefined;
}

/** What of some entries is one work's; no pin: as names say. */
export interface Share<T> {
  readonly pin: Pin | undefined;
  readonly of: readonly T[];
}

const placeOf = ({ rootId, directory }: Pick<PlacedFile, 'rootId' | 'directory'>): string =>
  `${rootId} ${directory}`;

interface PinRow {
  readonly fileId: string;
  readonly itemId: string;
  /** Null: nobody pinned it. */
  readonly isGuest: boolean | null;
  readonly path: string | null;
  readonly rootId: string;
  readonly directory: string;
}

/** The pins of files to works of their library, and the missing videos of the directories of these. */
export async function loadPins(
  tx: Tx,
  { table }: Works,
  { libraryId, files }: { readonly libraryId: string; readonly files: readonly PlacedFile[] },
): Promise<Pins> {
  const places = [...new Map(files.map((file) => [placeOf(file), file])).values()];
  const rows = await tx<PinRow[]>`
    select p.file_id as "fileId", p.item_id as "itemId", p.is_guest as "isGuest",
      null as path, null::uuid as "rootId", null as directory
    from file_pins p join ${tx(table)} w on w.id = p.item_id and w.library_id = ${libraryId}
    where p.file_id = any (${files.map(({ id }) => id)}::uuid[])
    union all
    select f.id, w.id, p.is_guest, f.path, d.root_id, d.path
    from unnest(
      ${places.map(({ rootId }) => rootId)}::uuid[],
      ${places.map(({ directory }) => directory)}::text[]
    ) as l (root_id, path)
    join directories d on d.root_id = l.root_id and d.path = l.path
    join files f on f.directory_id = d.id and f.missing_since is not null and f.role = 'video'
    left join file_pins p on p.file_id = f.id
    join ${tx(table)} w on w.id = coalesce(p.item_id, f.item_id) and w.library_id = ${libraryId}
    order by 1`;
  const byFile = new Map<string, Pin>();
  const left = new Map<string, LeftVideo[]>();
  for (const { fileId, itemId, isGuest, path, ...lying } of rows) {
    const pin = isGuest === null ? undefined : { itemId, isGuest };
    if (path !== null) {
      const place = placeOf(lying);
      left.set(place, [...(left.get(place) ?? []), { path, itemId, pin }]);
    } else if (pin !== undefined) byFile.set(fileId, pin);
  }
  return { byFile, left };
}

/** The videos that are missing where these lie. Pure. */
export const leftAt = ({ left }: Pins, files: readonly PlacedFile[]): LeftVideo[] =>
  left.size === 0 ? [] : [...new Set(files.map(placeOf))].flatMap((place) => left.get(place) ?? []);

/** The pins among what is missing. Pure. */
export const pinsOf = (left: readonly LeftVideo[]): Pin[] => left.flatMap(({ pin }) => pin ?? []);

/** The work that all of these were of; undefined: there are none, or they were of several. Pure. */
export function soleWork(left: readonly LeftVideo[]): string | undefined {
  const [first, ...others] = new Set(left.map(({ itemId }) => itemId));
  return others.length === 0 ? first : undefined;
}

/**
 * For entries that are new, the pin of what is missing and had a name that says the same, unless an
 * entry that is known says so too. `keys`: what the names of entries say, in their order. Pure.
 */
export function withSuccessors<T>(
  entries: readonly Entry<T>[],
  keys: readonly string[],
  left: readonly { readonly key: string; readonly pin: Pin | undefined }[],
): Entry<T>[] {
  const isKnown = entries.map(({ videos }) => videos.some(({ itemId }) => itemId !== undefined));
  const known = new Set(keys.filter((_, at) => isKnown[at] === true));
  const byKey = Map.groupBy(left, ({ key }) => key);
  return entries.map((entry, at) => {
    const key = keys[at] ?? '';
    const before = isKnown[at] === true || known.has(key) ? [] : (byKey.get(key) ?? []);
    const [first, ...others] = before.map(({ pin }) => pin);
    const isOne = others.every((pin) => pin?.itemId === first?.itemId);
    return isOne ? { ...entry, successor: first } : entry;
  });
}

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
  const seen = entries.map(({ videos, of, successor }) => ({
    of,
    pin: videos.flatMap(({ id }) => pins.byFile.get(id) ?? [])[0] ?? successor,
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

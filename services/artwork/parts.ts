/** Parts of works that have pictures of their own: the seasons and episodes of a series. */
import type { Queryable } from '#storage/postgres/connect.ts';
import type { NamedImage } from './names.ts';
import type { ItemOffer } from './offers.ts';
import { findImages, findSources, findSourcesOf, type Image, type SourceFile } from './store.ts';

/** A file is there for the pictures of a part, be it one itself or a video of the part. */
export interface Claim {
  readonly partId: string;
  readonly fileId: string;
}

/** One kind of parts; the kind of the works brings it along. */
export interface PictureParts {
  readonly kind: string;
  /** The kind of the works. */
  readonly of: string;
  /** Those of some works. */
  readonly partsOf: (sql: Queryable, itemIds: readonly string[]) => Promise<readonly string[]>;
  /** The works of some parts. */
  readonly worksOf: (sql: Queryable, partIds: readonly string[]) => Promise<readonly string[]>;
  /** Files of some works that are there for their parts; those on shares that are away, too. */
  readonly claims: (sql: Queryable, itemIds: readonly string[]) => Promise<readonly Claim[]>;
  /** Pictures that a provider offers for some parts, best first of each type. */
  readonly offers: (sql: Queryable, partIds: readonly string[]) => Promise<readonly ItemOffer[]>;
  /** As `readImageName`, for a file that a part claims. Pure. */
  readonly readName: (path: string, stems: readonly string[]) => NamedImage | undefined;
}

/** Parts of these works of which there are, or were, pictures, or a provider has one for them. */
export async function partsToLookAt(
  sql: Queryable,
  parts: PictureParts,
  itemIds: readonly string[],
): Promise<string[]> {
  const claims = await parts.claims(sql, itemIds);
  const { known, offers } = await picturesOf(sql, parts, itemIds);
  const ofFiles = known.filter(({ source }) => source !== 'provider');
  const ids = [...claims.map(({ partId }) => partId), ...ofFiles.map(({ itemId }) => itemId)];
  return [...new Set([...ids, ...partsOfferedOtherwise(known, offers)])];
}

/** Parts of these works for which a provider offers others than those that are kept of it. */
export async function partsToFetchFor(
  sql: Queryable,
  parts: PictureParts,
  itemIds: readonly string[],
): Promise<string[]> {
  const { known, offers } = await picturesOf(sql, parts, itemIds);
  return partsOfferedOtherwise(known, offers);
}

async function picturesOf(sql: Queryable, parts: PictureParts, itemIds: readonly string[]) {
  const ids = await parts.partsOf(sql, itemIds);
  const [known, offers] = await Promise.all([
    findImages(sql, parts.kind, ids),
    parts.offers(sql, ids),
  ]);
  return { known, offers };
}

/** Where there is an offer of a type of which there is no picture, or a picture of no offer. Pure. */
export function partsOfferedOtherwise(
  known: readonly Pick<Image, 'itemId' | 'type' | 'source' | 'sourceUrl' | 'isChosenByUser'>[],
  offers: readonly ItemOffer[],
): string[] {
  const typeOf = ({ itemId, type }: { itemId: string; type: string }) => `${itemId} ${type}`;
  const urlOf = (itemId: string, url: string | null) => `${itemId} ${url}`;
  const offered = new Set(offers.map(({ itemId, url }) => urlOf(itemId, url)));
  const isStale = ({ itemId, source, sourceUrl, isChosenByUser }: (typeof known)[number]) =>
    source === 'provider' && !isChosenByUser && !offered.has(urlOf(itemId, sourceUrl));
  const have = new Set(
    known
      .filter((image) => !['embedded', 'frame'].includes(image.source) && !isStale(image))
      .map(typeOf),
  );
  const wanting = offers.filter((offer) => !have.has(typeOf(offer)));
  return [...new Set([...wanting, ...known.filter(isStale)].map(({ itemId }) => itemId))];
}

/** The files pictures come from, by item; those of which nothing is known now are absent. */
export type SourcesByItem = ReadonlyMap<string, readonly SourceFile[]>;

/** Of parts: an empty list where there is nothing any more. */
export async function sourcesOfParts(
  sql: Queryable,
  parts: PictureParts,
  partIds: readonly string[],
): Promise<SourcesByItem> {
  const wanted = new Set(partIds);
  const all = await parts.claims(sql, await parts.worksOf(sql, partIds));
  const claims = all.filter(({ partId }) => wanted.has(partId));
  const found = Map.groupBy(await findSourcesOf(sql, claims), ({ itemId }) => itemId);
  const claimed = new Set(claims.map(({ partId }) => partId));
  const bare = partIds.filter((id) => !claimed.has(id));
  return new Map<string, readonly SourceFile[]>([...found, ...bare.map((id) => [id, []] as const)]);
}

/** Of works: without the pictures that are their parts'. */
export async function sourcesOfWorks(
  sql: Queryable,
  { kind, parts }: { kind: string; parts: readonly PictureParts[] },
  itemIds: readonly string[],
): Promise<SourcesByItem> {
  const own = parts.filter(({ of }) => of === kind);
  const claims = await Promise.all(own.map((one) => one.claims(sql, itemIds)));
  const taken = new Set(claims.flat().map(({ fileId }) => fileId));
  const files = await findSources(sql, kind, itemIds);
  return Map.groupBy(
    files.filter(({ id, role }) => role !== 'image' || !taken.has(id)),
    ({ itemId }) => itemId,
  );
}

/** Cache tags of the works that show these parts. */
export async function workTagsOf(
  sql: Queryable,
  parts: PictureParts | undefined,
  partId: string,
): Promise<string[]> {
  if (parts === undefined) return [];
  return (await parts.worksOf(sql, [partId])).flatMap((id) => [`${parts.of}:${id}`, parts.of]);
}

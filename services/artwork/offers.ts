import { OutboundError, type Outbound } from '#storage/outbound/index.ts';
import { MediaError } from '#storage/media/media.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import {
  imageBytesMax,
  isPassing,
  keep,
  type CollectDeps,
  type Collected,
  type ItemFiles,
} from './collect.ts';
import type { ImageType } from './names.ts';
import type { Image, NewImage } from './store.ts';

/** A picture that a provider offers for an item. */
export interface Offer {
  readonly type: ImageType;
  readonly url: string;
  readonly language?: string | undefined;
}

/** A stored offer. */
export interface ItemOffer extends Offer {
  readonly itemId: string;
  readonly place: number;
}

/** What a provider offers for an item, best first, in place of what it offered before. */
export async function replaceOffers(
  tx: Tx,
  item: { readonly kind: string; readonly itemId: string; readonly provider: string },
  offers: readonly Offer[],
): Promise<boolean> {
  const rows = offers.map(({ type, url, language }, place) => ({
    ...{ type, url, place },
    language: language ?? null,
  }));
  const changed = await tx`
    with given as (
      select * from jsonb_to_recordset(${tx.json(rows)})
        as r (type text, url text, place smallint, language text)
    ), gone as (
      delete from image_offers o
      where o.kind = ${item.kind} and o.item_id = ${item.itemId} and not exists (
        select from given g where g.type = o.type and g.url = o.url)
      returning o.url
    ), come as (
      insert into image_offers as o (kind, item_id, type, url, provider, place, language)
      select ${item.kind}, ${item.itemId}, type, url, ${item.provider}, place, language from given
      on conflict (kind, item_id, type, url) do update
        set provider = excluded.provider, place = excluded.place, language = excluded.language
        where o.place <> excluded.place or o.provider <> excluded.provider
      returning o.url
    )
    select url from gone union all select url from come`;
  return changed.length > 0;
}

/** What is offered for some items, best first. */
export const findOffers = (
  sql: Queryable,
  kind: string,
  itemIds: readonly string[],
): Promise<ItemOffer[]> =>
  sql<ItemOffer[]>`
    select item_id as "itemId", type, url, place, language from image_offers
    where kind = ${kind} and item_id = any (${itemIds as string[]}::uuid[])
    order by item_id, type, place`;

export interface OfferDeps extends CollectDeps {
  readonly outbound: Outbound;
}

const fetchMs = 20_000;
const offersTried = 3;

/** A provider does not hand out its pictures just now. */
export class AwayError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AwayError';
  }
}

const finalCodes: ReadonlySet<string> = new Set(['refused', 'too-large']);

/** Gets a picture from a provider; undefined: there is none any more. Throws AwayError. */
export async function fetchPicture(
  outbound: Outbound,
  url: string,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const headers = { accept: 'image/webp,image/jpeg,image/png;q=0.9' };
  const request = { headers, timeoutMs: fetchMs, maxBytes: imageBytesMax };
  try {
    const answer = await outbound.fetch(url, { ...request, ...(signal && { signal }) });
    const { status, bytes } = answer;
    if (status === 429 || status >= 500) throw new AwayError(`a provider's picture: ${status}`);
    return status === 200 ? bytes : undefined;
  } catch (error) {
    if (!(error instanceof OutboundError) || error.code === 'cancelled') throw error;
    if (finalCodes.has(error.code)) return undefined;
    throw new AwayError(error.message, { cause: error });
  }
}

/**
 * Adds the best picture that is offered of each type the files themselves have none of. One that
 * is kept already stays as long as it is offered at all, or a person has chosen it. `isLate`: a
 * provider is away, and what it had stays too.
 */
export async function addOffered(
  deps: OfferDeps,
  item: ItemFiles & { readonly offers: readonly ItemOffer[] },
  { collected, signal }: { collected: Collected; signal: AbortSignal },
): Promise<{ collected: Collected; isLate: boolean }> {
  const { offers, known } = item;
  const provided = known.filter(({ source }) => source === 'provider');
  const stay = provided.filter((image) => image.isChosenByUser || isOffered(offers, image));
  const uploads = known.filter(({ source }) => source === 'upload');
  const better = [...collected.kept, ...collected.made, ...stay, ...uploads].filter(
    ({ source }) => source !== 'embedded' && source !== 'frame',
  );
  const have = new Set(better.map(({ type }) => type));
  const made = [...collected.made];
  let isLate = false;
  for (const [type, choice] of Map.groupBy(offers, (offer) => offer.type)) {
    if (have.has(type)) continue;
    try {
      const image = await firstOf(deps, item, { choice, signal });
      if (image !== undefined) made.push(image);
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      deps.log.info('offered pictures are fetched later', { reason: error.message });
      isLate = true;
    }
  }
  const kept = [...collected.kept, ...(isLate ? provided : stay)];
  return { collected: { ...collected, kept, made }, isLate };
}

const isOffered = (offers: readonly ItemOffer[], { type, sourceUrl }: Image): boolean =>
  offers.some((offer) => offer.type === type && offer.url === sourceUrl);

async function firstOf(
  deps: OfferDeps,
  { kind, itemId }: ItemFiles,
  { choice, signal }: { choice: readonly ItemOffer[]; signal: AbortSignal },
): Promise<NewImage | undefined> {
  for (const { type, url, language } of choice.slice(0, offersTried)) {
    const bytes = await fetchPicture(deps.outbound, url, signal);
    const facts = bytes && (await inspected(deps, bytes, signal));
    if (facts === undefined) continue;
    const { sha256, format, width, height, blurhash } = facts;
    return {
      ...{ kind, itemId, type, source: 'provider', rank: 0, sourceUrl: url },
      ...{ fileId: null, streamIndex: null, atMs: null },
      ...{ sourceMtimeMs: null, sourceSizeBytes: null },
      ...{ sha256, format, width, height, blurhash, language: language ?? null },
    };
  }
  return undefined;
}

/** Undefined for bytes that are no picture we show. */
async function inspected(deps: OfferDeps, bytes: Uint8Array, signal: AbortSignal) {
  try {
    return await keep(deps, bytes, { signal });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled' || isPassing(error)) {
      throw error;
    }
    deps.log.debug('an offered picture was left out', { reason: error.message });
    return undefined;
  }
}

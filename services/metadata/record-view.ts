import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { problem } from '../errors.ts';
import type { Extras, WorkName } from './store.ts';

type View = components['schemas']['WorkRecord'];

/** What a work's record tells beside what the work itself shows. Throws `not-found`. */
export async function readRecord(sql: Queryable, { kind, itemId }: WorkName): Promise<View> {
  const [row] = await sql<{ provider: string | null; id: string | null; extras: Extras }[]>`
    select provider, provider_id as id, extras from metadata_states
    where kind = ${kind} and item_id = ${itemId}`;
  if (row === undefined) throw problem('not-found', `There is no ${kind} ${itemId}`);
  const { provider, id, extras } = row;
  const { otherTitles = [], translations = [], trailers = [], certifications = {} } = extras;
  return {
    ...{ provider: id === null ? null : provider, id },
    otherTitles: [...otherTitles],
    translations: translations.map(({ language, title, overview, tagline }) => ({
      ...{ language, title: title ?? null, overview: overview ?? null, tagline: tagline ?? null },
    })),
    trailers: trailers.map(({ site, key, name, language }) => ({
      ...{ site, key, name, language: language ?? null },
    })),
    certifications: Object.entries(certifications).map(([country, certification]) => ({
      ...{ country, certification },
    })),
  };
}

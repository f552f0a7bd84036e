import { api, read } from './api';
import { t, type MessageKey } from './i18n.svelte';
import { cursorOf, paged, pageSize, type PageCall } from './queries';
import { itemTile, type Tile } from './tiles';
import type { PersonCredit } from './types';

/** A work somebody takes part in, and as what. */
export interface PersonTile {
  readonly tile: Tile;
  readonly part: string;
}

export const person = (personId: string) => ({
  queryKey: ['person', personId] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/people/{personId}', { params: { path: { personId } }, signal })),
});

/** What somebody takes part in, in pages, the newest first. */
export const personWorks = (personId: string) => ({
  ...paged,
  queryKey: ['person', personId, 'works'] as const,
  queryFn: async (call: PageCall) => {
    const params = { path: { personId }, query: { limit: pageSize, ...cursorOf(call) } };
    const { signal } = call;
    const answer = api.GET('/api/v1/people/{personId}/works', { params, signal });
    const { items, nextCursor } = await read(answer);
    return {
      nextCursor,
      items: items.map((item): PersonTile => ({
        tile: itemTile(item),
        part: partOf(item.credits),
      })),
    };
  },
});

/** What somebody did, in few words: the part that was played, the job that was done. */
export const creditOf = ({ role, character }: PersonCredit): string =>
  (role === 'actor' || role === 'other') && character !== ''
    ? character
    : t(`role.${role}` as MessageKey);

/** The same of all they did in one work. */
export const partOf = (credits: readonly PersonCredit[]): string =>
  [...new Set(credits.map(creditOf))].join(' · ');

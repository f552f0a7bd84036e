import type { components } from '$api/types';
import { api, read } from './api';
import { anyOf, anySeason, type Counted } from './shuffle-choice';
import type { EpisodeCard } from './types';

type EpisodePage = components['schemas']['EpisodePage'];

const pageSize = 200;

/** Any episode of a series, or of one of its seasons; undefined: none can be played. */
export async function anyEpisode(
  { id: seriesId, seasons }: { readonly id: string; readonly seasons: readonly Counted[] },
  random: () => number,
): Promise<EpisodeCard | undefined> {
  const season = anySeason(seasons, random());
  if (season === undefined) return undefined;
  const all: EpisodeCard[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = { season, limit: pageSize, ...(cursor === '' ? {} : { cursor }) };
    const params = { path: { seriesId }, query };
    const answer: EpisodePage = await read(
      api.GET('/api/v1/series/{seriesId}/episodes', { params }),
    );
    all.push(...answer.items);
    cursor = answer.nextCursor;
  }
  return anyOf(all, random());
}

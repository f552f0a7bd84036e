import type { Hints } from '../../naming/hints.ts';
import type { PlacedFile } from '../placed.ts';
import { episodesOf, type EpisodePlan } from './episodes.ts';
import type { EpisodeGroup } from './grouping.ts';
import type { NfoEpisode } from './nfo.ts';

/**
 * The episodes of a group as the hint files around it say, the nearest first; what they do not say
 * of it is as its NFO and its name say. Pure.
 */
export function hintedGroup(
  group: EpisodeGroup<PlacedFile>,
  nfo: readonly NfoEpisode[],
  around: readonly Hints[],
): { group: EpisodeGroup<PlacedFile>; episodes: readonly EpisodePlan[] } {
  const name = group.versions[0]?.parts[0]?.name.toLowerCase() ?? '';
  const hinted = around.map(({ files }) => files.get(name)).find((said) => said !== undefined);
  const season = around.map((hints) => hints.season).find((said) => said !== undefined);
  const { reading } = group;
  const known = { ...group, reading: { ...reading, season: reading.season ?? season } };
  if (hinted === undefined) return { group: known, episodes: episodesOf(known, nfo) };
  const told = hinted.episodes.map((episode, index) => ({
    ...(nfo[index] ?? { title: undefined, aired: undefined, overview: undefined }),
    ...{ season: hinted.season ?? known.reading.season ?? 1, episode },
  }));
  return { group: known, episodes: episodesOf(known, told) };
}

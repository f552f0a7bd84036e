import { readPath } from '#services/naming/path.ts';
import { takeIds } from '#services/naming/ids.ts';
import { same, sameTitle, type Case, type Check } from './case.ts';

/** Cases of Silo: libraries of films, of series and mixed ones. */
export function judgeSilo(one: Case): Check[] | string {
  const input = String(one.input);
  const expect = one.expect ?? {};
  if (/ParseFolderIDs/.test(one.fn))
    return [same('imdb', expect['imdbId'], takeIds(input).ids.imdb)];
  if (/DetectCanonicalRoot|DetectSeriesRoot/.test(one.fn) && !('type' in expect))
    return 'ask for roots of works';
  const kind = /movie/.test(one.libraryType ?? '')
    ? 'movie'
    : /series/.test(one.libraryType ?? '') || /token|Variant/.test(one.fn)
      ? 'series'
      : undefined;
  const reading = readPath(input, { latestYear: 2029, kind });
  const { episodes, best } = reading;
  const numbers = episodes?.episodes ?? [];
  return Object.entries(expect).flatMap(([property, value]) => {
    if (property === 'type') return [same('type', value, reading.kind)];
    if (property === 'title') return [sameTitle('title', value, best.title)];
    if (property === 'year') return [same('year', value, best.year)];
    if (property === 'season' && (value !== 0 || reading.season !== undefined))
      return [same('season', value, reading.season)];
    if (property === 'episode') return [same('episode', value, numbers[0])];
    if (property === 'episodeEnd')
      return [same('episodeEnd', value, numbers.length > 1 ? numbers.at(-1) : undefined)];
    if (property === 'airDate') return [same('airDate', value, episodes?.date)];
    if (property === 'seasonKnown')
      return [same('seasonKnown', value, reading.season !== undefined)];
    if (property === 'multiEpisode') return [same('multiEpisode', value, numbers.length > 1)];
    if (property === 'result') return [same('isSeries', value, reading.kind === 'series')];
    return [];
  });
}

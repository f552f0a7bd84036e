/** Orders of episodes other than the one they were shown in, as people have grouped them. Pure. */
import type { EpisodeOrder, SeriesRecord } from '../../metadata/provider.ts';
import { isCountOnly } from '../../naming/count-only.ts';
import { said } from '../read.ts';
import type { Grouping, Groupings } from './schemas.ts';

/** By number (https://developer.themoviedb.org/reference/tv-series-episode-groups). */
const types: Readonly<Partial<Record<EpisodeOrder, number>>> = { absolute: 2, dvd: 3 };

/** Which of the groupings has an order: of several the fullest. Undefined: none has. */
export function groupingFor(order: EpisodeOrder, { results }: Groupings): string | undefined {
  const type = types[order];
  const fitting = (results ?? []).filter((one) => type !== undefined && one.type === type);
  const [first] = fitting.toSorted(
    (a, b) => (b.episode_count ?? 0) - (a.episode_count ?? 0) || (a.id < b.id ? -1 : 1),
  );
  return first?.id;
}

type Group = NonNullable<Grouping['groups']>[number];

/** The record with the places that a grouping gives its episodes. */
export function withOrder(
  record: SeriesRecord,
  order: EpisodeOrder,
  { groups }: Grouping,
): SeriesRecord {
  const sorted = (groups ?? []).toSorted((a, b) => a.order - b.order);
  if (order === 'absolute')
    return withAbsolute(
      record,
      sorted.filter((one) => !isSpecials(one)),
    );
  // Some begin to count their groups with none where no group is that of the specials.
  const [first] = sorted;
  const shift = first?.order === 0 && !isSpecials(first) ? 1 : 0;
  const places = sorted.flatMap((group) =>
    knownIn(group).map((known, index) => ({
      ...{ season: group.order + shift, number: index + 1, known },
    })),
  );
  return order === 'aired' ? record : { ...record, ordered: { order, places } };
}

const isSpecials = ({ order, name }: Group): boolean =>
  order === 0 && isCountOnly('season', said(name) ?? '', 0);

const knownIn = ({ episodes }: Group) =>
  (episodes ?? [])
    .toSorted((a, b) => a.order - b.order)
    .map((one) => ({ season: one.season_number, number: one.episode_number }));

function withAbsolute(record: SeriesRecord, groups: readonly Group[]): SeriesRecord {
  const all = groups.flatMap(knownIn).map((one, index) => [keyOf(one), index + 1] as const);
  const numbers = new Map(all);
  const episodes = record.episodes.map((one) => ({ ...one, absolute: numbers.get(keyOf(one)) }));
  return { ...record, episodes };
}

const keyOf = ({ season, number }: { season: number; number: number }): string =>
  `${season} ${number}`;

import type { Credit } from '../../people/index.ts';
import { said } from '../read.ts';
import * as common from './common.ts';
import type { Making, Playing, Series } from './schemas.ts';

/** Together with the cast it is what fits a page. */
const crewMax = 10;

/**
 * Who makes a series as a whole: its creators, those of the crew who did their job for half of its
 * episodes at least, and the cast, each as what they play most. Pure.
 */
export function seriesCredits(series: Series): Credit[] {
  const { cast, crew } = series.aggregate_credits ?? {};
  const creators = (series.created_by ?? []).map(({ name }) => ({ name, job: 'Creator' }));
  const episodes = series.number_of_episodes ?? 0;
  const makers = [...creators, ...(crew ?? []).flatMap((one) => jobsOf(one, episodes))];
  const credits = common.creditsOf((cast ?? []).map(partOf), makers);
  const isCast = ({ role }: Credit) => role === 'actor';
  return [...credits.filter((one) => !isCast(one)).slice(0, crewMax), ...credits.filter(isCast)];
}

/** Whoever did less is of episodes. */
const jobsOf = ({ name, jobs }: Making, episodes: number) =>
  (jobs ?? [])
    .filter(({ episode_count: count }) => episodes > 0 && (count ?? 0) * 2 >= episodes)
    .map(({ job }) => ({ name, job }));

function partOf({ name, order, roles }: Playing) {
  const parts = (roles ?? []).toSorted((a, b) => (b.episode_count ?? 0) - (a.episode_count ?? 0));
  return { name, order, character: parts.find(({ character }) => said(character))?.character };
}

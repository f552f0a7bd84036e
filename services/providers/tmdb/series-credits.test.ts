import { expect } from 'chai';
import type { Series } from './schemas.ts';
import { seriesCredits } from './series-credits.ts';

const playing = (name: string, order: number | null, ...roles: [string | null, number?][]) => ({
  ...{ name, order },
  roles: roles.map(([character, episode_count]) => ({ character, episode_count })),
});
const making = (name: string, ...jobs: [string, number][]) => ({
  name,
  jobs: jobs.map(([job, episode_count]) => ({ job, episode_count })),
});

const cases: readonly [what: string, series: Partial<Series>, told: readonly string[]][] = [
  ['of whom nothing is said', {}, []],
  ['of whom null is said', { created_by: null, aggregate_credits: { cast: null } }, []],
  [
    'in the order of the cast, and last who has none',
    {
      aggregate_credits: {
        cast: [
          playing('Last', null, ['C', 1]),
          playing('Second', 7, ['B', 1]),
          playing('First', 0, ['A', 1]),
        ],
      },
    },
    ['actor First A', 'actor Second B', 'actor Last C'],
  ],
  [
    'as what they play most, as far as that has a name',
    {
      aggregate_credits: {
        cast: [
          playing('Many', 0, ['Small', 2], ['Large / Larger', 60], ['Smaller', 1]),
          playing('Unnamed', 1, ['', 60], ['Guest', 1]),
          playing('Silent', 2, [null]),
          playing('Nothing', 3),
        ],
      },
    },
    ['actor Many Large / Larger', 'actor Unnamed Guest', 'actor Silent', 'actor Nothing'],
  ],
  [
    'creators first, and who made half of the episodes',
    {
      ...{ number_of_episodes: 8, created_by: [{ name: 'Maker' }] },
      aggregate_credits: {
        crew: [
          making('Maker', ['Writer', 8]),
          making('Rare', ['Director', 3]),
          making('Steady', ['Director', 4], ['Writer', 1]),
          making('Score', ['Original Music Composer', 8]),
          making('Light', ['Gaffer', 8]),
        ],
        cast: [playing('Star', 0, ['Hero', 8])],
      },
    },
    ['writer Maker', 'director Steady', 'composer Score', 'actor Star Hero'],
  ],
  [
    'without crew where nobody counts the episodes',
    { aggregate_credits: { crew: [making('Some', ['Director', 9])] } },
    [],
  ],
];

describe('who makes a series, as TMDb tells', () => {
  for (const [what, series, told] of cases) {
    it(`are those ${what}`, () => {
      const credits = seriesCredits({ id: 1, name: 'A', ...series });
      expect(
        credits.map(({ role, name, character }) => [role, name, character].join(' ').trim()),
      ).to.deep.equal(told);
    });
  }

  it('are fifty at most, counted by role', () => {
    const many = Array.from({ length: 90 }, (_, at) => `Somebody ${at}`);
    const credits = seriesCredits({
      ...{ id: 1, name: 'A', number_of_episodes: 1 },
      created_by: many.map((name) => ({ name })),
      aggregate_credits: {
        cast: many.map((name, at) => playing(name, at, ['Self', 1])),
        crew: many.map((name) => making(name, ['Producer', 1])),
      },
    });
    expect(credits).to.have.length(50);
    const cast = credits.filter(({ role }) => role === 'actor');
    expect(cast.map(({ position }) => position)).to.deep.equal([...cast.keys()]);
  });
});

import type { ClassValue } from 'svelte/elements';
import { dateOf, duration, fileSize } from './format';
import { currentLocale, t, tn } from './i18n.svelte';
import { numeral } from './intl';
import type { Tile } from './tiles';

type Text = (tile: Tile) => string;

/** What a list says of each work in a column of its own, where there is room for it. */
export interface ListColumn {
  readonly label: string;
  /** What the server sorts by for it. */
  readonly sort: string | undefined;
  /** Empty: not known. */
  readonly text: Text;
  /** How wide it is, and from which width of the page on it is there. */
  readonly class: ClassValue;
  /** The same below the title, where there is no room for columns. */
  readonly brief?: Text;
}

const oneDigit = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
const yearOf: Text = (tile) => String(tile.year ?? '');
const lengthOf: Text = ({ durationMs }) =>
  durationMs > 0 ? duration(durationMs, currentLocale()) : '';
const formatOf: Text = ({ facts }) => facts.formats?.join(' ') ?? '';

const year = (sort: string): ListColumn => ({
  ...{ label: t('sort.year'), sort, text: yearOf, brief: yearOf },
  class: 'hidden w-20 md:block',
});
const added = (): ListColumn => ({
  ...{ label: t('list.added'), sort: 'added' },
  text: ({ facts }) => (facts.addedAt ? dateOf(facts.addedAt, currentLocale()) : ''),
  class: 'hidden w-32 lg:block',
});

/** Of films. */
export const movieColumns = (): ListColumn[] => [
  year('released'),
  {
    ...{ label: t('sort.duration'), sort: 'duration', text: lengthOf, brief: lengthOf },
    class: 'hidden w-32 md:block',
  },
  {
    ...{ label: t('list.format'), sort: undefined, text: formatOf, brief: formatOf },
    class: 'hidden w-32 lg:block',
  },
  {
    ...{ label: t('sort.rating'), sort: 'rating' },
    text: ({ facts: { rating } }) =>
      typeof rating === 'number' ? numeral(rating, currentLocale(), oneDigit) : '',
    class: 'hidden w-24 md:block',
  },
  {
    ...{ label: t('sort.size'), sort: 'size' },
    text: ({ facts }) => (facts.sizeBytes ? fileSize(facts.sizeBytes, currentLocale()) : ''),
    class: 'hidden w-24 xl:block',
  },
  added(),
];

/** Of series. */
export const seriesColumns = (): ListColumn[] => [
  year('year'),
  {
    ...{ label: t('list.episodes'), sort: undefined },
    text: ({ facts: { episodes } }) =>
      episodes === undefined ? '' : numeral(episodes, currentLocale()),
    brief: ({ facts }) => (facts.episodes ? tn('series.episodes', facts.episodes) : ''),
    class: 'hidden w-24 md:block',
  },
  added(),
];

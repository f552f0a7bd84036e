/** How works are named on disk, in the form that this and other programs read without doubt. */

/** What a name is made of. */
export interface NamedWork {
  readonly kind: 'movie' | 'series';
  readonly title: string;
  readonly year?: number | undefined;
  readonly edition?: string | undefined;
  readonly season?: number | undefined;
  readonly episodes?: readonly number[] | undefined;
  /** `YYYY-MM-DD`: of shows that are known by the day. */
  readonly airDate?: string | undefined;
  readonly episodeTitle?: string | undefined;
}

/** Characters that one file system or another refuses, or that this naming gives a meaning. */
const unsafe = /[<>:"/\\|?*[\]{}\p{Cc}]+/gu;

const clean = (text: string): string =>
  text
    .replace(unsafe, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[\s.]+|[\s.]+$/g, '');

const pad = (number: number): string => String(number).padStart(2, '0');

const named = ({ title, year }: NamedWork): string =>
  year === undefined ? clean(title) : `${clean(title)} (${year})`;

/** `S01E02-E03`, or the day. */
function markOf({ season, episodes, airDate }: NamedWork): string {
  const numbers = episodes ?? [];
  const first = numbers[0];
  if (first === undefined) return airDate ?? `S${pad(season ?? 1)}`;
  const last = numbers.at(-1) ?? first;
  const end = last === first ? '' : `-E${pad(last)}`;
  return `S${pad(season ?? 1)}E${pad(first)}${end}`;
}

/**
 * The path of a work's file below its library's root, without the extension: `Film (1999)/Film
 * (1999) - Edition`, `Show (2010)/Season 01/Show (2010) - S01E02 - Title`.
 */
export function pathFor(work: NamedWork): string {
  const name = named(work);
  if (work.kind === 'movie') {
    const edition = work.edition === undefined ? '' : ` - ${clean(work.edition)}`;
    return `${name}/${name}${edition}`;
  }
  const title = clean(work.episodeTitle ?? '');
  const file = [name, markOf(work), ...(title === '' ? [] : [title])].join(' - ');
  const isDaily = work.season === undefined && work.airDate !== undefined;
  if (isDaily) return `${name}/Season ${work.airDate?.slice(0, 4) ?? ''}/${file}`;
  const season = work.season ?? 1;
  return `${name}/${season === 0 ? 'Specials' : `Season ${pad(season)}`}/${file}`;
}

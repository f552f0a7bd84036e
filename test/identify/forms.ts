/** How people name films: each form makes the paths of one, and what lies beside it. */
import type { Film } from './catalogue.ts';

export interface Form {
  readonly name: string;
  /** By path: `film`, `half` of one, or the text of an NFO. Undefined: this one is never named so. */
  paths(film: Film): Readonly<Record<string, string>> | undefined;
  /** No year is said, so no two films may be of that name. */
  readonly isYearless?: true;
}

/** As file systems and people take it. */
const plain = ({ title }: { title: string }): string =>
  title
    .replace(/\s*:\s*/g, ' - ')
    .replace(/\//g, ' ')
    .replace(/[?*"<>|]/g, '')
    .replace(/\.+$/, '')
    .replace(/\s+/g, ' ')
    .trim();

const dotted = (film: Film): string =>
  plain(film)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/&/g, 'and')
    .replace(/['!,·³½]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, '.')
    .replace(/^\.|\.$/g, '');

const one = (path: string) => ({ [path]: 'film' });

/** In the order in which they are given out. */
export const forms: readonly Form[] = [
  {
    name: 'Title (Year)/Title (Year).mkv',
    paths: (film) => one(`${named(film)}/${named(film)}.mkv`),
  },
  {
    name: 'a release in no folder',
    paths: (film) => one(`${dotted(film)}.${film.year}.1080p.BluRay.x264-GROUP.mkv`),
  },
  {
    name: 'a release in a tidy folder',
    paths: (film) =>
      one(`${named(film)}/${dotted(film)}.${film.year}.720p.WEB-DL.DD5.1.H264-FGT.mkv`),
  },
  {
    name: 'a release whose file is shortened',
    paths(film) {
      const short = dotted(film)
        .toLowerCase()
        .replace(/[^a-z]/g, '')
        .slice(0, 5);
      const folder = `${dotted(film)}.${film.year}.German.DL.1080p.BluRay.x264-EXQUiSiTE`;
      return one(`${folder}/exq-${short}-1080p.mkv`);
    },
  },
  {
    name: 'an id of IMDb in the folder',
    paths: (film) =>
      one(`${named(film)} [imdbid-${film.imdb}]/${named(film)} - [Bluray-1080p][x265].mkv`),
  },
  {
    name: 'an id of TMDb for a year',
    paths: (film) => one(`${plain(film)} {tmdb-${film.id}}/${plain(film)}.mkv`),
  },
  {
    name: 'a folder without a year',
    isYearless: true,
    paths: (film) => one(`${plain(film)}/${plain(film)}.mkv`),
  },
  {
    name: 'underscores',
    paths: (film) => one(`${plain(film).replace(/[ -]+/g, '_')}_(${film.year})_[1080p].mp4`),
  },
  {
    name: 'a year too late',
    paths: (film) => one(`${plain(film)} (${film.year + 1})/${plain(film)} (${film.year + 1}).mkv`),
  },
  {
    name: 'a year too early',
    paths: (film) => one(`${dotted(film)}.${film.year - 1}.DVDRip.XviD-NoGrp.avi`),
  },
  {
    name: 'brackets of a tracker',
    paths: (film) =>
      one(
        `${named(film)} [1080p] [BluRay] [5.1] [YTS.MX]/` +
          `${dotted(film)}.${film.year}.1080p.BluRay.x264.AAC5.1-[YTS.MX].mp4`,
      ),
  },
  {
    name: 'folders by letter',
    paths: (film) => one(`${plain(film).charAt(0)}/${named(film)}.mkv`),
  },
  {
    name: 'small letters and nothing else',
    paths: (film) => one(`${plain(film).toLowerCase()} ${film.year}.avi`),
  },
  {
    name: 'an NFO with ids, and a name that says nothing',
    paths: (film) => ({
      [`nfo ${film.id}/video.mkv`]: 'film',
      [`nfo ${film.id}/movie.nfo`]:
        `<movie><title>${film.title.replace(/&/g, '&amp;')}</title><year>${film.year}</year>` +
        `<uniqueid type="imdb" default="true">${film.imdb}</uniqueid></movie>`,
    }),
  },
  {
    name: 'two discs',
    paths: (film) => ({
      [`${named(film)}/${plain(film)} CD1.avi`]: 'half',
      [`${named(film)}/${plain(film)} CD2.avi`]: 'half',
    }),
  },
  {
    name: 'a folder of a collection',
    paths: (film) => one(`${plain(film)} Collection/${named(film)}/${named(film)}.mkv`),
  },
  {
    name: 'an edition',
    paths: (film) => one(`${named(film)}/${named(film)} - Director's Cut.mkv`),
  },
  {
    name: 'a release in several languages',
    paths: (film) =>
      one(`${dotted(film)}.${film.year}.MULTi.VFF.2160p.WEB-DL.DV.HDR.DDP5.1.H265-FRATERNiTY.mkv`),
  },
  {
    name: 'names by Radarr',
    paths: (film) =>
      one(
        `${named(film)}/${named(film)} {edition-Theatrical} ` +
          `[WEBDL-1080p][EAC3 5.1][h264]-NTb.mkv`,
      ),
  },
  {
    name: 'the article behind',
    paths(film) {
      const [, article, rest] = /^(The|A) (.+)$/.exec(plain(film)) ?? [];
      return rest === undefined ? undefined : one(`${rest}, ${article} (${film.year}).mkv`);
    },
  },
  {
    name: 'a letter left out',
    paths(film) {
      const at = plain(film).length - 3;
      if (at < 7 || !/[a-z]/.test(plain(film).charAt(at))) return undefined;
      const typed = plain(film).slice(0, at) + plain(film).slice(at + 1);
      return one(`${typed} (${film.year})/${typed} (${film.year}).mkv`);
    },
  },
  {
    name: 'the original title',
    paths(film) {
      const isLatin = /^[\p{Script=Latin}\p{P}\p{Zs}\p{N}]+$/u.test(film.original);
      if (!isLatin || film.original === film.title) return undefined;
      return one(`${plain({ title: film.original })} (${film.year}).mkv`);
    },
  },
];

const named = (film: Film): string => `${plain(film)} (${film.year})`;

/** What TheTVDB says of films and series alike, in our words. Pure. */
import { bareLanguage, languageCode, languageSpellings } from '../../languages.ts';
import type {
  Candidate,
  ImageOffer,
  Locale,
  Trailer,
  Translation,
  WorkRecord,
} from '../../metadata/provider.ts';
import type { Credit, CreditRole } from '../../people/index.ts';
import { imdbOf, namesOf, otherTitles, said } from '../read.ts';
import type { Artwork, Hit, Series } from './schemas.ts';

/** Languages as it names them: three letters, but for the Portuguese of Brazil. */
export function tvdbLanguage(locale: Pick<Locale, 'language'>): string {
  if (/^pt-br$/i.test(locale.language)) return 'pt';
  return languageSpellings(bareLanguage(locale.language))[1] ?? 'eng';
}

const countries: Readonly<Record<string, string>> = {
  ...{ usa: 'US', gbr: 'GB', deu: 'DE', fra: 'FR', jpn: 'JP', kor: 'KR', can: 'CA', aus: 'AU' },
  ...{ nzl: 'NZ', irl: 'IE', esp: 'ES', ita: 'IT', nld: 'NL', bel: 'BE', swe: 'SE', dnk: 'DK' },
  ...{ nor: 'NO', fin: 'FI', ind: 'IN', chn: 'CN', aut: 'AT', che: 'CH', pol: 'PL', bra: 'BR' },
  ...{ mex: 'MX', arg: 'AR', rus: 'RU', tur: 'TR', isr: 'IL', zaf: 'ZA', cze: 'CZ', hun: 'HU' },
};

/** Undefined: it names none, or one that no title is told apart by. */
export function countriesOf(country: string | null | undefined): string[] | undefined {
  const code = countries[country?.toLowerCase() ?? ''];
  return code === undefined ? undefined : [code];
}

const host = 'https://artworks.thetvdb.com';

/** Older pictures are named without their host. */
export const pictureUrl = (path: string): string => (path.startsWith('/') ? host + path : path);

const yearIn = (text: string | null | undefined): number | undefined =>
  text != null && /^\d{4}$/.test(text) ? Number(text) : undefined;

/** A hit of a search. It does not say how many people know what it found. */
export function candidateOf(hit: Hit, locale: Locale): Candidate {
  const language = tvdbLanguage(locale);
  const poster = said(hit.image_url);
  const title = said(hit.translations?.[language]) ?? hit.name;
  return {
    ...{ id: String(hit.tvdb_id), title, originalTitle: hit.name, votes: 0 },
    otherTitles: otherTitles(
      [...Object.values(hit.translations ?? {}), ...(hit.aliases ?? [])],
      [title, hit.name],
    ),
    ...{ year: yearIn(hit.year), countries: countriesOf(hit.country) },
    overview: said(hit.overviews?.[language]) ?? said(hit.overview),
    posterUrl: poster === undefined ? undefined : pictureUrl(poster),
  };
}

type Common = Omit<Series, 'overview' | 'firstAired' | 'averageRuntime' | 'seasons'>;

/** What a record says, but for what only one kind has. */
export function recordOf(work: Common, locale: Locale): WorkRecord {
  const { id, name } = work;
  const names = work.translations?.nameTranslations ?? [];
  const texts = work.translations?.overviewTranslations ?? [];
  const wanted = [tvdbLanguage(locale), 'eng'];
  const by = <One extends { language?: string | null | undefined }>(list: readonly One[]) =>
    wanted.flatMap((language) => list.find((one) => one.language === language) ?? []);
  const title = said(by(names)[0]?.name) ?? name;
  return {
    ...{ id: String(id), title, originalTitle: name, ids: idsOf(work) },
    otherTitles: otherTitles(
      [
        ...names.flatMap((one) => [one.name, ...(one.aliases ?? [])]),
        ...(work.aliases ?? []).map((one) => one.name),
      ],
      [title, name],
    ),
    translations: translationsOf(names, texts),
    ...{ year: yearIn(work.year), countries: countriesOf(work.originalCountry) },
    overview: by(texts).flatMap((one) => said(one.overview) ?? [])[0],
    tagline: said(by(texts)[0]?.tagline),
    status: said(work.status?.name),
    certifications: certificationsOf(work),
    studios: [],
    genres: namesOf(work.genres),
    tags: [],
    credits: creditsOf(work.characters),
    trailers: trailersOf(work.trailers),
    images: offersOf(work, locale),
  };
}

type Texts = NonNullable<NonNullable<Common['translations']>['nameTranslations']>;

/** Names that are other names, not the one in a language, are left out. */
function translationsOf(names: Texts, texts: Texts): Translation[] {
  const spoken = new Set([...names, ...texts].flatMap(({ language }) => said(language) ?? []));
  return [...spoken].flatMap((spelled) => {
    const language = spelled === 'pt' ? 'pt-BR' : languageCode(spelled);
    if (language === undefined) return [];
    const text = texts.find((one) => one.language === spelled);
    const name = names.find((one) => one.language === spelled && one.isAlias !== true);
    const tagline = said(text?.tagline);
    return [{ language, title: said(name?.name), overview: said(text?.overview), tagline }];
  });
}

function idsOf({ id, remoteIds }: Common): WorkRecord['ids'] {
  const from = (source: RegExp) =>
    (remoteIds ?? []).find(({ sourceName }) => source.test(sourceName ?? ''))?.id;
  const imdb = imdbOf(from(/^imdb$/i));
  const tmdb = from(/^themoviedb/i);
  return {
    tvdb: String(id),
    ...(imdb === undefined ? {} : { imdb }),
    ...(tmdb !== undefined && /^\d{1,9}$/.test(tmdb) ? { tmdb } : {}),
  };
}

function certificationsOf({ contentRatings }: Common): Record<string, string> {
  const found = (contentRatings ?? []).flatMap(({ name, country }) => {
    const [code] = countriesOf(country) ?? [];
    return code === undefined || said(name) === undefined ? [] : [[code, name] as const];
  });
  return Object.fromEntries(found);
}

/** By the names of its types of people (`/people/types`); guests are those of single episodes. */
const roles: Readonly<Record<string, CreditRole>> = {
  Actor: 'actor',
  Director: 'director',
  Writer: 'writer',
  Creator: 'writer',
  Producer: 'producer',
  'Executive Producer': 'producer',
  Showrunner: 'other',
  Host: 'other',
};

const castMax = 40;
const crewMax = 20;

/** The crew and then the cast, of the work as a whole. */
function creditsOf(characters: Series['characters']): Credit[] {
  const sorted = (characters ?? []).toSorted((a, b) => (a.sort ?? 999) - (b.sort ?? 999));
  const credits = new Map<string, Credit>();
  for (const { personName, name, peopleType, episodeId } of sorted) {
    const [person, type] = [said(personName), said(peopleType) ?? ''];
    const role = roles[type];
    const isOfEpisode = episodeId != null && episodeId !== 0;
    if (person === undefined || role === undefined || isOfEpisode) continue;
    if (credits.has(`${role} ${person}`)) continue;
    const position = [...credits.values()].filter((one) => one.role === role).length;
    const part = role === 'actor' ? (said(name) ?? '') : '';
    const character = role === 'other' ? type : part;
    credits.set(`${role} ${person}`, { name: person, role, character, position });
  }
  const all = [...credits.values()];
  return [
    ...all.filter(({ role }) => role !== 'actor').slice(0, crewMax),
    ...all.filter(({ role }) => role === 'actor').slice(0, castMax),
  ];
}

const youtube = /(?:youtube\.com\/watch\?(?:.*&)?v=|youtu\.be\/)([\w-]{6,20})/;

function trailersOf(trailers: Series['trailers']): Trailer[] {
  return (trailers ?? []).flatMap(({ url, name, language }) => {
    const key = youtube.exec(url)?.[1];
    if (key === undefined) return [];
    const code = language == null ? undefined : languageCode(language);
    return [{ site: 'YouTube', key, name: said(name) ?? 'Trailer', language: code }];
  });
}

/** Types of pictures by their numbers (`/artwork/types`), of series and of films. */
const pictureTypes: ReadonlyMap<number, ImageOffer['type']> = new Map([
  [2, 'poster'],
  [14, 'poster'],
  [3, 'backdrop'],
  [15, 'backdrop'],
  [23, 'logo'],
  [25, 'logo'],
]);

const offersMax = 12;

/** Pictures of each type: in the language asked for, then without text, then in English. */
function offersOf({ artworks, image }: Common, locale: Locale): ImageOffer[] {
  const order = [tvdbLanguage(locale), '', 'eng'];
  const rank = ({ language }: Artwork) => {
    const index = order.indexOf(said(language) ?? '');
    return index < 0 ? order.length : index;
  };
  const sorted = (artworks ?? []).toSorted(
    (a, b) => rank(a) - rank(b) || (b.score ?? 0) - (a.score ?? 0),
  );
  const offers = sorted.flatMap((one): ImageOffer[] => {
    const type = pictureTypes.get(one.type);
    const isUsable = type !== undefined && !one.image.endsWith('.svg');
    const language = one.language == null ? undefined : languageCode(one.language);
    return isUsable ? [{ type, url: pictureUrl(one.image), language }] : [];
  });
  const main = said(image);
  const hasPoster = offers.some(({ type }) => type === 'poster');
  const own: ImageOffer[] =
    hasPoster || main === undefined ? [] : [{ type: 'poster', url: pictureUrl(main) }];
  return [...Map.groupBy([...own, ...offers], ({ type }) => type).values()].flatMap((list) =>
    list.slice(0, offersMax),
  );
}

import { bareLanguage, isAsWanted } from '../languages.ts';
import type { ProviderIds } from '../naming/ids.ts';
import type { Credit } from '../people/index.ts';

/** In what language, and by which country's rules, a provider is asked. */
export interface Locale {
  /** As of the library: `de`, `pt-BR`. */
  readonly language: string;
  /** Two letters, ISO 3166: `DE`. */
  readonly country: string;
}

/** A record that a work might be. */
export interface Candidate {
  readonly id: string;
  readonly title: string;
  readonly originalTitle?: string | undefined;
  /** As far as a search tells them. */
  readonly otherTitles?: readonly string[] | undefined;
  readonly year?: number | undefined;
  readonly overview?: string | undefined;
  readonly posterUrl?: string | undefined;
  /** Where it is from, two letters each; undefined: the provider does not say. */
  readonly countries?: readonly string[] | undefined;
  /** How many have rated it: how likely it is the one people mean. */
  readonly votes: number;
}

/** A picture a provider offers; nothing of it has been fetched. */
export interface ImageOffer {
  readonly type: 'poster' | 'backdrop' | 'logo' | 'thumb';
  readonly url: string;
  /** Two letters; undefined: no text in it. */
  readonly language?: string | undefined;
}

/** A film about the film, at a video site. */
export interface Trailer {
  readonly site: string;
  readonly key: string;
  readonly name: string;
  readonly language?: string | undefined;
}

/** A work's texts in one language, as far as there are any. */
export interface Translation {
  /** As in BCP 47: `de`, `pt-BR`. */
  readonly language: string;
  readonly title?: string | undefined;
  readonly overview?: string | undefined;
  readonly tagline?: string | undefined;
}

/** What a provider knows of a work; what it does not know is undefined or empty. */
export interface WorkRecord {
  readonly id: string;
  readonly ids: ProviderIds;
  readonly title: string;
  readonly originalTitle?: string | undefined;
  /** In other languages and countries; the two above are not among them. */
  readonly otherTitles: readonly string[];
  readonly translations: readonly Translation[];
  readonly year?: number | undefined;
  /** Where it is from, two letters each; undefined: the provider does not say. */
  readonly countries?: readonly string[] | undefined;
  /** When it was first shown, YYYY-MM-DD. */
  readonly date?: string | undefined;
  readonly runtimeMs?: number | undefined;
  readonly overview?: string | undefined;
  readonly tagline?: string | undefined;
  readonly status?: string | undefined;
  /** By country, two letters. */
  readonly certifications: Readonly<Record<string, string>>;
  readonly studios: readonly string[];
  readonly collection?: { readonly id: string; readonly name: string } | undefined;
  readonly genres: readonly string[];
  readonly tags: readonly string[];
  /** Out of ten. */
  readonly rating?: { readonly source: string; readonly score: number; readonly votes: number };
  readonly credits: readonly Credit[];
  readonly trailers: readonly Trailer[];
  /** Best first. */
  readonly images: readonly ImageOffer[];
}

/** An episode that a provider knows of. */
export interface EpisodeRecord {
  readonly season: number;
  readonly number: number;
  readonly title?: string | undefined;
  readonly overview?: string | undefined;
  /** Counted through all seasons; undefined: as its place in them says. */
  readonly absolute?: number | undefined;
  /** YYYY-MM-DD. */
  readonly airDate?: string | undefined;
  readonly runtimeMs?: number | undefined;
  /** Its texts in languages other than the one asked for. */
  readonly translations?: readonly Translation[] | undefined;
  /** Best first. */
  readonly images?: readonly ImageOffer[] | undefined;
}

/** In which episodes are counted: as shown, as on discs, or through all seasons. */
export type EpisodeOrder = 'aired' | 'dvd' | 'absolute';

/** Where episodes stand in an order. */
export interface OrderRecord {
  readonly order: Exclude<EpisodeOrder, 'absolute'>;
  readonly places: readonly {
    readonly season: number;
    readonly number: number;
    /** The same episode, as the record has it. */
    readonly known: Pick<EpisodeRecord, 'season' | 'number'>;
  }[];
}

/** A season that a provider knows of. */
export interface SeasonRecord {
  readonly number: number;
  /** Of its own; one that only counts is none. */
  readonly title?: string | undefined;
  readonly overview?: string | undefined;
  readonly episodeCount?: number | undefined;
  readonly translations?: readonly Translation[] | undefined;
  /** Best first. */
  readonly images?: readonly ImageOffer[] | undefined;
}

/** A series, with its episodes once they have been asked for. */
export interface SeriesRecord extends WorkRecord {
  readonly seasons: readonly SeasonRecord[];
  readonly episodes: readonly EpisodeRecord[];
  /** The order that was asked for, where its seasons and numbers are others. */
  readonly ordered?: OrderRecord | undefined;
}

/** What a work is looked for by. */
export interface TitleQuery {
  readonly title: string;
  readonly year?: number | undefined;
}

/** Those there are, as sources of fields name them. */
const names: ReadonlySet<string> = new Set(['tmdb', 'tvdb']);

/** Whether the source of a field is a provider's record. Pure. */
export const isProviderName = (source: string | undefined): boolean =>
  source !== undefined && names.has(source);

/** What is asked for of the parts of a work. */
export interface PartsAsked {
  readonly locale: Locale;
  /** In which their texts are kept besides, as in BCP 47. */
  readonly languages: readonly string[];
  /** In which order a person has them count; undefined: as the provider does. */
  readonly order?: EpisodeOrder | undefined;
}

/** A provider, as far as one kind of work goes. All methods throw ProviderError. */
export interface WorkProvider<Work extends WorkRecord = WorkRecord> {
  /** Names it in sources of fields, ids and the log: `tmdb`. */
  readonly name: string;
  /** As people know it. */
  readonly label: string;
  search(query: TitleQuery, locale: Locale): Promise<readonly Candidate[]>;
  /** Its own id of the work that others name so; undefined: it knows none of them. */
  idOf(ids: ProviderIds): Promise<string | undefined>;
  /** Undefined: it has no such record. `isFresh`: as it is now, past what is cached. */
  work(id: string, locale: Locale, options?: { isFresh?: boolean }): Promise<Work | undefined>;
  /**
   * The same record with its parts, in as few requests as that takes: only of the one that a work
   * is. Absent: works of this kind have none.
   */
  whole?(record: Work, asked: PartsAsked, options?: { isFresh?: boolean }): Promise<Work>;
  /** The cache tag of a record: made stale, the provider is asked anew. */
  tagOf(id: string): string;
}

/**
 * The languages in which it is worth asking for the parts of a work: those wanted, but for its own,
 * in which the provider has anything to say of the work itself. Pure.
 */
export function languagesOfParts(
  { translations }: Pick<WorkRecord, 'translations'>,
  { locale, languages }: PartsAsked,
): string[] {
  const spoken = new Set(translations.map(({ language }) => bareLanguage(language)));
  const wanted = languages.filter(
    (one) => !isAsWanted(locale.language, one) && spoken.has(bareLanguage(one)),
  );
  return [...new Set(wanted)];
}

/** The country whose rules a library goes by: that of its language, as the language names it. */
export function localeOf(language: string): Locale {
  try {
    const { region = 'US' } = new Intl.Locale(language).maximize();
    return { language, country: region };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { language: 'en', country: 'US' };
  }
}

import type { FoundDate } from './dates.ts';
import type { ProviderIds } from './ids.ts';
import type { Lead } from './lead.ts';
import type { Found } from './lexicon.ts';
import type { ReleaseFacts } from './release.ts';
import type { Tokens } from './tokens.ts';

/** How the episodes are named; the first forms are the surest. */
export type EpisodeForm =
  'standard' | 'date' | 'episode' | 'season' | 'number' | 'compact' | 'special';

/** A place in a name: [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a name says of seasons, episodes and days. */
export interface Episodes extends Span {
  readonly form: EpisodeForm;
  /** Where the marks stand in the name; the title ends at `start`. */
  readonly places: readonly Span[];
  readonly seasons: readonly number[];
  readonly episodes: readonly number[];
  /** Numbers that count through all seasons; halves (`26.5`) have no place in the count. */
  readonly absolute: readonly number[];
  /** `YYYY-MM-DD`. */
  readonly date?: string;
  readonly isSpecial?: boolean;
  /** Of "5 of 9" the 9. */
  readonly count?: number;
  readonly part?: number;
  readonly version?: number;
}

/** One reading of one name. */
export interface NameReading {
  readonly title: string;
  readonly year: number | undefined;
  readonly ids: ProviderIds;
  readonly edition: string | undefined;
  /** Other titles the name gives ("A aka B"). */
  readonly alternates: readonly string[];
  readonly release: ReleaseFacts;
  /** What the name says of seasons, episodes and days; undefined: nothing. */
  readonly episodes: Episodes | undefined;
  readonly episodeTitle: string | undefined;
}

export interface NamingOptions {
  /** A later number is no year of release: 'Blade Runner 2049'. */
  readonly latestYear: number;
  /** What the library holds; without it the name decides. */
  readonly kind?: 'movie' | 'series' | undefined;
  /** The season of the folder a file lies in. */
  readonly season?: number | undefined;
  /** A folder's name: a number in it is an episode's only in fansubs' names. */
  readonly isFolder?: boolean;
  /** The title of the folder a file lies in: numbers in it are no episodes. */
  readonly folderTitle?: string | undefined;
}

/** A name taken apart, before its parts are given their meaning. */
export interface Parts {
  readonly text: string;
  readonly name: Tokens;
  readonly words: readonly Found[];
  readonly lead: Lead;
  readonly date: FoundDate | undefined;
}

import { api, read } from './api';
import { labelOf } from './episode-label';
import { meaning } from './explain';
import { movie, search, series } from './queries';
import type { Recorded } from './records';
import type { Movie, Series, SeriesFile, SeriesFilePage } from './types';

/** A work that is to take others in, or to be taken apart. */
export interface Whole extends Pick<Movie, 'id' | 'libraryId' | 'title' | 'year'> {
  /** Of a film. */
  readonly versions?: Movie['versions'];
  /** Of a series. */
  readonly seasons?: Series['seasons'];
}

/** What tells a work from another in a sentence. Pure. */
export const nameOf = ({ title, year }: Pick<Whole, 'title' | 'year'>): string =>
  year === null ? title : `${title} (${year})`;

/** Files that are one choice: a version with all of its parts. */
export interface Piece {
  readonly fileIds: readonly string[];
  readonly label: string;
  readonly names: readonly string[];
  /** The last scan did not find it. */
  readonly isMissing?: boolean;
}

/** Makes films versions of one of them, which stays. @throws ApiError with what the server said */
const mergeMovies = (movieId: string, movieIds: string[]) =>
  read(
    api.POST('/api/v1/movies/{movieId}/merge', {
      params: { path: { movieId } },
      body: { movieIds },
    }),
  );
const mergeSeries = (seriesId: string, seriesIds: string[]) =>
  read(
    api.POST('/api/v1/series/{seriesId}/merge', {
      params: { path: { seriesId } },
      body: { seriesIds },
    }),
  );
const splitMovie = (movieId: string, fileIds: string[]) =>
  read(
    api.POST('/api/v1/movies/{movieId}/split', {
      params: { path: { movieId } },
      body: { fileIds },
    }),
  );
const splitSeries = (seriesId: string, fileIds: string[]) =>
  read(
    api.POST('/api/v1/series/{seriesId}/split', {
      params: { path: { seriesId } },
      body: { fileIds },
    }),
  );

/** Makes other works of its kind part of a work. @throws Error that says why not */
export const mergeInto = ({ kind, id }: Recorded, ids: readonly string[]): Promise<unknown> =>
  meaning<unknown>(
    kind === 'movie' ? mergeMovies(id, [...ids]) : mergeSeries(id, [...ids]),
    ofMerging,
  );

/** Makes files of a work one of its own: that one. @throws Error that says why not */
export const splitOff = (
  { kind, id }: Recorded,
  fileIds: readonly string[],
): Promise<Movie | Series> =>
  meaning<Movie | Series>(
    kind === 'movie' ? splitMovie(id, [...fileIds]) : splitSeries(id, [...fileIds]),
    ofSplitting,
  );

/** What problems mean here: most often somebody else, or a scan, was there before. */
const ofMerging = { 'not-found': 'merge.gone', unprocessable: 'merge.apart' } as const;
const ofSplitting = { 'not-found': 'merge.gone', unprocessable: 'split.all' } as const;

/** The query that the page of a work shows. */
export const pageKey = ({ kind, id }: Recorded) =>
  kind === 'movie' ? movie(id).queryKey : series(id).queryKey;

/** Works of the same kind and library as one, which may be the same. */
export const others = ({ kind, id }: Recorded, libraryId: string, q: string) => ({
  queryKey: [...search(q).queryKey, 'others', kind, id] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const query = { q, kinds: [kind], library: [libraryId], limit: 50 };
    const { items } = await read(api.GET('/api/v1/search', { params: { query }, signal }));
    return items.filter((item) => item.id !== id);
  },
});

/** Versions of a film. Pure. */
export const piecesOf = (versions: Movie['versions']): readonly Piece[] =>
  versions.map(({ label, resolution, files }) => ({
    fileIds: files.map((file) => file.id),
    label: label ?? resolution ?? '',
    names: files.map(({ name }) => name),
  }));

type Held = SeriesFile['episodes'][number];

/** Files of a season, in order, each with the episodes it holds. */
export const seasonPieces = (seriesId: string, season: number) => ({
  queryKey: ['pieces', seriesId, season] as const,
  // What is chosen among is what stood there when the choice began.
  ...{ staleTime: Infinity, gcTime: 0 },
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<readonly Piece[]> => {
    const files: SeriesFile[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = { season, limit: 200, ...(cursor === '' ? {} : { cursor }) };
      const page: SeriesFilePage = await filesOf(seriesId, query, signal);
      files.push(...page.items);
      cursor = page.nextCursor;
    }
    return ofFiles(files, labelOf);
  },
});

/** How many videos a series has. */
export const countFiles = (seriesId: string) => ({
  queryKey: ['pieces', seriesId, 'count'] as const,
  ...{ staleTime: Infinity, gcTime: 0 },
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await filesOf(seriesId, { limit: 1 }, signal)).total,
});

const filesOf = (
  seriesId: string,
  query: { season?: number; limit: number; cursor?: string },
  signal: AbortSignal,
): Promise<SeriesFilePage> => {
  const params = { path: { seriesId }, query };
  return read(api.GET('/api/v1/series/{seriesId}/files', { params, signal }));
};

/** Files by version: parts of one are one choice, named by the episodes they hold. Pure. */
function ofFiles(files: readonly SeriesFile[], label: (one: Held) => string): readonly Piece[] {
  const versions = Map.groupBy(files, ({ versionId }) => versionId);
  return [...versions.values()].map((parts) => ({
    fileIds: parts.map(({ id }) => id),
    names: parts.map(({ name }) => name),
    label: [...new Set(parts.flatMap(({ episodes }) => episodes.map(label)))].join(' + '),
    isMissing: parts.some(({ isMissing }) => isMissing),
  }));
}

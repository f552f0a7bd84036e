import { startVendor, type Vendor, type VendorAnswer } from '../vendor.ts';

/** A Radarr or Sonarr of version 3 with a few works; its key is `arr-key`. */
export interface FakeArr extends Vendor {
  /** As its API sends them. */
  readonly works: object[];
  /** Instead of what it has; undefined: as usual. */
  trouble: VendorAnswer | undefined;
}

/** Starts one that answers below `/base`, as behind a proxy. */
export async function startArr(kind: 'movie' | 'series'): Promise<FakeArr> {
  const vendor = await startVendor();
  const fake: FakeArr = Object.assign(vendor, { works: [], trouble: undefined });
  vendor.respond = (url, { headers }) => {
    if (headers['x-api-key'] !== 'arr-key') return { status: 401, json: { error: 'Unauthorized' } };
    if (fake.trouble !== undefined) return fake.trouble;
    return url.pathname === `/base/api/v3/${kind}` ? { json: fake.works } : 404;
  };
  return fake;
}

/** A film as Radarr sends it, as far as anybody reads it. */
export const radarrFilm = (film: {
  title: string;
  path: string;
  tmdbId: number;
  imdbId?: string;
  year?: number;
}): object => ({
  ...{ id: 718, originalTitle: film.title, sortTitle: film.title.toLowerCase(), year: 0 },
  ...{ originalLanguage: { id: 1, name: 'English' }, secondaryYearSourceId: 0, sizeOnDisk: 9 },
  ...{ status: 'released', hasFile: true, movieFileId: 719, monitored: true, runtime: 148 },
  alternateTitles: [
    { sourceType: 'tmdb', movieMetadataId: 1, title: `${film.title} again`, id: 3 },
  ],
  images: [{ coverType: 'poster', url: '/MediaCover/718/poster.jpg' }],
  ...{ ratings: { tmdb: { votes: 3, value: 8.1, type: 'user' } }, genres: ['Action'], tags: [] },
  ...film,
});

/** A series as Sonarr sends it. */
export const sonarrSeries = (series: {
  title: string;
  path: string;
  tvdbId: number;
  tmdbId?: number;
}): object => ({
  ...{ id: 105, sortTitle: series.title.toLowerCase(), status: 'ended', year: 0, tvRageId: 0 },
  ...{ alternateTitles: [], seasons: [{ seasonNumber: 1, monitored: false }], tvMazeId: 0 },
  ...{ seriesType: 'standard', imdbId: '', titleSlug: 'x', statistics: { seasonCount: 1 } },
  ...series,
});

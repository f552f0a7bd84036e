import { expect } from 'chai';
import fc from 'fast-check';
import { arrivalsOf, type ArrSource } from './arr.ts';

describe('webhooks of Radarr and Sonarr', () => {
  const film = { id: 1, title: 'Heat', folderPath: '/movies/Heat (1995)', tmdbId: 949 };
  const show = { id: 2, title: 'Dark', path: '/tv/Dark', tvdbId: 334824 };

  const table: [name: string, source: ArrSource, body: object, came: string[], went: string[]][] = [
    [
      'an import of a film',
      'radarr',
      { eventType: 'Download', movie: film, movieFile: { relativePath: 'Heat.mkv', path: '/x' } },
      ['/movies/Heat (1995)/Heat.mkv'],
      [],
    ],
    [
      'an upgrade, with what it replaced',
      'radarr',
      {
        ...{ eventType: 'Download', isUpgrade: true, movie: film },
        movieFile: { relativePath: 'Heat.2160p.mkv' },
        deletedFiles: [{ relativePath: 'Heat.720p.mkv' }, { relativePath: 'Heat.2160p.mkv' }],
      },
      ['/movies/Heat (1995)/Heat.2160p.mkv'],
      ['/movies/Heat (1995)/Heat.720p.mkv'],
    ],
    [
      'a film renamed',
      'radarr',
      {
        ...{ eventType: 'Rename', movie: film },
        renamedMovieFiles: [{ previousRelativePath: 'a.mkv', relativePath: 'b.mkv' }],
      },
      ['/movies/Heat (1995)/b.mkv'],
      ['/movies/Heat (1995)/a.mkv'],
    ],
    [
      'a rename that names no files',
      'radarr',
      { eventType: 'Rename', movie: { folderPath: '/movies/Heat (1995)/' } },
      ['/movies/Heat (1995)/'],
      [],
    ],
    [
      'a deleted file of a film',
      'radarr',
      { eventType: 'MovieFileDelete', movie: film, movieFile: { relativePath: 'Heat.mkv' } },
      [],
      ['/movies/Heat (1995)/Heat.mkv'],
    ],
    ['a deleted film', 'radarr', { eventType: 'MovieDelete', movie: film }, [], [film.folderPath]],
    ['a film that is grabbed', 'radarr', { eventType: 'Grab', movie: film }, [], []],
    ['a film that is wanted', 'radarr', { eventType: 'MovieAdded', movie: film }, [], []],
    [
      'an episode, whose path is still that of the download',
      'sonarr',
      {
        ...{ eventType: 'Download', series: show },
        episodeFile: { relativePath: 'Season 1/S01E01.mkv', path: '/downloads/dark.mkv' },
      },
      ['/tv/Dark/Season 1/S01E01.mkv'],
      [],
    ],
    [
      'several episodes at once',
      'sonarr',
      {
        ...{ eventType: 'Download', series: show, fileCount: 2, destinationPath: '/tv/Dark' },
        episodeFiles: [{ relativePath: 'a.mkv' }, { path: '/tv/Dark/b.mkv' }],
      },
      ['/tv/Dark/a.mkv', '/tv/Dark/b.mkv'],
      [],
    ],
    [
      'an episode renamed',
      'sonarr',
      {
        ...{ eventType: 'Rename', series: show },
        renamedEpisodeFiles: [{ previousPath: '/tv/Dark/a.mkv', relativePath: 'S1/b.mkv' }],
      },
      ['/tv/Dark/S1/b.mkv'],
      ['/tv/Dark/a.mkv'],
    ],
    ['a deleted series', 'sonarr', { eventType: 'SeriesDelete', series: show }, [], ['/tv/Dark']],
    ['the button for a test', 'sonarr', { eventType: 'Test', series: show }, [], []],
    ['health', 'sonarr', { eventType: 'Health', message: 'x' }, [], []],
  ];
  for (const [name, source, body, came, went] of table) {
    it(`tell of ${name}`, () => {
      const told = arrivalsOf(source, body);
      const paths = (isGone: boolean) =>
        told.filter((one) => one.isGone === isGone).map(({ path }) => path);
      expect({ came: paths(false), went: paths(true) }).to.deep.equal({ came, went });
    });
  }

  it('never throw, whatever they are', () => {
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          eventType: fc.constantFrom('Download', 'Rename', 'SeriesDelete', 'constructor'),
          series: fc.jsonValue(),
          episodeFile: fc.jsonValue(),
          episodeFiles: fc.jsonValue(),
          renamedEpisodeFiles: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(body, (value) => arrivalsOf('sonarr', value).every(({ path }) => path !== '')),
    );
  });
});

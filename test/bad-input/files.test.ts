import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { has, needs } from '../needs.ts';
import { startServer, tinyFilm, writeFiles, type TestServer } from '../server.ts';
import { startListener, type Listener } from './listener.ts';
import * as make from './makers.ts';
import type { Make } from './makers.ts';

type Schemas = components['schemas'];

/** One line of the table; the good film that lies beside is not mentioned. */
interface Line {
  readonly put: Make;
  /** All that `GET /libraries/{id}/problems` says: path below the case's folder, and reason. */
  readonly problems: readonly (readonly [path: string, reason: string | RegExp])[];
  /** The titles that are listed. */
  readonly shows: readonly string[];
  /** What the first of these films says of its NFO. */
  readonly nfo?: readonly string[];
}

const name = 'Bad (2001)/Bad (2001)';
const playlist = 'a playlist in disguise, not a media file';
const notMedia = /^not a media file: ./;
const outside = 'link out of the library';
const crowd = 'ten thousand files in one folder';
const long = 'L'.repeat(251);

const table: Readonly<Record<string, Line>> = {
  'an empty file': {
    put: make.files(() => ({ [`${name}.mkv`]: '' })),
    problems: [[`${name}.mkv`, 'the file is empty']],
    shows: ['Bad'],
  },
  'a film cut off in its index': {
    put: make.files(({ film }) => ({ [`${name}.mp4`]: film.subarray(0, 600) })),
    problems: [[`${name}.mp4`, notMedia]],
    shows: ['Bad'],
  },
  'a film cut off after its index': {
    put: make.files(({ film }) => ({ [`${name}.mp4`]: film.subarray(0, film.length / 2) })),
    problems: [],
    shows: ['Bad'],
  },
  'zeros called .mkv': {
    put: make.files(() => ({ [`${name}.mkv`]: Buffer.alloc(100_000) })),
    problems: [[`${name}.mkv`, notMedia]],
    shows: ['Bad'],
  },
  'a text called .mkv': {
    put: make.files(() => ({ [`${name}.mkv`]: 'Once upon a time.\n'.repeat(1_000) })),
    problems: [[`${name}.mkv`, notMedia]],
    shows: ['Bad'],
  },
  'a picture called .mp4': {
    put: make.files(({ picture }) => ({ [`${name}.mp4`]: picture })),
    problems: [[`${name}.mp4`, notMedia]],
    shows: ['Bad'],
  },
  'an MP4 called .mkv': {
    put: make.files(({ film }) => ({ [`${name}.mkv`]: film })),
    problems: [],
    shows: ['Bad'],
  },
  'an HLS playlist of an address, called .mkv': {
    put: make.files(({ port }) => ({ [`${name}.mkv`]: make.hls(`http://127.0.0.1:${port}/1.ts`) })),
    problems: [[`${name}.mkv`, playlist]],
    shows: ['Bad'],
  },
  'an HLS playlist of a file, called .mkv': {
    put: make.files((at) => ({ [`${name}.mkv`]: make.hls(`file://${at.outside}/secret.mp4`) })),
    problems: [[`${name}.mkv`, playlist]],
    shows: ['Bad'],
  },
  'an ffconcat list of a file, called .mp4': {
    put: make.files((at) => ({
      [`${name}.mp4`]: `ffconcat version 1.0\nfile '${at.outside}/secret.txt'\n`,
    })),
    problems: [[`${name}.mp4`, playlist]],
    shows: ['Bad'],
  },
  'a name of 255 bytes': {
    put: make.files(({ film }) => ({ [`${long}.mp4`]: film })),
    problems: [],
    shows: [long],
  },
  'a name that is no UTF-8': {
    put: make.latin1Name('Caf\xe9 (2003).mp4'),
    problems: [],
    shows: ['Café'],
  },
  'a newline in a name': {
    put: make.files(({ film }) => ({ 'New\nline (2004).mp4': film })),
    problems: [],
    shows: ['New line'],
  },
  'markup in a name': {
    put: make.files(({ film }) => ({ '<img src=x onerror=alert(1)> (2004).mp4': film })),
    problems: [],
    shows: ['<img src=x onerror=alert(1)>'],
  },
  'control characters in a name': {
    put: make.files(({ film }) => ({ 'Bad\x07 \x1bBell (2001).mp4': film })),
    problems: [],
    shows: ['Bad Bell'],
  },
  'a link to its own folder': {
    put: make.link('loop', () => '.'),
    problems: [['loop', 'link loop']],
    shows: [],
  },
  'a link to itself': {
    put: make.link('self.mkv', () => 'self.mkv'),
    problems: [['self.mkv', 'link loop']],
    shows: [],
  },
  'a link to nothing': {
    put: make.link('Bad (2001).mkv', () => 'nothing.mkv'),
    problems: [['Bad (2001).mkv', 'broken link']],
    shows: [],
  },
  'a link to a folder outside': {
    put: make.link('Out (2001)', (at) => at.outside),
    problems: [['Out (2001)', outside]],
    shows: [],
  },
  'a link to a file outside': {
    put: make.link('Out (2001).mkv', () => '/etc/passwd'),
    problems: [['Out (2001).mkv', outside]],
    shows: [],
  },
  'a pipe called .mkv': {
    put: make.pipe('Bad (2001).mkv'),
    problems: [['Bad (2001).mkv', 'a special file']],
    shows: [],
  },
  'folders within folders, deeper than any call takes': {
    put: make.nested(17),
    problems: [[make.steps.slice(0, 11).join('/'), 'the path is too long']],
    shows: [],
  },
  'a folder that may not be read': {
    put: make.shut('Bad (2001)'),
    // Nothing is shut to root.
    problems: has('root') ? [['Bad (2001)/film.mkv', notMedia]] : [['Bad (2001)', /^EACCES/]],
    shows: has('root') ? ['Bad'] : [],
  },
  'an NFO that laughs a billion times': {
    put: make.files(({ film }) => ({
      [`${name}.mp4`]: film,
      'Bad (2001)/movie.nfo': make.laughs(),
    })),
    problems: [],
    shows: ['Bad'],
    nfo: ['defines entities, which are not read'],
  },
  'a poster of 100 megapixels': {
    put: make.files(({ film, picture }) => ({
      [`${name}.mp4`]: film,
      'Bad (2001)/poster.jpg': make.swollen(picture),
    })),
    problems: [],
    shows: ['Bad'],
  },
  'an SVG as a poster': {
    put: make.files(({ film, port }) => ({
      [`${name}.mp4`]: film,
      'Bad (2001)/poster.jpg': make.svg(`http://127.0.0.1:${port}/`),
    })),
    problems: [],
    shows: ['Bad'],
  },
};

describe('bad files in a library', () => {
  needs('ffmpeg', 'ffprobe', 'mkfifo');

  const secret = 'nobody is to read this';
  let server: TestServer;
  let listener: Listener;
  let away: string;
  let film: Buffer;
  const libraries = new Map<string, string>();

  before(async function () {
    this.timeout(240_000);
    server = await startServer();
    listener = await startListener();
    away = await mkdtemp(join(tmpdir(), 'revenge-test-outside-'));
    film = await tinyFilm();
    await writeFiles(away, { 'secret.txt': secret, 'secret.mp4': film });
    const plain = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
    const picture = await plain.jpeg().toBuffer();
    const good = { 'Good (2000).mp4': film, 'poster.jpg': picture, 'fanart.jpg': picture };
    const makers = Object.entries(table).map(([what, { put }]) => [what, put] as const);
    for (const [what, put] of [...makers, [crowd, make.crowd(1_000)] as const]) {
      const here = join(server.films, `${libraries.size}`);
      await writeFiles(join(here, 'Good (2000)'), good);
      await put({ here, outside: away, film, picture, port: listener.port });
      const json = { kind: 'movie', name: what, paths: [here] };
      const path = '/api/v1/libraries';
      const { id } = await server.read<Schemas['Library']>(path, { method: 'POST', json });
      libraries.set(what, id);
    }
    await server.settled();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
    await rm(away, { recursive: true });
  });

  const films = async (what: string) => {
    const path = `/api/v1/movies?library=${libraries.get(what)}`;
    const { items } = await server.read<Schemas['MoviePage']>(path);
    const ofTitle = (title: string) => items.filter((item) => item.title === title);
    return { good: ofTitle('Good'), bad: items.filter(({ title }) => title !== 'Good') };
  };
  const movie = ({ id }: { id: string }) => server.read<Schemas['Movie']>(`/api/v1/movies/${id}`);
  const content = async (card: { id: string }) => {
    const { id } = (await movie(card)).versions[0]!.files[0]!;
    const token = server.userToken;
    const response = await server.fetch(`/api/v1/playback/files/${id}/content`, { token });
    expect(response.status).to.equal(200);
    return Buffer.from(await response.arrayBuffer());
  };

  for (const [what, line] of Object.entries(table)) {
    describe(what, () => {
      it('is told among the problems, or is none', async () => {
        const path = `/api/v1/libraries/${libraries.get(what)}`;
        const [library, { items }] = await Promise.all([
          server.read<Schemas['Library']>(path),
          server.read<Schemas['LibraryProblemPage']>(`${path}/problems`),
        ]);
        const root = library.roots![0]!.path;
        expect(library.lastScan).to.include({ state: 'completed' });
        expect(items.map((item) => item.path)).to.deep.equal(
          line.problems.map(([below]) => join(root, below)),
        );
        for (const [at, [, reason]] of line.problems.entries()) {
          if (typeof reason === 'string') expect(items[at]!.reason).to.equal(reason);
          else expect(items[at]!.reason).to.match(reason);
        }
      });

      it('shows what it shows', async () => {
        const { bad } = await films(what);
        expect(bad.map(({ title }) => title)).to.deep.equal(line.shows);
        for (const one of bad) {
          const whole = await movie(one);
          const { match } = whole;
          // How bytes that are no text are kept is nobody's business (see storage/media/path.ts).
          expect(JSON.stringify(whole)).not.to.match(/[\uf700-\uf7ff]/);
          expect(match.problems?.map(({ message }) => message) ?? []).to.deep.equal(line.nfo ?? []);
          const path = `/api/v1/items/movie/${one.id}/images`;
          const { items } = await server.read<Schemas['ArtworkImageList']>(path);
          expect(items.filter(({ source }) => source === 'local')).to.deep.equal([]);
          expect((await content(one)).includes(secret)).to.equal(false);
        }
      });

      it('leaves the good film beside it alone', async () => {
        const { good } = await films(what);
        expect(good).to.have.length(1);
        expect(good[0]!.durationMs).to.be.closeTo(2_000, 100);
        expect((await content(good[0]!)).equals(film)).to.equal(true);
      });
    });
  }

  it(`${crowd}: all are taken in, and what is wrong with each is told`, async () => {
    const id = libraries.get(crowd);
    const [movies, problems] = await Promise.all([
      server.read<Schemas['MoviePage']>(`/api/v1/movies?library=${id}&offset=0&limit=1`),
      server.read<Schemas['LibraryProblemPage']>(`/api/v1/libraries/${id}/problems?offset=0`),
    ]);
    expect(movies.total).to.equal(1_001);
    expect(problems.total).to.equal(1_000);
    expect(new Set(problems.items.map(({ reason }) => reason))).to.deep.equal(
      new Set(['the file is empty']),
    );
    const good = await server.read<Schemas['MoviePage']>(
      `/api/v1/movies?library=${id}&titlePrefix=good`,
    );
    expect((await content(good.items[0]!)).equals(film)).to.equal(true);
  });

  it('makes nobody call what a file names', () => {
    expect(listener.calls()).to.equal(0);
  });

  it('leaves the node without complaints', async () => {
    expect(server.complaints).to.deep.equal([]);
    const jobs = await server.read<Schemas['JobList']>('/api/v1/jobs/dead');
    expect(jobs.items).to.deep.equal([]);
  });
});

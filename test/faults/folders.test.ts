import { expect } from 'chai';
import { copyFile, mkdir, mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { components } from '#api/types.ts';
import { needs } from '../needs.ts';
import { listFilms, rescan, settled } from './check.ts';
import { startFaultNode, type FaultNode } from './node.ts';
import { makeSeeds } from './tree.ts';

type Schemas = components['schemas'];

const titles = ['Alien', 'Brazil', 'Casablanca', 'Dogville', 'Eraserhead', 'Fargo', 'Gattaca'];
const own = titles.map((title) => `films/${title} (1990)/${title} (1990).mkv`);
const flat = ['Heat', 'Ikiru', 'Jaws'].map((title) => `films/shelf/${title} (1980).mkv`);
const other = ['more/Kes (1969)/Kes (1969).mkv'];

describe('folders that come and go', function () {
  needs('ffmpeg');
  let node: FaultNode;
  let base: string;
  let libraryId: string;
  const at = (path: string) => join(base, path);

  before(async function () {
    base = await mkdtemp(join(tmpdir(), 'revenge-test-faults-folders-'));
    const { video } = await makeSeeds(base);
    for (const path of [...own, ...flat, ...other]) {
      await mkdir(dirname(at(path)), { recursive: true });
      await copyFile(video, at(path)); // not links: each is a file of its own
    }
    node = await startFaultNode();
    const json = { kind: 'movie', name: 'Films', paths: [at('films'), at('more')] };
    const made = await node.read<Schemas['Library']>('/api/v1/libraries', { method: 'POST', json });
    libraryId = made.id;
    await settled(node, 240_000);
    await watch(node);
  });
  after(async () => {
    await node?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  });

  const root = async (path: string) => {
    const library = await node.read<Schemas['Library']>(`/api/v1/libraries/${libraryId}`);
    return library.roots!.find((one) => one.path === at(path))!;
  };
  const content = async (fileId: string) => {
    const response = await node.fetch(`/api/v1/playback/files/${fileId}/content`);
    const body = new Uint8Array(await response.arrayBuffer());
    if (response.status === 200) return { status: 200 };
    expect(response.headers.get('content-type')).to.match(/^application\/problem\+json/);
    const { type } = JSON.parse(new TextDecoder().decode(body)) as { type: string };
    return { status: response.status, type };
  };

  for (const { what, leave, enter } of [
    {
      what: 'the folder is moved away',
      leave: () => rename(at('films'), at('away')),
      enter: () => rename(at('away'), at('films')),
    },
    {
      what: 'the folder is empty, as where a share is not mounted',
      leave: async () => {
        await rename(at('films'), at('away'));
        await mkdir(at('films'));
      },
      enter: async () => {
        await rmdir(at('films'));
        await rename(at('away'), at('films'));
      },
    },
  ]) {
    it(`deletes nothing while ${what}, and all is as before when it is back`, async () => {
      const before = await everything(node);
      const fileId = before.find(({ title }) => title === 'Alien')!.files[0]!.id;
      expect(await content(fileId)).to.deep.equal({ status: 200 });
      await leave();
      expect(await content(fileId), 'before a scan').to.satisfy(isAway);

      expect(await rescan(node, libraryId)).to.include({ state: 'completed' });
      expect(await root('films')).to.include({ isAvailable: false });
      expect(await root('more')).to.include({ isAvailable: true });
      const away = before.map((film) =>
        film.title === 'Kes'
          ? film
          : {
              ...film,
              isAvailable: false,
              files: film.files.map((file) => ({ ...file, isAvailable: false })),
            },
      );
      expect(await everything(node)).to.deep.equal(away);
      expect(await content(fileId)).to.deep.equal({ status: 404, type: '/problems/not-found' });
      const favourites = await node.read<Schemas['MoviePage']>('/api/v1/users/me/favourites');
      expect(
        favourites.items.map(({ title, isAvailable }) => ({ title, isAvailable })),
      ).to.deep.equal([{ title: 'Casablanca', isAvailable: false }]);

      await enter();
      expect(await rescan(node, libraryId)).to.include({ state: 'completed' });
      expect(await root('films')).to.include({ isAvailable: true });
      expect(await everything(node)).to.deep.equal(before);
      expect(await content(fileId)).to.deep.equal({ status: 200 });
    });
  }

  for (const { what, film, title, moves } of [
    {
      what: 'its folder and its file are renamed',
      film: 'Alien',
      title: 'Alien',
      moves: [
        ['films/Alien (1990)', 'films/Alien (1990) [1080p]'],
        ['films/Alien (1990) [1080p]/Alien (1990).mkv', 'films/Alien (1990) [1080p]/alien.mkv'],
      ],
    },
    {
      what: 'its folder and its file get another title',
      film: 'Brazil',
      title: 'Another Name',
      moves: [
        ['films/Brazil (1990)', 'films/Another Name (1991)'],
        [
          'films/Another Name (1991)/Brazil (1990).mkv',
          'films/Another Name (1991)/Another Name (1991).mkv',
        ],
      ],
    },
    {
      what: 'its folder is renamed in capitals',
      film: 'Casablanca',
      title: 'CASABLANCA',
      moves: [['films/Casablanca (1990)', 'films/CASABLANCA (1990)']],
    },
    {
      what: 'its file moves to another folder of the same root',
      film: 'Dogville',
      title: 'Dogville',
      moves: [['films/Dogville (1990)/Dogville (1990).mkv', 'films/shelf/Dogville (1990).mkv']],
    },
    {
      what: 'its folder moves to another root of the library',
      film: 'Eraserhead',
      title: 'Eraserhead',
      moves: [['films/Eraserhead (1990)', 'more/Eraserhead (1990)']],
    },
    {
      what: 'its file moves from a flat folder to one of its own',
      film: 'Heat',
      title: 'Heat',
      moves: [['films/shelf/Heat (1980).mkv', 'more/Heat (1980)/Heat (1980).mkv']],
    },
  ]) {
    it(`keeps a film and what was watched of it when ${what}`, async () => {
      const before = await everything(node);
      for (const [from, to] of moves as [string, string][]) {
        await mkdir(dirname(at(to)), { recursive: true });
        await rename(at(from), at(to));
      }
      expect(await rescan(node, libraryId)).to.include({ state: 'completed' });
      const after = await everything(node);
      const byId = (films: Seen[]) =>
        films.map(({ id, isAvailable, userState, files }) => ({
          ...{ id, isAvailable, userState },
          files: files.map((file) => file.id),
        }));
      expect(after.map(({ id }) => id)).to.have.members(before.map(({ id }) => id));
      expect(byId(after)).to.have.deep.members(byId(before));
      const { id } = before.find((one) => one.title === film)!;
      expect(after.find((one) => one.id === id)!.title).to.match(new RegExp(`^${title}$`, 'i'));
    });
  }
});

/** The folder is not there, or the file is not in it: either is true before a scan. */
const isAway = ({ status, type }: { status: number; type?: string }) =>
  (status === 503 && type === '/problems/media-unavailable') ||
  (status === 404 && type === '/problems/not-found');

/** Somebody is half through one film, has seen one, likes one, and wants to see one. */
async function watch(node: FaultNode): Promise<void> {
  const films = new Map((await listFilms(node)).map(({ title, id }) => [title, id]));
  const me = (what: string, title: string, ask: RequestInit & { json?: unknown }) =>
    node.read(`/api/v1/users/me/${what}/movie/${films.get(title)}`, ask);
  for (const title of ['Alien', 'Brazil', 'Dogville', 'Eraserhead', 'Heat']) {
    const json = { positionMs: 400, durationMs: 1_000 };
    await me('progress', title, { method: 'PUT', json });
  }
  for (const title of ['Brazil', 'Fargo']) await me('watched', title, { method: 'POST' });
  await me('favourites', 'Casablanca', { method: 'POST' });
  await me('watchlist', 'Ikiru', { method: 'POST' });
}

interface Seen {
  readonly id: string;
  readonly title: string;
  readonly isAvailable: boolean;
  readonly userState: unknown;
  readonly files: readonly { id: string; isAvailable: boolean }[];
}

/** What the API says of every film, with its files. */
async function everything(node: FaultNode): Promise<Seen[]> {
  const cards = await listFilms(node);
  return Promise.all(
    cards.map(async ({ id, isAvailable, userState }) => {
      const movie = await node.read<Schemas['Movie']>(`/api/v1/movies/${id}`);
      expect(movie).to.deep.include({ isAvailable, userState });
      const files = movie.versions.flatMap((version) => version.files);
      return {
        ...{ id, title: movie.title, isAvailable, userState, year: movie.year },
        ...{ addedAt: movie.addedAt, images: movie.images },
        files: files.map((file) => ({ id: file.id, isAvailable: file.isAvailable })),
      };
    }),
  );
}

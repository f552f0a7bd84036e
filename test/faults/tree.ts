import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { findTool } from '#storage/media/tools.ts';
import { noteOpen } from '../open.ts';

/** A film as it is to stand in the catalogue. */
export interface Film {
  readonly title: string;
  readonly year: number;
  /** Its video files by path below the folder, one per version. */
  readonly videos: readonly string[];
  /** Its pictures. */
  readonly pictures: readonly string[];
}

/** A folder of films on disk; disposing of it deletes it. */
export interface Tree extends AsyncDisposable {
  readonly folder: string;
  readonly films: readonly Film[];
  /** How many video files there are. */
  readonly videos: number;
}

const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');
const base = syllables.length;
const flatFilms = 25;

/** A name for every number that says nothing of years, parts or releases. */
function nameOf(index: number): string {
  const digits = [0, 1, 2, 3].map((place) => Math.floor(index / base ** place) % base);
  const word = digits.map((digit) => syllables[digit]).join('');
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/**
 * Films with `videos` video files in all: most in a folder of their own with two pictures, one in
 * ten with two versions, one in twenty without pictures, and some in flat folders.
 */
export function planFilms(videos: number): Film[] {
  const films: Film[] = [];
  for (let left = videos; left > 0; left -= films.at(-1)!.videos.length) {
    films.push(planFilm(films.length, left));
  }
  return films;
}

function planFilm(index: number, left: number): Film {
  const [title, year] = [nameOf(index), 1950 + (index % 70)];
  const name = `${title} (${year})`;
  const shelf = Math.floor(index / flatFilms);
  if (shelf % 40 === 7) {
    return { title, year, videos: [`Shelf ${nameOf(shelf)}/${name}.mkv`], pictures: [] };
  }
  const versions = index % 10 === 3 && left > 1 ? [' - 720p', ' - 1080p'] : [''];
  return {
    ...{ title, year },
    videos: versions.map((version) => `${name}/${name}${version}.mkv`),
    pictures: index % 20 === 5 ? [] : [`${name}/poster.jpg`, `${name}/backdrop.jpg`],
  };
}

/** Makes the films of a plan out of hard links to one valid Matroska file. Needs ffmpeg. */
export async function makeTree(videos: number): Promise<Tree> {
  const closed = noteOpen('makeTree');
  const folder = await mkdtemp(join(tmpdir(), 'revenge-test-faults-films-'));
  const seeds = await mkdtemp(join(tmpdir(), 'revenge-test-faults-seeds-'));
  const films = planFilms(videos);
  try {
    const { video, picture } = await makeSeeds(seeds);
    const links = films.flatMap((film) => [
      ...film.videos.map((path) => [video, join(folder, path)] as const),
      ...film.pictures.map((path) => [picture, join(folder, path)] as const),
    ]);
    const folders = new Set(links.map(([, path]) => dirname(path)));
    for (const path of folders) await mkdir(path, { recursive: true });
    for (const [seed, path] of links) await link(seed, path);
  } finally {
    await rm(seeds, { recursive: true, force: true });
  }
  return {
    ...{ folder, films, videos },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
      closed();
    },
  };
}

const run = promisify(execFile);

/**
 * A film of one second, a few kilobytes, with picture and sound; and a small picture. The film is
 * of a kind that ffprobe is started for, so that looking into them takes time to be interrupted.
 */
export async function makeSeeds(folder: string): Promise<{ video: string; picture: string }> {
  const ffmpeg = findTool('ffmpeg', {});
  if (ffmpeg === undefined) throw new Error('no ffmpeg: call needs("ffmpeg") in this suite');
  const [video, picture] = [join(folder, 'film.mkv'), join(folder, 'picture.jpg')];
  await run(ffmpeg.path, [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=5'],
    ...['-f', 'lavfi', '-i', 'sine=f=330:r=22050', '-t', '1'],
    ...['-c:v', 'flv', '-q:v', '31', '-c:a', 'aac', '-b:a', '16k', video],
  ]);
  const create = { width: 20, height: 30, channels: 3, background: 'teal' } as const;
  await sharp({ create }).jpeg().toFile(picture);
  return { video, picture };
}

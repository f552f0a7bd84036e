import { mkdir, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { findTool } from '#storage/media/tools.ts';

const run = promisify(execFile);
const page = fileURLToPath(new URL('../../web/build/index.html', import.meta.url));

/** Says what to do when the web app is not built, instead of failing at the first page. */
export function expectBuilt(): void {
  if (!existsSync(page)) throw new Error('the web app is not built: run "npm run build"');
}

/** What a film of these tests is made of. */
export interface SmallFilm {
  readonly name: string;
  readonly seconds: number;
  /** ffmpeg's encoder of the picture. */
  readonly video?: string;
  /** How long each of its chapters is; without it there are none. */
  readonly chapterSeconds?: number;
}

/** Makes films that a browser plays, each with a poster, in a folder of its own below `dir`. */
export async function makeFilms(dir: string, films: readonly SmallFilm[]): Promise<void> {
  for (const { name, ...film } of films) {
    const folder = join(dir, name);
    await mkdir(folder, { recursive: true });
    await makeVideo(join(folder, `${name}.mp4`), film);
    await writePoster(folder, name);
  }
}

/** Writes a video that a browser plays. */
export async function makeVideo(
  path: string,
  { seconds, video = 'libx264', chapterSeconds = Infinity }: Omit<SmallFilm, 'name'>,
): Promise<void> {
  const ffmpeg = findTool('ffmpeg', {});
  if (ffmpeg === undefined) throw new Error('no ffmpeg: call needs("ffmpeg") in this suite');
  await mkdir(dirname(path), { recursive: true });
  const picture = ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=10:d=${seconds}`];
  const sound = ['-f', 'lavfi', '-i', `sine=f=330:r=44100:d=${seconds}`];
  const coding = ['-c:v', video, '-pix_fmt', 'yuv420p', '-g', '20', '-c:a', 'aac'];
  const fast = video === 'libx264' ? ['-preset', 'ultrafast'] : [];
  const chapters = `${path}.chapters`;
  await writeFile(chapters, chaptersOf(seconds, chapterSeconds));
  await run(ffmpeg.path, [
    ...['-nostdin', '-v', 'error', ...picture, ...sound, '-f', 'ffmetadata', '-i', chapters],
    ...['-map_chapters', '2', ...coding, ...fast],
    ...['-b:a', '32k', '-movflags', '+faststart', path],
  ]);
  await rm(chapters);
}

/** As ffmpeg is told them (its “Metadata” format, version 1). */
function chaptersOf(seconds: number, each: number): string {
  const count = Number.isFinite(each) ? Math.ceil(seconds / each) : 0;
  const texts = Array.from({ length: count }, (_, at) => {
    const end = Math.min(seconds, (at + 1) * each);
    return `[CHAPTER]\nTIMEBASE=1/1\nSTART=${at * each}\nEND=${end}\ntitle=Chapter ${at + 1}\n`;
  });
  return `;FFMETADATA1\n${texts.join('')}`;
}

/** Writes `poster.jpg` into a folder, in a colour that goes with the name. */
export async function writePoster(folder: string, name: string): Promise<void> {
  const { data } = await poster(name);
  await sharp(data).toFile(join(folder, 'poster.jpg'));
}

/** Writes a picture that lies, in a colour that goes with its name. */
export async function writeStill(path: string): Promise<void> {
  const { data } = await poster(path);
  await sharp(data).resize(640, 360).toFile(path);
}

async function poster(name: string): Promise<{ data: Buffer }> {
  const hue = [...name].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 360, 7);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="600">
    <rect width="400" height="600" fill="hsl(${hue},60%,40%)"/></svg>`;
  return { data: await sharp(Buffer.from(svg)).jpeg().toBuffer() };
}

// Makes a small library of real, varied film files and starts a node on it: `npm run demo`.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { main } from '#node/cli/main.ts';
import { describeTools } from '#storage/media/tools.ts';
import { films, type DemoFilm } from './films.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

const subtitle = (language: string) =>
  [1, 5, 12]
    .map(
      (at, i) => `${i + 1}\n00:00:${pad(at)},000 --> 00:00:${pad(at + 3)},000\n${language} ${i}\n`,
    )
    .join('\n');
const pad = (n: number) => String(n).padStart(2, '0');
const escapeXml = (text: string) => text.replace(/[<&>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A poster with the title on it, drawn here so that nothing has to be downloaded. */
async function draw(title: string, width: number, height: number): Promise<Buffer> {
  const hue = [...title].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 360, 7);
  const size = Math.round(width / Math.max(8, title.length * 0.62));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="hsl(${hue},70%,45%)"/>
      <stop offset="1" stop-color="hsl(${(hue + 70) % 360},80%,18%)"/></linearGradient></defs>
    <rect width="100%" height="100%" fill="url(#g)"/>
    <circle cx="70%" cy="35%" r="${width / 4}" fill="hsl(${hue},90%,70%)" opacity="0.35"/>
    <text x="50%" y="82%" text-anchor="middle" fill="white" font-family="sans-serif"
      font-weight="bold" font-size="${size}">${escapeXml(title)}</text></svg>`;
  return sharp(Buffer.from(svg)).jpeg({ quality: 82 }).toBuffer();
}

function nfoOf({ title, year, ...film }: NonNullable<DemoFilm['nfo']>): string {
  const tag = (name: string, text: string) => `  <${name}>${escapeXml(text)}</${name}>`;
  const cast = film.cast.map(
    ([name, role]) => `  <actor><name>${name}</name><role>${role}</role></actor>`,
  );
  const id = film.imdb ? [`  <uniqueid type="imdb" default="true">${film.imdb}</uniqueid>`] : [];
  return [
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<movie>',
    tag('title', title),
    tag('year', String(year)),
    tag('plot', film.plot),
    tag('mpaa', film.certification),
    tag('rating', String(film.rating)),
    tag('director', film.director),
    ...film.genres.map((genre) => tag('genre', genre)),
    ...cast,
    ...id,
    '</movie>\n',
  ].join('\n');
}

const titleOf = (film: DemoFilm) => film.folder.replace(/ \(\d{4}\)$/, '');

/** Text and pictures that go into the container; paths of files made in `work`. */
async function makeSideInputs(film: DemoFilm, work: string) {
  const inputs: string[] = [];
  const args: string[] = [];
  const first = 1 + film.audio.length;
  for (const [i, language] of (film.embeddedSubtitles ?? []).entries()) {
    const file = join(work, `${language}.srt`);
    await writeFile(file, subtitle(language));
    inputs.push('-i', file);
    args.push('-map', String(first + i), `-metadata:s:s:${i}`, `language=${language}`);
  }
  if (film.chapters !== undefined) {
    const span = (film.seconds * 1000) / film.chapters.length;
    const text = film.chapters.map(
      (title, i) =>
        `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${i * span}\nEND=${(i + 1) * span}\ntitle=${title}\n`,
    );
    const file = join(work, 'chapters.txt');
    await writeFile(file, `;FFMETADATA1\ntitle=${titleOf(film)}\n${text.join('')}`);
    const index = first + (film.embeddedSubtitles?.length ?? 0);
    inputs.push('-i', file);
    args.push('-map_metadata', String(index), '-map_chapters', String(index));
  }
  if (film.poster === 'embedded') {
    const file = join(work, 'cover.jpg');
    await writeFile(file, await draw(titleOf(film), 600, 900));
    args.push('-attach', file, '-metadata:s:t', 'mimetype=image/jpeg');
  }
  return { inputs, args };
}

async function makeFilm(
  film: DemoFilm,
  { ffmpeg, target, signal }: { ffmpeg: string; target: string; signal: AbortSignal },
) {
  const folder = join(target, film.folder);
  const file = join(folder, film.file);
  if (existsSync(file)) return;
  const work = join(target, '.work');
  await mkdir(work, { recursive: true });
  await mkdir(folder, { recursive: true });
  const side = await makeSideInputs(film, work);
  const audio = film.audio.flatMap(({ source }) => ['-f', 'lavfi', '-i', source]);
  const maps = film.audio.flatMap(({ language, args }, i) => [
    ...['-map', `${i + 1}:a`, ...args],
    ...[`-metadata:s:a:${i}`, `language=${language}`],
  ]);
  const part = join(work, film.file);
  const args = [
    ...['-nostdin', '-hide_banner', '-v', 'error', '-y'],
    ...['-f', 'lavfi', '-i', film.video, ...audio, ...side.inputs, '-map', '0:v', ...maps],
    ...[...side.args, '-t', String(film.seconds), ...film.args],
    ...['-metadata', `title=${titleOf(film)}`, part],
  ];
  // What it leaves unfinished is in the working folder, and begun anew the next time.
  await run(ffmpeg, args, { signal, killSignal: 'SIGKILL' });
  await copyFile(part, file);
  for (const tag of film.subtitles ?? []) {
    await writeFile(file.replace(/\.\w+$/, `.${tag}.srt`), subtitle(tag));
  }
  if (film.poster === 'local') {
    await writeFile(join(folder, 'poster.jpg'), await draw(titleOf(film), 1000, 1500));
  }
  if (film.backdrop) await writeFile(join(folder, 'fanart.jpg'), await draw('', 1920, 1080));
  if (film.nfo) await writeFile(join(folder, 'movie.nfo'), nfoOf(film.nfo));
}

/** Makes the library in `target`; films that are there already are kept. */
export async function makeDemoLibrary(
  target: string,
  say: (line: string) => void,
  signal: AbortSignal,
) {
  const ffmpeg = (await describeTools({})).find(({ name }) => name === 'ffmpeg');
  if (ffmpeg === undefined) throw new Error('the demo needs ffmpeg: install it, or run "npm ci"');
  const encoders = new Set(ffmpeg.encoders);
  for (const film of films) {
    const missing = film.needs.filter((name) => !encoders.has(name));
    if (missing.length > 0) {
      say(`left out ${film.folder}: this ffmpeg has no ${missing.join(', ')}`);
      continue;
    }
    say(`making ${film.folder}/${film.file}`);
    signal.throwIfAborted();
    await makeFilm(film, { ffmpeg: ffmpeg.path, target, signal });
  }
  await rm(join(target, '.work'), { recursive: true, force: true });
}

const parentMs = 1_000;

/** Whoever started it may be killed and tell nothing: then it is as if it had been told to stop. */
function stopWithParent(): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, parentMs);
  watch.unref();
}

/** Makes the library; who is told to stop meanwhile takes ffmpeg along. True when it is made. */
async function make(target: string): Promise<boolean> {
  const stop = new AbortController();
  const heard = () => stop.abort();
  process.on('SIGINT', heard).on('SIGTERM', heard);
  try {
    await mkdir(target, { recursive: true });
    await makeDemoLibrary(target, (line) => process.stdout.write(`${line}\n`), stop.signal);
    return true;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stdout.write('stopped; what was made is kept\n');
    return false;
  } finally {
    process.off('SIGINT', heard).off('SIGTERM', heard);
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const data = join(root, 'data', 'demo');
  const target = join(data, 'Movies');
  stopWithParent();
  if (await make(target)) {
    // In this process, so that there is no other that could be left behind.
    const wanted = ['serve', '--movies', target, '--data', join(data, 'node')];
    process.exitCode = await main([...wanted, ...process.argv.slice(2)]);
  } else {
    process.exitCode = 1;
  }
}

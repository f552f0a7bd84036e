import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFiles } from '../server.ts';

/** What the makers of bad files work with. */
export interface Making {
  /** The case's own folder in the library. */
  readonly here: string;
  /** A folder outside of the library, with `secret.txt` and `Secret (2001)/Secret (2001).mp4`. */
  readonly outside: string;
  /** A good film. */
  readonly film: Buffer;
  /** A good picture. */
  readonly picture: Buffer;
  /** A port of 127.0.0.1 that nobody is to call. */
  readonly port: number;
}

/** Puts something bad into a library. */
export type Make = (making: Making) => Promise<unknown>;

type Content = string | Uint8Array;

/** Files by name. */
export const files =
  (contents: (making: Making) => Readonly<Record<string, Content>>): Make =>
  (making) =>
    writeFiles(making.here, contents(making));

/** A file whose name is not UTF-8 but Latin-1, as old systems wrote it. */
export const latin1Name =
  (name: string): Make =>
  ({ here, film }) =>
    writeFile(Buffer.concat([Buffer.from(`${here}/`), Buffer.from(name, 'latin1')]), film);

/** A symbolic link. */
export const link =
  (name: string, target: (making: Making) => string): Make =>
  (making) =>
    symlink(target(making), join(making.here, name));

/** A named pipe: whoever opens it waits for ever. */
export const pipe =
  (name: string): Make =>
  async ({ here }) =>
    execFileSync('mkfifo', [join(here, name)]);

/** A folder without any permission; root reads it all the same. */
export const shut =
  (folder: string): Make =>
  async ({ here }) => {
    await writeFiles(here, { [`${folder}/film.mkv`]: 'x' });
    await chmod(join(here, folder), 0);
  };

/** Empty films side by side, nine subtitles with each. */
export const crowd =
  (films: number): Make =>
  async ({ here }) => {
    for (let film = 0; film < films; film++) {
      const stem = join(here, `Film ${String(film).padStart(5, '0')} (2000)`);
      const languages = ['en', 'de', 'fr', 'es', 'it', 'nl', 'sv', 'da', 'fi'];
      const names = ['mkv', ...languages.map((language) => `${language}.srt`)];
      await Promise.all(names.map((name) => writeFile(`${stem}.${name}`, '')));
    }
  };

/** Names of 255 bytes that nothing can compress. */
export const steps: readonly string[] = Array.from({ length: 17 }, (_, at) =>
  [0, 1, 2, 3]
    .map((part) => createHash('sha256').update(`${at} ${part}`).digest('hex'))
    .join('')
    .slice(1),
);

/** Folders within folders; a shell makes them step by step, since no call takes such a path. */
export const nested =
  (depth: number): Make =>
  async ({ here }) => {
    const lines = steps.slice(0, depth).map((name) => `mkdir ${name} && cd -P ${name}`);
    execFileSync('sh', ['-c', lines.join(' && ')], { cwd: here });
  };

/** An HLS playlist of one segment. */
export const hls = (uri: string): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${uri}\n#EXT-X-ENDLIST\n`;

/** A picture that fetches another one. */
export const svg = (uri: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg"><image href="${uri}" width="9" height="9"/></svg>`;

/** An NFO whose title is "lol" a billion times, once its entities are resolved. */
export function laughs(): string {
  const names = Array.from({ length: 10 }, (_, at) => `lol${at}`);
  const entities = names.map((name, at) => {
    const text = at === 0 ? 'lol' : `&${names[at - 1]};`.repeat(10);
    return `<!ENTITY ${name} "${text}">`;
  });
  return `<!DOCTYPE movie [${entities.join('')}]><movie><title>&lol9;</title></movie>`;
}

/** A JPEG of a few hundred bytes that says it has 100 megapixels. */
export function swollen(picture: Buffer): Buffer {
  const huge = Buffer.from(picture);
  const frame = huge.indexOf(Buffer.of(0xff, 0xc0));
  if (frame < 0) throw new Error('not a baseline JPEG');
  huge.writeUInt16BE(10_000, frame + 5);
  huge.writeUInt16BE(10_000, frame + 7);
  return huge;
}

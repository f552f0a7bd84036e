import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findTool } from '#storage/media/tools.ts';

/** Real films that are as long as wished and hardly any bytes: a black picture every ten seconds. */
export interface Lengths {
  /** The path of one about so long. */
  file(minutes: number): Promise<string>;
}

const run = promisify(execFile);
const step = 4;

/** Keeps them in a folder; without ffmpeg they are bytes that no player takes. */
export function createLengths(folder: string): Lengths {
  const made = new Map<number, Promise<string>>();
  const make = async (minutes: number): Promise<string> => {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${minutes}.mkv`);
    const ffmpeg = findTool('ffmpeg', {});
    if (ffmpeg === undefined) await writeFile(path, randomBytes(20_000));
    else {
      await run(ffmpeg.path, [
        ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'color=c=black:s=16x16:r=1/10'],
        ...['-t', String(minutes * 60), '-c:v', 'mpeg4', path],
      ]);
    }
    return path;
  };
  return {
    file(minutes) {
      const near = Math.max(step, Math.round(minutes / step) * step);
      const known = made.get(near) ?? make(near);
      made.set(near, known);
      return known;
    },
  };
}

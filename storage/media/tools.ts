import { execFile } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Tools } from './protocol.ts';

/** One of the two programs, and where it was found. */
export interface Tool {
  readonly name: 'ffmpeg' | 'ffprobe';
  readonly path: string;
  /** `npm` is the old build that comes with the package: good for a first look only. */
  readonly source: 'configured' | 'PATH' | 'npm';
}

/** Paths from the configuration; absent: look for it. */
export interface ToolPaths {
  readonly ffmpegPath?: string | undefined;
  readonly ffprobePath?: string | undefined;
}

/** What `doctor` prints of a tool. */
export interface ToolFacts extends Tool {
  readonly version: string | undefined;
  /** Names of its encoders; empty for ffprobe. */
  readonly encoders: readonly string[];
}

const resolve = createRequire(import.meta.url).resolve;

/**
 * Finds a program: the configured path, then PATH, then the build shipped by npm. A configured path
 * that leads nowhere is not replaced by another: undefined, so that the mistake is seen.
 */
export function findTool(name: Tool['name'], paths: ToolPaths): Tool | undefined {
  const configured = name === 'ffmpeg' ? paths.ffmpegPath : paths.ffprobePath;
  if (configured !== undefined) {
    return isExecutable(configured) ? { name, path: configured, source: 'configured' } : undefined;
  }
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (onPath !== undefined) return { name, path: onPath, source: 'PATH' };
  const shipped = shippedPath(name);
  return shipped === undefined ? undefined : { name, path: shipped, source: 'npm' };
}

/** Both programs' paths. */
export function findTools(paths: ToolPaths): Tools & { found: readonly Tool[] } {
  const ffmpeg = findTool('ffmpeg', paths);
  const ffprobe = findTool('ffprobe', paths);
  const found = [ffmpeg, ffprobe].filter((tool) => tool !== undefined);
  return { ffmpeg: ffmpeg?.path, ffprobe: ffprobe?.path, found };
}

/** Version and encoders of the programs found; asks the programs, so it takes a moment. */
export async function describeTools(paths: ToolPaths): Promise<ToolFacts[]> {
  return Promise.all(
    findTools(paths).found.map(async (tool) => ({
      ...tool,
      version: /version (\S+)/.exec(await say(tool.path, '-version'))?.[1],
      encoders: tool.name === 'ffmpeg' ? readEncoders(await say(tool.path, '-encoders')) : [],
    })),
  );
}

/** Names out of `ffmpeg -encoders`; pure. */
export function readEncoders(text: string): string[] {
  const list = text.slice(text.indexOf('------') + 6);
  return [...list.matchAll(/^ [VAS][F.][S.][X.][B.][D.] (\S+)/gm)].map((match) => match[1] ?? '');
}

async function say(path: string, option: string): Promise<string> {
  try {
    const options = { timeout: 5_000, maxBuffer: 1024 * 1024 };
    const { stdout } = await promisify(execFile)(path, ['-hide_banner', option], options);
    return stdout;
  } catch {
    return ''; // a program that cannot say its version is reported without one
  }
}

function shippedPath(name: Tool['name']): string | undefined {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const folder = dirname(resolve(`@${name}-installer/${platform}/package.json`));
    const path = join(folder, name);
    if (!existsSync(path)) return undefined;
    // Installed without its install script, the file has no x bit.
    if (!isExecutable(path)) chmodSync(path, 0o755);
    return isExecutable(path) ? path : undefined;
  } catch {
    return undefined; // not installed, or not ours to change: the same as absent
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent or not for us to run: either way it cannot be used
  }
}

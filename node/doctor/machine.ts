import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { describeTools } from '#storage/media/tools.ts';
import type { Config } from '../config/keys.ts';
import { failing, fine, type Finding } from './check.ts';
import { found, say, type MachineFinding } from './sayings.ts';

const gigabyte = 1024 ** 3;

/** Magic numbers of statfs(2), from linux/magic.h and the file systems' own headers. */
const fileSystems: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x517b: 'SMB',
  0x65735546: 'FUSE',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlay',
  0xef53: 'ext4',
  0x58465342: 'XFS',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'ZFS',
  0xf2f52010: 'F2FS',
};
const onNetwork = new Set(['NFS', 'CIFS', 'SMB']);

/** The Node that runs, against what the program needs. */
export function checkNode(): MachineFinding {
  const major = Number(process.versions.node.split('.')[0]);
  return found('node', say(major >= 24 ? 'node' : 'nodeOld', { version: process.version }));
}

/** Memory for the node and its PostgreSQL. */
export function checkMemory(): MachineFinding {
  const totalBytes = totalmem();
  const code = totalBytes >= 0.9 * gigabyte ? 'memory' : 'memoryLow';
  return found('memory', say(code, { totalBytes }));
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = await access(at).then(
      () => true,
      () => false,
    );
    if (found || at === dirname(at)) return at;
  }
}

/** Whether the data folder can be written, on what it lies, and what room is left. */
export async function checkDataFolder(config: Config): Promise<MachineFinding[]> {
  const path = resolve(config['data.dir']);
  const existing = await nearestExisting(path);
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch {
    return [found('data folder', say('folderUnwritable', { path }))];
  }
  const facts = await statfs(existing);
  const kind = fileSystems[facts.type >>> 0] ?? `type 0x${(facts.type >>> 0).toString(16)}`;
  const freeBytes = facts.bavail * facts.bsize;
  return [
    found('data folder', say(existing === path ? 'folder' : 'folderNew', { path })),
    fileSystemFinding(path, kind),
    found('disk space', say(freeBytes >= 2 * gigabyte ? 'disk' : 'diskLow', { freeBytes })),
  ];
}

function fileSystemFinding(path: string, kind: string): MachineFinding {
  const name = 'file system';
  if (onNetwork.has(kind)) return found(name, say('fileSystemRemote', { path, kind }));
  if (kind === 'tmpfs') return found(name, say('fileSystemMemory', { path }));
  return found(name, say('fileSystem', { kind }));
}

/** Whether the API's port can be had; a node that runs here may hold it. */
export async function checkPort(config: Config, isOurs: boolean): Promise<Finding> {
  const port = config['server.port'];
  const host = config['server.host'];
  const name = `port ${port}`;
  if (isOurs) return fine(name, 'held by the node that runs here');
  const server = createServer();
  return new Promise((done) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const mend =
        error.code === 'EACCES'
          ? 'ports below 1024 need a privilege: use server.port 8080 behind a proxy'
          : `find who holds it (ss -ltnp "sport = :${port}") or set server.port`;
      done(failing(name, `${host}: ${error.code}`, mend));
    });
    server.listen(port, host, () => server.close(() => done(fine(name, 'free'))));
  });
}

const wantedEncoders = ['libx264', 'aac', 'libopus', 'libx265', 'libsvtav1'] as const;
const hardwareNames = /_(nvenc|qsv|vaapi|amf|v4l2m2m|videotoolbox)$/;

/** The programs that read media, and what they can encode. */
export async function checkTools(config: Config): Promise<MachineFinding[]> {
  const tools = await describeTools({
    ffmpegPath: config['media.ffmpeg_path'],
    ffprobePath: config['media.ffprobe_path'],
  });
  const findings = (['ffprobe', 'ffmpeg'] as const).map((name) => {
    const tool = tools.find((candidate) => candidate.name === name);
    if (tool === undefined) return found(name, say('toolMissing', { tool: name }));
    const { source, path, version = '?' } = tool;
    const code = source === 'npm' ? 'toolOld' : 'tool';
    return found(name, say(code, { version, source, path }));
  });
  const encoders = tools.flatMap((tool) => tool.encoders);
  if (encoders.length === 0) return findings;
  const missing = wantedEncoders.filter((encoder) => !encoders.includes(encoder));
  const hardware = encoders.filter((encoder) => hardwareNames.test(encoder));
  const names = wantedEncoders.filter((encoder) => encoders.includes(encoder));
  const accelerators = hardware.slice(0, 6);
  const lacksBasics = missing.some((encoder) => encoder === 'libx264' || encoder === 'aac');
  const notice = lacksBasics
    ? say('encodersMissing', { names: missing })
    : hardware.length === 0
      ? say('encoders', { names })
      : say('encodersHardware', { names, accelerators });
  return [...findings, found('encoders', notice)];
}

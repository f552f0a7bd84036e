import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { describeTools } from '#storage/media/tools.ts';
import type { Config } from '../config/keys.ts';
import { failing, fine, warning, type Finding } from './check.ts';

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
export function checkNode(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 24
    ? fine('node', process.version)
    : failing('node', process.version, 'run "npm ci": it brings Node 24');
}

/** Memory for the node and its PostgreSQL. */
export function checkMemory(): Finding {
  const total = totalmem() / gigabyte;
  const detail = `${total.toFixed(1)} GB`;
  return total >= 0.9
    ? fine('memory', detail)
    : warning('memory', detail, 'give it 1 GB, or use a PostgreSQL elsewhere (database.url)');
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
export async function checkDataFolder(config: Config): Promise<Finding[]> {
  const dir = resolve(config['data.dir']);
  const existing = await nearestExisting(dir);
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch {
    const mend = `make it and give it to this user: mkdir -p ${dir} && chown $(id -u) ${dir}`;
    return [failing('data folder', `${dir} cannot be written`, mend)];
  }
  const facts = await statfs(existing);
  const kind = fileSystems[facts.type >>> 0] ?? `type 0x${(facts.type >>> 0).toString(16)}`;
  const free = (facts.bavail * facts.bsize) / gigabyte;
  const room = `${free.toFixed(1)} GB free`;
  return [
    fine('data folder', existing === dir ? dir : `${dir} (made at the first start)`),
    fileSystemFinding(dir, kind),
    free >= 2
      ? fine('disk space', room)
      : warning('disk space', room, 'leave 2 GB for the database and pictures'),
  ];
}

function fileSystemFinding(dir: string, kind: string): Finding {
  if (onNetwork.has(kind)) {
    const mend =
      'put data.dir on a local disk: a database and a Raft log on a network share lose data';
    return failing('file system', `${dir} is on ${kind}`, mend);
  }
  if (kind === 'tmpfs') {
    return warning(
      'file system',
      `${dir} is in memory`,
      'it is gone with the next restart: move it',
    );
  }
  return fine('file system', kind);
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
const accelerators = /_(nvenc|qsv|vaapi|amf|v4l2m2m|videotoolbox)$/;

/** The programs that read media, and what they can encode. */
export async function checkTools(config: Config): Promise<Finding[]> {
  const found = await describeTools({
    ffmpegPath: config['media.ffmpeg_path'],
    ffprobePath: config['media.ffprobe_path'],
  });
  const findings = (['ffprobe', 'ffmpeg'] as const).map((name) => {
    const tool = found.find((candidate) => candidate.name === name);
    if (tool === undefined) {
      return failing(
        name,
        'not found',
        `install it (apt install ffmpeg) or set media.${name}_path`,
      );
    }
    const detail = `${tool.version ?? 'no version'} (${tool.source}: ${tool.path})`;
    return tool.source === 'npm'
      ? warning(name, detail, 'an old build for a first look: install one (apt install ffmpeg)')
      : fine(name, detail);
  });
  const encoders = found.flatMap((tool) => tool.encoders);
  if (encoders.length === 0) return findings;
  const missing = wantedEncoders.filter((encoder) => !encoders.includes(encoder));
  const hardware = encoders.filter((encoder) => accelerators.test(encoder));
  const has = wantedEncoders.filter((encoder) => encoders.includes(encoder)).join(', ');
  const more = hardware.length === 0 ? '' : `; built with ${hardware.slice(0, 6).join(', ')}`;
  const lacksBasics = missing.some((encoder) => encoder === 'libx264' || encoder === 'aac');
  return [
    ...findings,
    lacksBasics
      ? warning('encoders', `missing: ${missing.join(', ')}`, 'install a full build of ffmpeg')
      : fine('encoders', `${has}${more}`),
  ];
}

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Who uses processors in a cluster on one machine. */
export const roles = ['API', 'Raft', 'media', 'PostgreSQL', 'Redis'] as const;
export type Role = (typeof roles)[number];

const ticksPerSecond = 100; // USER_HZ, proc(5)

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Of itself, and of its children that have ended. */
  readonly seconds: number;
  readonly secondsOfEnded: number;
}

/** Seconds of processor time so far, of the nodes in this folder and of what they share. */
export function cpuSeconds(dir: string): Record<Role, number> {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? read(name) : []));
  const nodes = new Set(
    all.filter(({ command }) => isNode(command, dir)).map((process) => process.pid),
  );
  const sums: Record<Role, number> = { API: 0, Raft: 0, media: 0, PostgreSQL: 0, Redis: 0 };
  for (const process of all) {
    const role = roleOf(process, { dir, nodes });
    if (role === undefined) continue;
    sums[role] += process.seconds;
    // Tools that media processes start, and PostgreSQL's workers, end all the time.
    if (role === 'media' || (role === 'PostgreSQL' && process.command.includes('-D'))) {
      sums[role] += process.secondsOfEnded;
    }
  }
  return sums;
}

const isNode = (command: string, dir: string) =>
  command.includes(' serve ') && command.includes(join(dir, 'n'));

function roleOf(
  { pid, parent, command }: Process,
  { dir, nodes }: { dir: string; nodes: ReadonlySet<number> },
): Role | undefined {
  if (nodes.has(pid)) return 'API';
  if (nodes.has(parent)) return command.includes('raft/driver/process') ? 'Raft' : 'media';
  if (command.includes('redis-server') && command.includes(join(dir, 'redis'))) return 'Redis';
  return folderOf(pid).startsWith(join(dir, 'postgres')) ? 'PostgreSQL' : undefined;
}

function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // it has ended, or is somebody else's
  }
}

function read(pid: string): Process[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const seconds = (...at: number[]) =>
      at.reduce((sum, field) => sum + Number(fields[field]), 0) / ticksPerSecond;
    return [
      {
        ...{ pid: Number(pid), parent: Number(fields[1]), command },
        ...{ seconds: seconds(11, 12), secondsOfEnded: seconds(13, 14) },
      },
    ];
  } catch {
    return []; // it has just ended
  }
}

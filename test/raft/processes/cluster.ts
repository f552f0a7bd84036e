import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noteOpen } from '#test/open.ts';
import type { Wires } from './wires.ts';
import { createWires } from './wires.ts';
import { freePorts } from '../../ports.ts';

export interface PeerState {
  readonly role: string;
  readonly term: number;
  readonly leader: string | null;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly snapshotIndex: number;
  readonly peers: readonly { id: string; address: string; suffrage: string }[];
  readonly count: number;
  readonly crc32: number;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface Peer {
  readonly id: string;
  readonly address: string;
  readonly control: string;
  readonly dir: string;
  start(): void;
  isRunning(): boolean;
  /** Told to the whole process group: host and engine. */
  signal(signal: NodeJS.Signals): void;
  /** Told to the host alone. */
  signalHost(signal: NodeJS.Signals): void;
  /** Of the engine's process, if it has one. */
  enginePid(): Promise<number | undefined>;
  /** Resolves with the exit code once it has ended. */
  exited(): Promise<number | null>;
  kill(): Promise<void>;
  wipe(): Promise<void>;
  call(request: string, body?: string, timeoutMs?: number): Promise<Answer>;
  state(): Promise<PeerState>;
  log(): Promise<string>;
}

export interface Cluster {
  readonly dir: string;
  readonly peers: readonly Peer[];
  readonly wires: Wires | undefined;
  /** The peer that leads, of those that answer; the highest term if two say so. */
  leader(timeoutMs?: number): Promise<Peer>;
  /** Resolves once all have applied the same, and says what. */
  agreed(timeoutMs?: number): Promise<PeerState>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly size: number;
  /** Peers of another make: the program, by number. */
  readonly program?: (nth: number) => { command: string; args: readonly string[] } | undefined;
  readonly args?: readonly string[];
  /** Connections between peers go through proxies that can be cut. */
  readonly isWired?: boolean;
  /** Each data directory is a file system of this size, which needs root. */
  readonly diskMegabytes?: number;
  /** How many of them are members from the start; the others are started empty. */
  readonly members?: number;
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const ours = join(import.meta.dirname, '../../../cluster/raft/peer.ts');

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { size, members = size, isWired = false } = options;
  const dir = await mkdtemp(join(tmpdir(), 'revenge-peers-'));
  const closed = noteOpen(`a Raft cluster in ${dir}`);
  const ports = await freePorts(size * 3);
  const port = (nth: number) => ports[nth] ?? 0;
  const places = Array.from({ length: size }, (_, nth) => ({
    id: `n${nth + 1}`,
    listen: `127.0.0.1:${port(nth * 3)}`,
    control: `127.0.0.1:${port(nth * 3 + 1)}`,
    address: `127.0.0.1:${port(isWired ? nth * 3 + 2 : nth * 3)}`,
  }));
  const wires = isWired ? await createWires(places) : undefined;
  const bootstrap = places.slice(0, members).map(({ id, address }) => `${id}=${address}`);
  const peers = places.map((place, nth) => {
    const program = options.program?.(nth) ?? { command: process.execPath, args: [ours] };
    const isOurs = program.command === process.execPath;
    const advertise = isWired && isOurs ? ['--advertise', place.address] : [];
    const first = nth < members ? ['--bootstrap', bootstrap.join(',')] : [];
    return createPeer({
      ...place,
      command: program.command,
      dir: join(dir, place.id),
      args: [...program.args, '--id', place.id, '--listen', place.listen]
        .concat(['--data', join(dir, place.id), '--control', place.control])
        .concat(advertise, first, options.args ?? []),
    });
  });
  await Promise.all(places.map(({ id }) => mkdir(join(dir, id))));
  if (options.diskMegabytes) {
    for (const { id } of places) mount(join(dir, id), options.diskMegabytes);
  }
  for (const peer of peers) peer.start();
  return {
    dir,
    peers,
    wires,
    leader: (timeoutMs = 20_000) => findLeader(peers, timeoutMs),
    agreed: (timeoutMs = 30_000) => agree(peers, timeoutMs),
    async stop() {
      await Promise.all(peers.map((peer) => peer.kill()));
      await wires?.close();
      if (options.diskMegabytes) {
        for (const { id } of places) execFileSync('umount', [join(dir, id)]);
      }
      if (!process.env['REVENGE_TEST_KEEP']) await rm(dir, { recursive: true, force: true });
      closed();
    },
  };
}

function mount(dir: string, megabytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir]);
}

interface PeerPlace {
  readonly id: string;
  readonly address: string;
  readonly control: string;
  readonly dir: string;
  readonly command: string;
  readonly args: readonly string[];
}

function createPeer({ id, address, control, dir, command, args }: PeerPlace): Peer {
  let child: ChildProcess | undefined;
  let ended: Promise<number | null> = Promise.resolve(null);
  const file = `${dir}.log`;
  const signal = (name: NodeJS.Signals) => {
    if (child?.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // it has ended by itself
    }
  };
  return {
    id,
    address,
    control,
    dir,
    signal,
    isRunning: () => child !== undefined,
    start() {
      const started = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
      started.stderr.pipe(createWriteStream(file, { flags: 'a' }));
      child = started;
      ended = new Promise((resolve) =>
        started.once('close', (code) => {
          if (child === started) child = undefined;
          resolve(code);
        }),
      );
    },
    signalHost: (name) => void child?.kill(name),
    exited: () => ended,
    async enginePid() {
      const pid = child?.pid;
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
      return Number(children.trim().split(' ')[0]) || undefined;
    },
    async kill() {
      signal('SIGKILL');
      await ended;
    },
    wipe: () => rm(dir, { recursive: true, force: true }).then(() => void mkdir(dir)),
    async call(request, body, timeoutMs = 15_000) {
      const [method = 'GET', path = '/'] = request.split(' ');
      const response = await fetch(`http://${control}${path}`, {
        method,
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    },
    async state() {
      const response = await fetch(`http://${control}/state`, {
        signal: AbortSignal.timeout(2000),
      });
      return (await response.json()) as PeerState;
    },
    log: () => readFile(file, 'utf8').catch(() => ''),
  };
}

async function findLeader(peers: readonly Peer[], timeoutMs: number): Promise<Peer> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const states = await Promise.all(
      peers.map(async (peer) => ({ peer, state: await peer.state().catch(() => undefined) })),
    );
    const leaders = states.filter(({ state }) => state?.role === 'leader');
    leaders.sort((a, b) => (b.state?.term ?? 0) - (a.state?.term ?? 0));
    if (leaders[0]) return leaders[0].peer;
    if (Date.now() > until) throw new Error(`no leader; ${JSON.stringify(states)}`);
    await pause(20);
  }
}

async function agree(peers: readonly Peer[], timeoutMs: number): Promise<PeerState> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const states = await Promise.all(peers.map((peer) => peer.state().catch(() => undefined)));
    const first = states[0];
    const isSame = (state: PeerState | undefined) =>
      state?.count === first?.count &&
      state?.crc32 === first?.crc32 &&
      state?.applied === first?.applied &&
      state?.applied === state?.lastIndex;
    if (first && states.every(isSame)) return first;
    if (Date.now() > until) throw new Error(`no agreement; ${JSON.stringify(states)}`);
    await pause(50);
  }
}

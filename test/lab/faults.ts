import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Links } from './ground.ts';
import { has } from '../needs.ts';
import type { LabNode } from './node.ts';
import type { Condition } from './record.ts';
import type { Shared, SharedPostgres } from './services.ts';

/** What a fault happens to. */
export interface Stage {
  readonly nodes: readonly LabNode[];
  /** The number of the node it happens to, if it happens to one. */
  readonly victim: number;
  readonly postgres: SharedPostgres;
  readonly redis: Shared | undefined;
  readonly links: Links | undefined;
  readonly outageMs: number;
  /** Notes what was done to a node, so that nobody wonders at its answers. */
  note(node: number, condition: Condition): void;
  /** Any node is asked to lead instead of the one that does. */
  transfer(): Promise<void>;
}

export interface Fault {
  readonly about: string;
  /** What this machine lacks for it; empty when it can be had. */
  readonly missing?: () => readonly string[];
  readonly needsHosts?: boolean;
  readonly needsSmallDisk?: boolean;
  /** Happens to all nodes, or to none. */
  readonly isGlobal?: boolean;
  /** How long no write may get through, in milliseconds, beyond the outage itself. */
  readonly gapMs?: number;
  /** No write can get through as long as it lasts. */
  readonly stopsWrites?: boolean;
  /** Even reads may be refused as long as it lasts. */
  readonly stopsReads?: boolean;
  /** Breaks something, and mends it again. */
  run(stage: Stage): Promise<void>;
}

const victimOf = ({ nodes, victim }: Stage): LabNode => nodes[victim]!;
const others = ({ nodes, victim }: Stage): number[] =>
  nodes.map((_, nth) => nth).filter((nth) => nth !== victim);

/** Takes a node away, and brings it back after the outage. */
async function away(stage: Stage, end: (node: LabNode) => Promise<unknown>): Promise<void> {
  const node = victimOf(stage);
  stage.note(stage.victim, 'down');
  await end(node);
  await pause(stage.outageMs);
  await back(stage, stage.victim);
}

async function back(stage: Stage, nth: number): Promise<void> {
  const node = stage.nodes[nth]!;
  if (!node.isRunning()) node.start();
  await node.ready();
  stage.note(nth, 'up');
}

async function softly(stage: Stage, nth: number): Promise<void> {
  const node = stage.nodes[nth]!;
  stage.note(nth, 'stopping');
  if (!(await node.stop())) throw new Error(`${node.name} did not heed SIGTERM`);
  stage.note(nth, 'down');
}

async function cutOff(stage: Stage, cut: (links: Links, other: number) => void): Promise<void> {
  const { links } = stage;
  if (!links) throw new Error('nothing can be cut on the loopback');
  stage.note(stage.victim, 'cut');
  for (const other of others(stage)) cut(links, other);
  await pause(stage.outageMs);
  links.heal();
  stage.note(stage.victim, 'up');
}

const without = (...tools: string[]) => tools.filter((tool) => !has(tool));

/** Lets a tracer change what the Raft process of the victim is answered by the kernel. */
async function traced(stage: Stage, injection: string, forMs: number): Promise<void> {
  const pid = await victimOf(stage).enginePid();
  if (pid === undefined) throw new Error(`${victimOf(stage).name} has no Raft process`);
  const calls = 'fsync,fdatasync';
  const tracer = spawn(
    'strace',
    ['-f', '-q', '-p', String(pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:${injection}`],
    { stdio: 'ignore' },
  );
  await pause(forMs);
  await endTracer(tracer);
}

async function endTracer(tracer: ChildProcess): Promise<void> {
  if (tracer.exitCode !== null || tracer.signalCode !== null) return;
  tracer.kill('SIGINT'); // it lets go of the process first
  await once(tracer, 'exit');
}

async function fillDisk(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  stage.note(stage.victim, 'cut');
  const path = join(node.dataDir, 'raft', 'filler');
  const filler = await open(path, 'w');
  const block = Buffer.alloc(2 ** 16);
  const isRoom = () => filler.write(block).then(({ bytesWritten }) => bytesWritten > 0);
  while (await isRoom().catch(() => false));
  await filler.close();
  await pause(stage.outageMs);
  if (existsSync(path)) rmSync(path);
  await back(stage, stage.victim);
}

const serviceAway = async (stage: Stage, service: Shared | undefined): Promise<void> => {
  await service?.stop();
  await pause(stage.outageMs);
  await service?.start();
};

/** By name; `leader-`, `follower-` or `n2-` before it says whom it befalls. */
export const faults: Readonly<Record<string, Fault>> = {
  none: {
    about: 'nothing, to compare with',
    isGlobal: true,
    run: ({ outageMs }) => pause(outageMs),
  },
  kill: {
    about: 'kill -9 of a node with its Raft process, started again later',
    run: (stage) => away(stage, (node) => node.kill()),
  },
  'kill-engine': {
    about: 'kill -9 of the Raft process alone',
    async run(stage) {
      const pid = await victimOf(stage).enginePid();
      if (pid === undefined) throw new Error(`${victimOf(stage).name} has no Raft process`);
      stage.note(stage.victim, 'cut');
      process.kill(pid, 'SIGKILL');
      await pause(stage.outageMs);
      await back(stage, stage.victim);
    },
  },
  term: {
    about: 'SIGTERM, started again later',
    async run(stage) {
      await softly(stage, stage.victim);
      await pause(stage.outageMs);
      await back(stage, stage.victim);
    },
  },
  pause: {
    about: 'SIGSTOP of a node with its Raft process, and SIGCONT',
    async run(stage) {
      stage.note(stage.victim, 'down');
      victimOf(stage).signal('SIGSTOP');
      await pause(stage.outageMs);
      victimOf(stage).signal('SIGCONT');
      stage.note(stage.victim, 'up');
    },
  },
  cut: {
    about: 'a node and the others no longer hear each other, clients hear all',
    needsHosts: true,
    run: (stage) =>
      cutOff(stage, (links, other) => {
        links.cut(stage.victim, other);
        links.cut(other, stage.victim);
      }),
  },
  'one-way': {
    about: 'the others no longer hear a node, which hears them',
    needsHosts: true,
    run: (stage) => cutOff(stage, (links, other) => links.cut(stage.victim, other)),
  },
  deaf: {
    about: 'a node no longer hears the others, which hear it',
    needsHosts: true,
    run: (stage) => cutOff(stage, (links, other) => links.cut(other, stage.victim)),
  },
  'cut-gossip': {
    about: 'no hints between a node and the others',
    needsHosts: true,
    async run(stage) {
      const { links, nodes } = stage;
      const ports = [nodes[0]!.ports.gossip];
      for (const other of others(stage)) {
        links?.cut(stage.victim, other, ports);
        links?.cut(other, stage.victim, ports);
      }
      await pause(stage.outageMs);
      links?.heal();
    },
  },
  transfer: {
    about: 'leadership is handed on as an operator asks for it, some times',
    isGlobal: true,
    async run(stage) {
      for (let times = 0; times < 3; times += 1) {
        await stage.transfer();
        await pause(stage.outageMs / 3);
      }
    },
  },
  rolling: {
    about: 'SIGTERM and a new start, one node after the other',
    isGlobal: true,
    async run(stage) {
      for (let nth = 0; nth < stage.nodes.length; nth += 1) {
        await softly(stage, nth);
        await back(stage, nth);
        await pause(2_000);
      }
    },
  },
  power: {
    about: 'kill -9 of all nodes at once, all started again',
    isGlobal: true,
    gapMs: 30_000,
    stopsWrites: true,
    stopsReads: true,
    async run(stage) {
      stage.nodes.forEach((_, nth) => stage.note(nth, 'down'));
      await Promise.all(stage.nodes.map((node) => node.kill()));
      await Promise.all(stage.nodes.map((_, nth) => back(stage, nth)));
    },
  },
  redis: {
    about: 'the shared cache is killed, and back empty later',
    isGlobal: true,
    missing: () => without('redis-server'),
    run: (stage) => serviceAway(stage, stage.redis),
  },
  postgres: {
    about: 'PostgreSQL is stopped, and started again later',
    isGlobal: true,
    gapMs: 10_000,
    stopsWrites: true,
    stopsReads: true,
    run: (stage) => serviceAway(stage, stage.postgres),
  },
  'postgres-kill': {
    about: 'kill -9 of PostgreSQL, which recovers at once',
    isGlobal: true,
    gapMs: 15_000,
    stopsReads: true,
    async run({ postgres, outageMs }) {
      postgres.kill();
      await pause(outageMs);
    },
  },
  'disk-full': {
    about: 'the disk of a node’s Raft log is full',
    missing: () => without('root'),
    needsSmallDisk: true,
    run: fillDisk,
  },
  'slow-fsync': {
    about: 'each sync of a node’s Raft log takes 200 ms',
    missing: () => without('strace'),
    run: (stage) => traced(stage, 'delay_enter=200000', stage.outageMs),
  },
  'fsync-eio': {
    about: 'one sync of a node’s Raft log fails with EIO',
    missing: () => without('strace'),
    async run(stage) {
      stage.note(stage.victim, 'cut');
      await traced(stage, 'error=EIO:when=1', stage.outageMs);
      await back(stage, stage.victim);
    },
  },
};

/** Known, and not to be had here whatever is installed, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  clock: 'needs libfaketime, which this lab does not drive yet',
};

/** A fault and whom it befalls. */
export interface NamedFault {
  readonly name: string;
  readonly fault: Fault;
  readonly whom: 'leader' | 'follower' | 'anyone' | number;
}

/** Reads `leader-kill`, `n2-cut`, `redis`. Throws for what is no fault, naming those there are. */
export function parseFault(name: string): NamedFault {
  const [, who, base = ''] = /^(?:(leader|follower|n[1-9])-)?(.+)$/.exec(name) ?? [];
  const fault = Object.hasOwn(faults, base) ? faults[base] : undefined;
  if (!fault || (who !== undefined && fault.isGlobal)) {
    throw new Error(`no fault ${name}; there are ${Object.keys(faults).join(', ')}`);
  }
  if (who === undefined) return { name, fault, whom: 'anyone' };
  const whom = who === 'leader' || who === 'follower' ? who : Number(who.slice(1)) - 1;
  return { name, fault, whom };
}

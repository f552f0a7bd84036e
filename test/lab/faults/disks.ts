import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { appendFile, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LabNode } from '../node.ts';
import { back, bystander, expect, invitation, victimOf, without } from './fault.ts';
import type { Faults, Stage } from './fault.ts';

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

/** Takes all room there is. What a file system has set aside in haste it gives back by a sync. */
async function fillUp(path: string): Promise<void> {
  const filler = await open(path, 'w');
  const block = Buffer.alloc(2 ** 12);
  const isRoom = () =>
    filler.write(block).then(
      ({ bytesWritten }) => bytesWritten > 0,
      () => false,
    );
  try {
    for (let wrote = true; wrote;) {
      wrote = false;
      while (await isRoom()) wrote = true;
      await filler.datasync();
    }
  } finally {
    await filler.close();
  }
}

async function fillDisk(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  stage.note(stage.victim, 'cut');
  const path = join(node.dataDir, 'raft', 'filler');
  await fillUp(path);
  await pause(stage.outageMs);
  if (existsSync(path)) rmSync(path);
  await back(stage, stage.victim);
}

/** The file that LevelDB writes to before all others. */
async function writeAhead({ dataDir }: LabNode): Promise<string> {
  const folder = join(dataDir, 'raft', 'log');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort();
  const last = files.at(-1);
  if (last === undefined) throw new Error(`there is no write-ahead file in ${folder}`);
  return join(folder, last);
}

const leveldbBlock = 32_768;
const recordHead = 7;

/** What is there when the power went in the middle of a write: the beginning of a record. */
async function tearTail(file: string): Promise<void> {
  const { size } = await stat(file);
  const room = leveldbBlock - (size % leveldbBlock);
  if (room < 2 * recordHead) return; // a record would begin in the next block, and none was torn
  const length = Math.min(1000, room - recordHead);
  const head = Buffer.from([1, 2, 3, 4, length & 255, length >> 8, 1]);
  await appendFile(file, Buffer.concat([head, Buffer.alloc(Math.floor(length / 2), 7)]));
}

async function flipBit(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const { size } = await handle.stat();
    const byte = Buffer.alloc(1);
    const at = Math.floor(size / 2);
    await handle.read(byte, 0, 1, at);
    byte[0]! ^= 4;
    await handle.write(byte, 0, 1, at);
  } finally {
    await handle.close();
  }
}

/** A node whose log rotted must not take part, says what to do, and is well again after that. */
async function rot(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  stage.note(stage.victim, 'down');
  await node.kill();
  await flipBit(await writeAhead(node));
  node.start();
  const refusal = await node.logs(/rejoin/, 30_000);
  stage.tell(`${node.name} says: ${refusal}`);
  await node.kill();
  await node.command('cluster', 'rejoin', '--yes');
  node.start(await invitation(bystander(stage)));
  await node.ready();
  await stage.allVote(stage.nodes);
  stage.note(stage.victim, 'up');
}

/** The node dies, and with it everything that was not synced. */
async function losePower(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  stage.note(stage.victim, 'down');
  node.disk?.loseUnsynced();
  await node.kill();
  node.disk?.mountAgain();
  await pause(stage.outageMs);
  await back(stage, stage.victim);
}

/** What happens to the disk of one node. */
export const disks: Faults = {
  'disk-full': {
    about: 'the disk of a node’s Raft log is full',
    missing: () => without('root', 'mkfs.ext4'),
    needs: ['disks'],
    run: fillDisk,
  },
  'slow-fsync': {
    about: 'each sync of a node’s Raft log takes 200 ms',
    missing: () => without('strace'),
    run: (stage) => traced(stage, 'delay_enter=200000', stage.outageMs),
  },
  'slower-fsync': {
    about: 'each sync of a node’s Raft log takes 500 ms',
    missing: () => without('strace'),
    mostTerms: 2,
    run: (stage) => traced(stage, 'delay_enter=500000', stage.outageMs),
  },
  'fsync-eio': {
    about: 'one sync of a node’s Raft log fails with EIO',
    missing: () => without('strace'),
    async run(stage) {
      stage.note(stage.victim, 'cut');
      const before = await victimOf(stage).enginePid();
      await traced(stage, 'error=EIO:when=1', stage.outageMs);
      await back(stage, stage.victim);
      const after = await victimOf(stage).enginePid();
      expect(before !== after, 'the Raft process went on after a sync had failed');
    },
  },
  'power-loss': {
    about: 'a node loses power: what it had not synced is gone from its disk',
    missing: () => without('root', 'mkfs.ext4', 'perl'),
    needs: ['disks'],
    run: losePower,
  },
  'torn-log': {
    about: 'kill -9 of a node, whose log then ends in the middle of a record',
    async run(stage) {
      stage.note(stage.victim, 'down');
      await victimOf(stage).kill();
      await tearTail(await writeAhead(victimOf(stage)));
      await back(stage, stage.victim);
    },
  },
  'rotten-log': {
    about: 'kill -9 of a node, in whose log a bit is flipped; it is told to rejoin',
    run: rot,
  },
};

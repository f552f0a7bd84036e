import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../../ports.ts';
import type { LabNode, Ports } from '../node.ts';
import { back, bystander, expect, invitation, victimOf } from './fault.ts';
import type { Faults, Stage } from './fault.ts';

/** Not the folder itself, which may be a mount. */
export async function empty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (name === 'lost+found') continue;
    await rm(join(folder, name), { recursive: true });
  }
}

async function fill(folder: string, from: string): Promise<void> {
  await empty(folder);
  for (const name of await readdir(from)) {
    if (name === 'lost+found') continue;
    const options = { recursive: true, preserveTimestamps: true };
    await cp(join(from, name), join(folder, name), options);
  }
}

/** A node that is no member any more, as its folder is gone; it comes back as another. */
async function wipe(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  const { nodeId: before } = await stage.status(node);
  stage.note(stage.victim, 'down');
  await node.kill();
  await empty(node.dataDir);
  node.start(await invitation(bystander(stage)));
  await node.ready();
  const { nodeId: after, members } = await stage.status(node);
  expect(after !== before, `${node.name} is ${before} again`);
  const vote = members.find(({ id }) => id === after);
  stage.tell(`${node.name} came back as another, ${vote?.isVoter ? 'with' : 'without'} a vote`);
  await stage.allVote(stage.nodes);
  await bystander(stage).command('cluster', 'remove', before, '--yes');
  stage.note(stage.victim, 'up');
}

const keptOut = /a later start of this node is known|data folder is a copy/;
const refusedMs = 20_000;

/** Waits until a node has said why it does not take part, and has ended. */
async function refused(stage: Stage, node: LabNode, why: RegExp): Promise<void> {
  stage.tell(`${node.name} says: ${await node.logs(why, refusedMs)}`);
  const late = pause(refusedMs, 'late' as const, { ref: false });
  const end = await Promise.race([node.exited(), late]);
  await node.kill();
  expect(end !== 'late', `${node.name} goes on`);
}

async function restoreOld(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  const [copy, truth] = ['copy', 'truth'].map((name) => join(stage.dir, `${node.name}-${name}`));
  stage.note(stage.victim, 'down');
  await node.kill();
  await fill(copy!, node.dataDir);
  node.start();
  await node.ready();
  await pause(stage.outageMs);
  await node.kill();
  await fill(truth!, node.dataDir);
  await fill(node.dataDir, copy!);
  node.start();
  await refused(stage, node, keptOut);
  await fill(node.dataDir, truth!);
  await back(stage, stage.victim);
}

async function somePorts(): Promise<Ports> {
  const [api = 0, raft = 0, rpc = 0, gossip = 0] = await freePorts(4);
  return { api, raft, rpc, gossip };
}

/** The same folder on the same host, and a copy of it on another while it is in use. */
async function twice(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  const spare = stage.spares[0]!;
  const again = node.twin(await somePorts());
  again.start();
  await refused(stage, again, /another process uses|is in use by another/);
  await fill(spare.dataDir, node.dataDir);
  // Its announcement is of the other one.
  await rm(join(spare.dataDir, 'run'), { recursive: true, force: true });
  spare.start();
  await refused(stage, spare, /runs already/);
  await pause(stage.outageMs);
  expect(node.isRunning(), `${node.name} was ended by its copy`);
}

interface KnownPeer {
  addresses: Record<string, string[]>;
}

/** Names lead nowhere, and where the others were noted down nobody lives any more. */
async function deadNames(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  stage.note(stage.victim, 'down');
  await node.kill();
  const file = join(node.dataDir, 'cluster', 'peers.json');
  const peers = JSON.parse(await readFile(file, 'utf8')) as KnownPeer[];
  for (const { addresses } of peers) {
    for (const kind of Object.keys(addresses)) addresses[kind] = ['192.0.2.1:7000'];
  }
  await writeFile(file, JSON.stringify(peers));
  await pause(stage.outageMs);
  await back(stage, stage.victim, ['--join', 'dns:nobody.invalid:7001']);
}

/** What happens to the data folder of one node. */
export const folders: Faults = {
  wipe: {
    about: 'a node loses its whole data folder, and joins as a new one',
    run: wipe,
  },
  'restore-old': {
    about: 'the data folder of a node is put back to what it was some time before',
    mayEnd: true,
    run: restoreOld,
  },
  twice: {
    about: 'the data folder of a node is used twice: there, and a copy of it elsewhere',
    needs: ['spares'],
    mayEnd: true,
    run: twice,
  },
  'stale-addresses': {
    about: 'a node that died remembers wrong addresses only, and names lead nowhere',
    run: deadNames,
  },
};

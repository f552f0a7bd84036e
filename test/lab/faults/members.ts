import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { LabNode } from '../node.ts';
import { back, bystander, expect, invitation, others, victimOf } from './fault.ts';
import type { Faults, Stage } from './fault.ts';
import { empty } from './folders.ts';

/** Joins nodes that have never run, with what a member gave them. */
async function join(nodes: readonly LabNode[], member: LabNode): Promise<void> {
  for (const node of nodes) {
    await empty(node.dataDir);
    node.start(await invitation(member));
  }
  await Promise.all(nodes.map((node) => node.ready()));
}

const leaveMaxMs = 20_000;

/** For good: it ends by itself, and its id never comes back. */
async function leave(node: LabNode): Promise<void> {
  await node.command('cluster', 'leave', '--yes');
  const late = pause(leaveMaxMs, 'late' as const, { ref: false });
  const end = await Promise.race([node.exited(), late]);
  expect(end !== 'late', `${node.name} has left, and goes on`);
}

async function grow(stage: Stage): Promise<void> {
  const spares = stage.spares.slice(0, 2);
  await join(spares, stage.nodes[0]!);
  await stage.allVote([...stage.nodes, ...spares]);
  stage.tell(`${stage.nodes.length + spares.length} vote`);
  await pause(stage.outageMs);
  for (const spare of spares) await leave(spare);
  await stage.allVote(stage.nodes);
}

async function replace(stage: Stage): Promise<void> {
  const node = victimOf(stage);
  const spare = stage.spares[0]!;
  const { nodeId: dead } = await stage.status(node);
  stage.note(stage.victim, 'down');
  await node.kill();
  const rest = others(stage).map((nth) => stage.nodes[nth]!);
  await join([spare], bystander(stage));
  await stage.allVote([...rest, spare]);
  await bystander(stage).command('cluster', 'remove', dead, '--yes');
  await pause(stage.outageMs);
  // And back, for the next round.
  await node.command('cluster', 'rejoin', '--yes');
  node.start(await invitation(bystander(stage)));
  await node.ready();
  await leave(spare);
  await stage.allVote(stage.nodes);
  stage.note(stage.victim, 'up');
}

/** All but one are lost for ever: the survivor goes on alone when it is told to, and grows again. */
async function loseQuorum(stage: Stage): Promise<void> {
  const survivor = victimOf(stage);
  const lost = others(stage).map((nth) => stage.nodes[nth]!);
  stage.nodes.forEach((_, nth) => stage.note(nth, 'down'));
  await Promise.all(lost.map((node) => node.kill()));
  await pause(stage.outageMs);
  expect(await survivor.stop(), `${survivor.name} did not heed SIGTERM`);
  await survivor.command('cluster', 'recover', 'plan');
  await survivor.command('cluster', 'recover', 'apply', '--yes');
  await back(stage, stage.victim);
  for (const nth of others(stage)) {
    const node = stage.nodes[nth]!;
    await rm(`${node.dataDir}/raft`, { recursive: true, force: true });
    await rm(`${node.dataDir}/cluster`, { recursive: true, force: true });
    await back(stage, nth, await invitation(survivor));
  }
  await stage.allVote(stage.nodes);
}

/** Resolves to what a command is refused with; throws when it is not refused. */
async function refusal(what: string, command: Promise<unknown>): Promise<string> {
  const said = await command.then(
    () => undefined,
    (error: unknown) => String(error),
  );
  if (said === undefined) throw new Error(`${what} was let in`);
  return `${what}: ${said.trim().replaceAll(/\s+/g, ' ')}`;
}

const alone = /belongs to the cluster|another cluster|belongs to another/;
const aloneMs = 30_000;
/**
 * A token is good for a minute longer, as clocks may differ so much; and where a leader's clock was
 * ahead before, that minute passes at half its pace.
 */
const toleranceMs = 126_000;

/** Who has no business here: no token, another cluster's, one that was taken back; or alone. */
async function strangers(stage: Stage): Promise<void> {
  const [member, spare] = [bystander(stage), stage.spares[0]!];
  await empty(spare.dataDir);
  const ids = async () => (await stage.status(member)).members.map(({ id }) => id).sort();
  const before = await ids();
  const address = `${member.host.address}:${member.ports.rpc}`;
  const { token, id } = await member.command<{ token: string; id: string }>(
    ...['cluster', 'token', 'create'],
  );
  const [head = '', authority = '', ...rest] = token.split('.');
  const elsewhere = [head, authority.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')), ...rest];
  const enter = (by: string) => spare.command('cluster', 'join', address, '--token', by);
  stage.tell(await refusal('garbage', enter('rj1.garbage')));
  stage.tell(await refusal('another authority', enter(elsewhere.join('.'))));
  await member.command('cluster', 'token', 'revoke', id);
  stage.tell(await refusal('a revoked token', enter(token)));
  const brief = await member.command<{ token: string }>(
    ...['cluster', 'token', 'create', '--ttl', '1s'],
  );
  await pause(toleranceMs);
  stage.tell(await refusal('an expired token', enter(brief.token)));
  spare.start();
  stage.tell(`alone: ${await spare.logs(alone, aloneMs)}`);
  await spare.kill();
  expect(String(await ids()) === String(before), 'the members are others than before');
}

/** What happens to who is a member. */
export const members: Faults = {
  grow: {
    about: 'two nodes join, five vote, and the two leave again',
    needs: ['spares'],
    isGlobal: true,
    mayEnd: true,
    run: grow,
  },
  replace: {
    about: 'a node dies for good, and another takes its place',
    needs: ['spares'],
    mayEnd: true,
    run: replace,
  },
  'lost-quorum': {
    about: 'all nodes but one are lost for good; that one is told to go on',
    isGlobal: true,
    gapMs: 60_000,
    stopsWrites: true,
    stopsReads: true,
    run: loseQuorum,
  },
  strangers: {
    about: 'who has no right to it wants to be a member, or to found another cluster',
    needs: ['spares'],
    isGlobal: true,
    mostTerms: 0,
    run: strangers,
  },
};

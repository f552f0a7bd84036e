import { setTimeout as pause } from 'node:timers/promises';
import type { Links } from '../ground.ts';
import { bystander, invitation, others, without } from './fault.ts';
import { victimOf, type Faults, type Stage } from './fault.ts';

function linksOf({ links }: Stage): Links {
  if (!links) throw new Error('nothing can be cut on the loopback');
  return links;
}

async function cutOff(stage: Stage, cut: (links: Links, other: number) => void): Promise<void> {
  const links = linksOf(stage);
  stage.note(stage.victim, 'cut');
  for (const other of others(stage)) cut(links, other);
  await pause(stage.outageMs);
  links.heal();
  stage.note(stage.victim, 'up');
}

/** Between the victim and all others, on these ports alone. */
async function cutPorts(stage: Stage, ports: readonly number[]): Promise<void> {
  await cutOff(stage, (links, other) => {
    links.cut(stage.victim, other, ports);
    links.cut(other, stage.victim, ports);
  });
}

/** Each hears its neighbours only, so each has a majority of five, and none the same. */
async function ring(stage: Stage): Promise<void> {
  const links = linksOf(stage);
  const count = stage.nodes.length;
  stage.nodes.forEach((_, nth) => stage.note(nth, 'cut'));
  for (let from = 0; from < count; from += 1) {
    for (let to = 0; to < count; to += 1) {
      const apart = (to - from + count) % count;
      if (apart > 1 && apart < count - 1) links.cut(from, to);
    }
  }
  await pause(stage.outageMs);
  links.heal();
  stage.nodes.forEach((_, nth) => stage.note(nth, 'up'));
}

const roughWays = () => without('perl', 'root');

/** What happens to the network between nodes; clients reach all of them all the time. */
export const network: Faults = {
  cut: {
    about: 'a node and the others no longer hear each other',
    needs: ['hosts'],
    run: (stage) =>
      cutOff(stage, (links, other) => {
        links.cut(stage.victim, other);
        links.cut(other, stage.victim);
      }),
  },
  'one-way': {
    about: 'the others no longer hear a node, which hears them',
    needs: ['hosts'],
    mostTerms: 1,
    run: (stage) => cutOff(stage, (links, other) => links.cut(stage.victim, other)),
  },
  deaf: {
    about: 'a node no longer hears the others, which hear it',
    needs: ['hosts'],
    mostTerms: 1,
    run: (stage) => cutOff(stage, (links, other) => links.cut(other, stage.victim)),
  },
  'link-out': {
    about: 'one other node no longer hears a node',
    needs: ['hosts'],
    mostTerms: 1,
    async run(stage) {
      const other = others(stage)[0]!;
      stage.note(other, 'cut');
      await cutOff(stage, (links, each) => {
        if (each === other) links.cut(stage.victim, other);
      });
      stage.note(other, 'up');
    },
  },
  'link-in': {
    about: 'a node no longer hears one other node',
    needs: ['hosts'],
    mostTerms: 1,
    async run(stage) {
      const other = others(stage)[0]!;
      stage.note(other, 'cut');
      await cutOff(stage, (links, each) => {
        if (each === other) links.cut(other, stage.victim);
      });
      stage.note(other, 'up');
    },
  },
  ring: {
    about: 'each node hears its two neighbours only',
    needs: ['hosts'],
    leastNodes: 5,
    isGlobal: true,
    mostTerms: 2,
    run: ring,
  },
  'cut-gossip': {
    about: 'no hints between a node and the others',
    needs: ['hosts'],
    mostTerms: 0,
    run: (stage) => cutPorts(stage, [stage.nodes[0]!.ports.gossip]),
  },
  'cut-raft': {
    about: 'nothing but hints between a node and the others',
    needs: ['hosts'],
    run: (stage) => cutPorts(stage, [stage.nodes[0]!.ports.raft, stage.nodes[0]!.ports.rpc]),
  },
  rough: {
    about: 'between all nodes: 100±80 ms, 5 % lost, 2 % twice, out of order',
    needs: ['hosts'],
    missing: roughWays,
    isGlobal: true,
    gapMs: 10_000,
    mostTerms: 2,
    async run(stage) {
      const links = linksOf(stage);
      await links.distort({ delayMs: 100, jitterMs: 80, loss: 0.05, twice: 0.02 });
      await pause(stage.outageMs);
      links.heal();
    },
  },
  thin: {
    about: '1 Mbit/s between all nodes, and one loses all it has, and learns it again',
    needs: ['hosts'],
    missing: roughWays,
    gapMs: 6_000,
    async run(stage) {
      const links = linksOf(stage);
      await links.distort({ bitsPerSecond: 1_000_000 });
      const node = victimOf(stage);
      stage.note(stage.victim, 'down');
      await node.kill();
      await node.command('cluster', 'rejoin', '--yes');
      await bystander(stage).command('cluster', 'snapshot', 'save');
      node.start(await invitation(bystander(stage)));
      await node.ready();
      await stage.allVote(stage.nodes);
      links.heal();
      stage.note(stage.victim, 'up');
      const hasSnapshot = await node.hasLogged('received a snapshot');
      stage.tell(`it learned by ${hasSnapshot ? 'a snapshot' : 'the log, which was still whole'}`);
    },
  },
};

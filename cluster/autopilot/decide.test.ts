import { expect } from 'chai';
import type { AutopilotConfig } from '#cluster/state/types.ts';
import { decide, replacedAfterMs } from './decide.ts';
import { dead, exampleKnown, learner, voter, witness, type ExampleServer } from './examples.ts';

type Servers = readonly ExampleServer[];
interface Rule {
  readonly that: string;
  readonly servers: Servers;
  readonly config?: Partial<AutopilotConfig>;
  /** `kind id`, or nothing to do. */
  readonly does?: string;
}

function check(rules: readonly Rule[]): void {
  for (const { that, servers, config, does } of rules) {
    it(that, () => {
      const { actions } = decide(exampleKnown(servers, config));
      const said = actions.map(({ kind, id }) => `${kind} ${id}`);
      expect(said).to.deep.equal(does === undefined ? [] : [does]);
    });
  }
}

const day = 24 * 3600 * 1000;
const [a, b, c] = [voter('a'), voter('b'), voter('c')];

describe('autopilot: voters are odd', () => {
  check([
    { that: '1 node votes', servers: [a] },
    { that: 'of 2 nodes one votes', servers: [a, learner('b')] },
    {
      that: 'of 3 all, one after the other',
      servers: [a, learner('b'), learner('c')],
      does: 'promote b',
    },
    { that: '… and the other', servers: [a, b, learner('c')], does: 'promote c' },
    { that: 'of 4 three', servers: [a, b, c, learner('d')] },
    {
      that: 'of 5 all',
      servers: [a, b, c, learner('d'), learner('e')],
      does: 'promote d',
    },
    {
      that: 'of 5 three, if more are not wanted',
      servers: [a, b, c, learner('d'), learner('e')],
      config: { maxVoters: 3 },
    },
    { that: 'of 6 five', servers: [a, b, c, voter('d'), voter('e'), learner('f')] },
    { that: 'the second of two loses its vote again', servers: [a, b], does: 'demote b' },
    {
      that: '… not while a third may be coming',
      servers: [a, b, learner('c', { healthyForMs: 5 })],
    },
    {
      that: '… nor when one has not been heard of',
      servers: [a, b, c, voter('d', { silentForMs: 'never' })],
    },
    { that: 'the fourth too', servers: [a, b, c, voter('d')], does: 'demote d' },
    {
      that: 'of a surplus the dead one goes first',
      servers: [a, dead(b), c, voter('d')],
      does: 'demote b',
    },
    {
      that: 'of a surplus the one that lags goes first',
      servers: [a, voter('b', { behind: 1000 }), c, voter('d')],
      does: 'demote b',
    },
    {
      that: 'more than wanted are brought down',
      servers: [a, b, c],
      config: { maxVoters: 1 },
      does: 'demote b',
    },
  ]);
});

describe('autopilot: a witness', () => {
  const w = witness(voter('w'));
  const waiting = witness(learner('w'));
  check([
    {
      that: 'makes three voters of two nodes',
      servers: [a, learner('b'), waiting],
      does: 'promote b',
    },
    { that: '… and gets its vote', servers: [a, b, waiting], does: 'promote w' },
    { that: '… and keeps it', servers: [a, b, w] },
    { that: 'is of no use to one node', servers: [a, waiting] },
    { that: 'two are of no use to one node', servers: [a, waiting, witness(learner('v'))] },
    {
      that: 'makes five of four nodes',
      servers: [a, b, c, learner('d'), waiting],
      does: 'promote d',
    },
    { that: 'gives its vote to a third node', servers: [a, b, w, learner('c')], does: 'promote c' },
    { that: '… and loses it then', servers: [a, b, w, c], does: 'demote w' },
    {
      that: 'takes the vote of a node that is dead',
      servers: [a, b, dead(c), waiting],
      does: 'promote w',
    },
    { that: 'never leads', servers: [w, voter('b', { behind: 9 }), c], does: 'transfer c' },
    {
      that: '… not even for a moment, whatever else there is',
      servers: [w, b, dead(c), learner('d')],
      does: 'transfer b',
    },
    {
      that: '… rather a node that is being drained',
      servers: [w, voter('b', { isDraining: true }), dead(c)],
      does: 'transfer b',
    },
    { that: '… but not to one that lags', servers: [w, voter('b', { behind: 1000 }), dead(c)] },
    {
      that: 'lets a node vote so that it can take over',
      servers: [w, learner('b')],
      does: 'promote b',
    },
  ]);
});

describe('autopilot: a learner is promoted', () => {
  const with3 = (more: Partial<ExampleServer>): Servers => [a, b, learner('c', more)];
  check([
    {
      that: 'when it has been healthy for long enough',
      servers: with3({ healthyForMs: 10_000 }),
      does: 'promote c',
    },
    {
      that: 'not before',
      servers: with3({ healthyForMs: 9999 }),
    },
    { that: 'not when it lags', servers: [a, learner('b'), learner('c', { behind: 251 })] },
    { that: 'when it lags a little', servers: with3({ behind: 250 }), does: 'promote c' },
    {
      that: 'not when its last term is another',
      servers: [a, learner('b'), learner('c', { lastTerm: 6 })],
    },
    {
      that: 'not when it is silent',
      servers: [a, learner('b'), learner('c', { silentForMs: 2001 })],
    },
    {
      that: 'not when it never answered',
      servers: [a, learner('b'), learner('c', { silentForMs: 'never' })],
    },
    {
      that: 'not when it is being drained',
      servers: [a, learner('b'), learner('c', { isDraining: true })],
    },
    {
      that: 'not when nobody knows it',
      servers: [a, learner('b'), learner('c', { membership: 'stranger' })],
    },
    {
      that: 'not when that is switched off',
      servers: [a, learner('b'), learner('c')],
      config: { promote: false },
    },
    { that: 'and nobody is demoted then', servers: [a, b], config: { promote: false } },
    {
      that: 'the one that is healthy for longest first',
      servers: [a, learner('b', { healthyForMs: 20_000 }), learner('c', { healthyForMs: 30_000 })],
      does: 'promote c',
    },
  ]);
});

describe('autopilot: a dead voter', () => {
  const replaced = [a, b, voter('d')];
  const [deadD, deadE] = [dead(voter('d')), dead(voter('e'))];
  const [f, g] = [learner('f'), learner('g')];
  check([
    {
      that: 'is replaced before the next one',
      servers: [a, b, c, deadD, deadE, f, g],
      does: 'promote f',
    },
    {
      that: '… and loses its vote first',
      servers: [a, b, c, deadD, deadE, voter('f'), g],
      does: 'demote d',
    },
    { that: 'is not replaced when there is no quorum for it', servers: [a, dead(b), dead(c), f] },
    { that: 'keeps its vote when nobody can take it', servers: [a, b, dead(c)] },
    { that: '… for ever, unless told otherwise', servers: [a, b, dead(c, 30 * day)] },
    { that: 'keeps it while it is only slow', servers: [a, b, dead(c, 9999), learner('d')] },
    {
      that: 'keeps it while the other is not ready',
      servers: [a, b, dead(c), learner('d', { behind: 1000 })],
    },
    {
      that: 'is replaced by a learner that is ready',
      servers: [a, b, dead(c), learner('d')],
      does: 'promote d',
    },
    {
      that: '… and loses its vote, not its place',
      servers: [...replaced, dead(c)],
      does: 'demote c',
    },
    {
      that: '… but its place too if it has been away for long',
      servers: [...replaced, dead(c, replacedAfterMs)],
      does: 'remove c',
    },
    {
      that: '… and has not, when that is switched off',
      servers: [...replaced, dead(c, day)],
      config: { cleanup: false },
      does: 'demote c',
    },
    {
      that: 'is not replaced when that is switched off',
      servers: [a, b, dead(c), learner('d')],
      config: { cleanup: false },
    },
    { that: 'does not get its vote back while all are well', servers: [...replaced, learner('c')] },
    {
      that: 'is removed by policy',
      servers: [a, b, dead(c, day)],
      config: { deadAfterMs: day },
      does: 'remove c',
    },
    { that: '… not before', servers: [a, b, dead(c, day - 1)], config: { deadAfterMs: day } },
    {
      that: '… not when that is switched off',
      servers: [a, b, dead(c, day)],
      config: { deadAfterMs: day, cleanup: false },
    },
    {
      that: '… after a dead learner',
      servers: [a, b, dead(c, 2 * day), dead(learner('d'), day)],
      config: { deadAfterMs: day },
      does: 'remove d',
    },
    {
      that: '… the longest dead first',
      servers: [a, b, c, dead(voter('d'), day), dead(voter('e'), 2 * day)],
      config: { deadAfterMs: day },
      does: 'remove e',
    },
    {
      that: 'is not removed if the rest had no quorum',
      servers: [a, dead(b, 5000), dead(c, day)],
      config: { deadAfterMs: day },
    },
    {
      that: 'that is new here is not eaten',
      servers: [a, learner('b', { silentForMs: 'never' })],
      config: { deadAfterMs: day },
    },
  ]);
});

describe('autopilot: the list of members', () => {
  check([
    {
      that: 'who was admitted is added',
      servers: [a, learner('b', { suffrage: 'absent' })],
      does: 'add b',
    },
    {
      that: 'who was removed goes',
      servers: [a, b, c, learner('d', { membership: 'retired' })],
      does: 'remove d',
    },
    {
      that: '… also a voter',
      servers: [a, b, voter('c', { membership: 'retired' })],
      does: 'remove c',
    },
    {
      that: '… not if the rest had no quorum',
      servers: [a, dead(b, 5000), voter('c', { membership: 'retired' })],
    },
    {
      that: '… the leader hands over first',
      servers: [voter('a', { membership: 'retired' }), b, c],
      does: 'transfer b',
    },
    { that: '… and stays if nobody can lead', servers: [voter('a', { membership: 'retired' })] },
    { that: 'a stranger is left alone', servers: [a, b, voter('c', { membership: 'stranger' })] },
    { that: 'a leader that is leaving does nothing', servers: [learner('a'), b, c] },
  ]);
});

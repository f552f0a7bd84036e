import { expect } from 'chai';
import type { AutopilotConfig } from '#cluster/state/types.ts';
import { decide } from './decide.ts';
import { dead, exampleKnown, learner, voter, witness, type ExampleServer } from './examples.ts';

type Servers = readonly ExampleServer[];
const day = 24 * 3600 * 1000;
const [a, b, c] = [voter('a'), voter('b'), voter('c')];

describe('what the operator is told', () => {
  const told: [string, Servers, number, string[], Partial<AutopilotConfig>?][] = [
    ['nothing of one node', [a], 0, []],
    ['nothing when all is well', [a, b, c], 1, []],
    ['nothing when all is well with five', [a, b, c, voter('d'), voter('e')], 2, []],
    ['nothing of two nodes and a witness', [a, b, witness(voter('w'))], 1, []],
    [
      'that two nodes are not safer',
      [a, learner('b')],
      0,
      ['2 nodes: no automatic fail-over; add a third or a witness.'],
    ],
    [
      'that a witness needs two nodes',
      [a, witness(learner('w'))],
      0,
      ['1 node: no automatic fail-over; a witness needs two of them.'],
    ],
    [
      'that not all vote yet',
      [a, learner('b'), learner('c', { behind: 300 })],
      0,
      [
        '1 voter: no automatic fail-over until others may vote.',
        'C is catching up: it is 300 entries behind.',
      ],
    ],
    [
      'who is away',
      [a, b, dead(c, 3 * day)],
      0,
      [
        'No automatic fail-over now: 1 of 3 voters away; if another fails, changes wait.',
        'C has not answered for 3 days and still has its vote; start it, or remove it.',
      ],
    ],
    [
      'who was replaced',
      [a, b, c, dead(learner('d'), day)],
      1,
      ['D has not answered for 1 day; remove it if it will not come back.'],
    ],
    [
      'who will go',
      [a, b, c, dead(learner('d'), day)],
      1,
      ['D has not answered for 1 day; it will be removed after 2 days.'],
      { deadAfterMs: 2 * day },
    ],
    [
      'who cannot go',
      [a, dead(b, 5000), dead(c, day)],
      0,
      [
        'No automatic fail-over now: 2 of 3 voters away; if another fails, changes wait.',
        'C has not answered for 1 day and still has its vote; start it, or remove it.',
        'C cannot be removed now: too few of the other voters answer.',
      ],
      { deadAfterMs: day },
    ],
    [
      'that nobody serves',
      [witness(a), dead(b), witness(c)],
      0,
      [
        'A: a witness leads and no node can take over; changes wait until one is back.',
        '1 node: no automatic fail-over; a witness needs two of them.',
        'B has not answered for 1 minute and still has its vote; start it, or remove it.',
      ],
    ],
    [
      'who never said who it is',
      [a, b, voter('c', { membership: 'stranger' })],
      1,
      ['c is in the Raft configuration but never announced itself.'],
    ],
    [
      'who is on the way in',
      [a, b, c, learner('d', { suffrage: 'absent' })],
      1,
      ['D was admitted and is being added.'],
    ],
  ];
  for (const [what, servers, tolerance, notes, config] of told) {
    it(what, () => {
      const decision = decide(exampleKnown(servers, config));
      expect(decision.notes.map(({ text }) => text)).to.deep.equal(notes);
      expect(decision.failureTolerance).to.equal(tolerance);
    });
  }

  it('how each is, and why', () => {
    const servers = [
      a,
      b,
      dead(c),
      learner('d', { behind: 300 }),
      learner('e', { suffrage: 'absent' }),
      learner('f', { lastTerm: 6 }),
      learner('g', { silentForMs: 'never' }),
    ];
    const { health } = decide(exampleKnown(servers));
    const said = [...health].map(([id, { isHealthy, why }]) => [
      id,
      isHealthy ? 'well' : why?.text,
    ]);
    expect(Object.fromEntries(said)).to.deep.equal({
      a: 'well',
      b: 'well',
      c: 'has not answered for 1 minute',
      d: 'is 300 entries behind',
      e: 'does not receive the log yet',
      f: "its log ends in term 6, the leader's in 7",
      g: 'has not answered this leader yet',
    });
  });

  it('names two of one name by their ids too', () => {
    const known = exampleKnown([a, b, c, dead(learner('d'))]);
    const members = new Map(known.view.members);
    members.set('d', { ...members.get('d')!, name: 'A' });
    const { notes } = decide({ ...known, view: { ...known.view, members } });
    expect(notes[0]?.text).to.match(/^A \(d\) has not answered/);
  });
});

import { expect } from 'chai';
import { noteOpen } from '../open.ts';
import { parseFault } from './faults.ts';
import { openLab, type Lab } from './lab.ts';
import type { Round } from './verdict.ts';

describe('three nodes of one cluster', function () {
  this.timeout(180_000);
  let lab: Lab;
  let closed: () => void;
  const say = () => undefined;
  before(async () => {
    closed = noteOpen('openLab');
    lab = await openLab({ nodes: 3, needs: [], say });
  });
  after(async () => {
    await lab?.[Symbol.asyncDispose]();
    closed();
  });

  it('lose nothing, and show nobody the past, when kill -9 ends the one that leads', async () => {
    const round = await lab.round(parseFault('leader-kill'), { seed: 7, outageMs: 4_000 });
    expect(round.wasLeader).to.equal(true);
    expect(count(round, 'write'), 'acknowledged writes').to.be.greaterThan(20);
    expect(round.judgement).to.deep.include({
      ...{ lost: [], doubled: [], stale: [], unseen: [], unordered: [], wrongBytes: 0 },
    });
    expect(round.convergedMs, 'all nodes at one index, with one hash').to.not.equal(undefined);
    expect(round.terms[1], 'the term after it').to.be.greaterThan(round.terms[0]);
    for (const kind of ['read', 'read with index', 'list', 'range'] as const) {
      const found = round.classes.find((each) => each.class === kind);
      expect(found?.failed, JSON.stringify(found?.statuses)).to.equal(0);
    }
  });
});

const count = ({ classes }: Round, kind: string): number =>
  classes.find((each) => each.class === kind)?.ok ?? 0;

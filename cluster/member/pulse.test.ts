import { expect } from 'chai';
import { createPulses, type Pulses } from './pulse.ts';

interface Node {
  readonly pulses: Pulses;
  readonly state: {
    role: string;
    contactMs: number | undefined;
    commit: number;
    isSettled: boolean;
    jobs: number;
    streams: number;
    /** How far its clock on the wall is ahead. */
    aheadMs: number;
    /** How long an answer takes to come. */
    slowMs: number;
    /** It is of the release before. */
    isOld: boolean;
  };
}

/** A leader and two followers, which share a monotonic clock. */
function cluster() {
  const shared = { at: 10_000 };
  const nodes = new Map<string, Node>();
  for (const id of ['lead', 'b', 'c']) {
    const state: Node['state'] = {
      ...{ role: id === 'lead' ? 'leader' : 'follower', contactMs: 5, commit: 7 },
      ...{ isSettled: id === 'lead', jobs: 0, streams: 0, aheadMs: 0, slowMs: 0, isOld: false },
    };
    const pulses = createPulses({
      nodeId: id,
      isSettled: () => state.isSettled,
      leader: () => (id === 'lead' ? undefined : 'lead'),
      status: async () => state,
      async ask(leader, input) {
        if (nodes.get(leader)!.state.isOld) return undefined;
        const answer = await nodes.get(leader)!.pulses.answer(id, input);
        shared.at += state.slowMs;
        if (!answer) throw new Error('not-leader');
        return JSON.parse(JSON.stringify(answer)) as unknown;
      },
      doing: () => ({ jobs: state.jobs, streams: state.streams }),
      now: () => 1_700_000_000_000 + shared.at + state.aheadMs,
      elapsed: () => shared.at,
    });
    nodes.set(id, { pulses, state });
  }
  const [lead, b, c] = [...nodes.values()] as [Node, Node, Node];
  return { shared, lead, b, c };
}

describe('the pulse of members', () => {
  it('tells who asks how far the log is, and since when that is sure', async () => {
    const { lead, b } = cluster();
    lead.state.commit = 42;
    expect(await b.pulses.beat()).to.deep.equal({ commit: 42, contactMs: 5 });
    expect(await lead.pulses.beat()).to.deep.equal({ commit: 42, contactMs: 5 });
  });

  it('is not answered by who leads and does not know all yet', async () => {
    const { lead, b } = cluster();
    lead.state.isSettled = false;
    expect(await b.pulses.beat().catch(String)).to.contain('not-leader');
    expect(await lead.pulses.beat()).to.deep.equal({ commit: 7, contactMs: undefined });
    lead.state.isSettled = true;
    lead.state.contactMs = undefined;
    expect(await b.pulses.beat().catch(String)).to.contain('not-leader');
  });

  it('goes by its own Raft under a leader of the release before', async () => {
    const { lead, b } = cluster();
    lead.state.isOld = true;
    expect(await b.pulses.beat()).to.include({ commit: 7, contactMs: 5 });
    expect(b.pulses.skews().size).to.equal(0);
  });

  it('tells the leader what members do, and them what others do, until that is old', async () => {
    const { shared, lead, b, c } = cluster();
    b.state.jobs = 2;
    c.state.streams = 3;
    lead.state.streams = 1;
    await b.pulses.beat();
    await c.pulses.beat();
    await b.pulses.beat();
    expect([...lead.pulses.known().keys()]).to.have.members(['lead', 'b', 'c']);
    expect(lead.pulses.known().get('b')).to.include({ jobs: 2, streams: 0 });
    expect(lead.pulses.streamsElsewhere()).to.equal(3);
    expect(b.pulses.streamsElsewhere()).to.equal(4);
    expect(b.pulses.known().size).to.equal(0);
    shared.at += 5_000;
    expect([...lead.pulses.known().keys()]).to.deep.equal(['lead']);
    expect(b.pulses.streamsElsewhere()).to.equal(0);
  });

  it('compares clocks, on both sides, however long an answer takes', async () => {
    const { lead, b } = cluster();
    b.state.aheadMs = 5_000;
    b.state.slowMs = 400;
    await b.pulses.beat();
    expect(b.pulses.skews().get('lead')).to.be.within(-5_400, -4_600);
    await b.pulses.beat();
    expect(lead.pulses.skews().get('b')).to.be.within(4_600, 5_400);
  });

  it('says nothing of clocks after an answer that took too long to tell', async () => {
    const { b } = cluster();
    b.state.slowMs = 3_000;
    await b.pulses.beat();
    expect(b.pulses.skews().size).to.equal(0);
  });
});

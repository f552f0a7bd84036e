import { expect } from 'chai';
import { needs } from '#test/needs.ts';
import type { Cluster, Peer } from '#test/raft/processes/cluster.ts';
import { pause, startCluster } from '#test/raft/processes/cluster.ts';
import type { GoPeer } from './gopeer.ts';
import { buildGoPeer, missingForGo } from './gopeer.ts';

/** Few by default; the figures in the closing note are of 100. */
const rounds = Number(process.env['REVENGE_TEST_ROUNDS'] ?? 3);

describe('a cluster with hashicorp/raft 1.1.2', function () {
  this.timeout(120_000 + rounds * 30_000);
  const absent = missingForGo();
  needs(...(absent ? [absent] : []));
  let go: GoPeer;
  let cluster: Cluster | undefined;

  before(async () => {
    if (!absent) go = await buildGoPeer();
  });
  after(() => go?.remove());
  afterEach(async function () {
    if (this.currentTest?.isFailed()) {
      for (const peer of cluster?.peers ?? []) {
        const lines = (await peer.log()).split('\n').slice(-20).join('\n');
        process.stderr.write(`${peer.id}:\n${lines}\n`);
      }
    }
    await cluster?.stop();
    cluster = undefined;
  });

  /** G: a peer of theirs, R: one of ours. */
  const start = async (makes: string, { members = makes.length, trailing = 10_240 } = {}) => {
    cluster = await startCluster({
      size: makes.length,
      members,
      program: (nth) => (makes[nth] === 'G' ? { command: go.program, args: [] } : undefined),
      args: ['--timeout', '500', '--trailing', String(trailing)],
    });
    return cluster;
  };
  const write = async (at: Peer, count: number, tag: string) => {
    for (let nth = 0; nth < count; nth += 1) {
      const { status, body } = await at.call('POST /apply', `${tag} ${nth}`);
      expect(status, JSON.stringify(body)).to.equal(200);
    }
  };
  /** Moves leadership to this peer, however long the other side needs to be ready for it. */
  const lead = async (mixed: Cluster, wanted: Peer) => {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const now = await mixed.leader();
      if (now === wanted) return;
      await now.call(`POST /transfer?id=${wanted.id}`);
      await pause(250);
    }
    const states = await Promise.all(
      mixed.peers.map((peer) => peer.state().catch(() => undefined)),
    );
    throw new Error(`${wanted.id} does not lead: ${JSON.stringify(states)}`);
  };

  it('elects and replicates with two of theirs', async () => {
    const mixed = await start('GGR');
    await write(await mixed.leader(), 50, 'first');
    expect((await mixed.agreed()).count).to.equal(50);
  });

  it('hands leadership over the border both ways, and every write with it', async () => {
    const mixed = await start('RGR');
    const [ours, theirs] = mixed.peers as [Peer, Peer];
    await write(await mixed.leader(), 10, 'first');
    for (let round = 0; round < 3; round += 1) {
      await lead(mixed, theirs);
      await write(theirs, 10, `theirs ${round}`);
      await lead(mixed, ours);
      await write(ours, 10, `ours ${round}`);
    }
    expect((await mixed.agreed()).count).to.equal(70);
  });

  for (const [makes, who] of [
    ['RRG', 'one of theirs from ours'],
    ['GGR', 'one of ours from theirs'],
  ] as const) {
    it(`brings ${who} up with a snapshot, as a learner and then as a voter`, async () => {
      const mixed = await start(makes, { members: 2, trailing: 5 });
      const fresh = mixed.peers[2]!;
      const leader = await mixed.leader();
      await write(leader, 300, 'before');
      await leader.call('POST /set?k=a&v=b');
      const snapshot = await leader.call('POST /snapshot');
      expect(snapshot.status, JSON.stringify(snapshot.body)).to.equal(200);
      await write(leader, 20, 'after');
      const at = `id=${fresh.id}&address=${fresh.address}`;
      expect((await leader.call(`POST /members/nonvoter?${at}`)).status).to.equal(200);
      expect((await mixed.agreed()).count).to.equal(321);
      expect((await fresh.state()).snapshotIndex).to.be.greaterThan(0);
      expect((await leader.call(`POST /members/promote?id=${fresh.id}`)).status).to.equal(200);
      await lead(mixed, fresh);
      await write(fresh, 10, 'by the fresh one');
      expect((await mixed.agreed()).count).to.equal(331);
    });
  }

  it('changes members whoever leads', async () => {
    const mixed = await start('RGR');
    const [ours, theirs, third] = mixed.peers as [Peer, Peer, Peer];
    for (const leader of [ours, theirs]) {
      await lead(mixed, leader);
      for (const change of ['demote', 'remove', 'nonvoter', 'promote']) {
        const address = change === 'nonvoter' ? `&address=${third.address}` : '';
        const { status, body } = await leader.call(
          `POST /members/${change}?id=${third.id}${address}`,
        );
        expect(status, `${change}: ${JSON.stringify(body)}`).to.equal(200);
        await write(leader, 3, change);
      }
      const { peers } = await mixed.agreed();
      expect(peers.map(({ suffrage }) => suffrage)).to.deep.equal(['voter', 'voter', 'voter']);
    }
  });

  it(`ends with equal checksums after each of ${rounds} rounds of kill -9, transfer and snapshot`, async () => {
    const mixed = await start('RGR', { trailing: 20 });
    for (let round = 0; round < rounds; round += 1) {
      const leader = await mixed.leader();
      await write(leader, 40, `round ${round}`);
      await leader.call('POST /snapshot');
      await leader.kill();
      const next = await mixed.leader();
      await write(next, 40, `round ${round} without ${leader.id}`);
      leader.start();
      await mixed.agreed();
      const heir = mixed.peers[round % 3]!;
      await lead(mixed, heir);
      await write(heir, 5, `round ${round} heir`);
      await mixed.agreed();
    }
  });
});

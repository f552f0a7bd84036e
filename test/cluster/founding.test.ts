import { expect } from 'chai';
import { startPostgres, type SharedPostgres } from '../lab/services.ts';
import { until } from '../lab/cluster.ts';
import { quiet } from '../log.ts';
import { administer, openHome, untilVoters, type Home, type Status } from './home.ts';

describe('empty nodes that are to found a cluster together', function () {
  this.timeout(400_000);
  let home: Home;
  let postgres: SharedPostgres;
  beforeEach(async () => {
    home = await openHome();
    postgres = await startPostgres(`${home.dir}/postgres`, quiet);
  });
  afterEach(async () => {
    await home?.[Symbol.asyncDispose]();
    await postgres?.stop();
  });

  const expecting = (count?: number) => ({
    REVENGE_DATABASE_URL: postgres.url,
    ...(count === undefined ? {} : { REVENGE_CLUSTER_RAFT_BOOTSTRAP_EXPECT: String(count) }),
  });

  it('wait for each other, however long, and are one cluster then, without a token', async () => {
    const [c, b, a] = await Promise.all(
      ['c', 'b', 'a'].map((name) => home.place(name, { env: expecting(3) })),
    );
    c!.start();
    b!.start();
    await Promise.all([c!, b!].map((node) => node.logs(/"there":\["b","c"\]/, 60_000)));
    expect(await b!.hasLogged('is leader')).to.equal(false);
    a!.start();
    await Promise.all([a!, b!, c!].map((node) => node.ready(120_000)));
    await administer(c!, expecting());
    const { members, clusterId } = await untilVoters(c!, 3);
    expect(members.map(({ id }) => id).sort()).to.deep.equal(['a', 'b', 'c']);
    // Whatever it says, a node that is a member is one.
    await b!.kill();
    b!.start();
    await b!.ready();
    expect((await b!.command<Status>('cluster', 'status')).clusterId).to.equal(clusterId);
  });

  it('never found a second one on a database that one has taken', async () => {
    const alone = await home.place('alone', { env: expecting() });
    alone.start();
    await alone.ready();
    await administer(alone, expecting());
    const pair = [
      await home.place('a', { env: expecting(2) }),
      await home.place('b', { env: expecting(2) }),
    ];
    for (const node of pair) node.start();
    await Promise.all(
      pair.map((node) => node.logs(/waits to be invited by the cluster that has/, 60_000)),
    );
    const status = await until('the first one goes on', 20_000, () =>
      alone.command<Status>('cluster', 'status'),
    );
    expect(status.members.map(({ id }) => id)).to.deep.equal(['alone']);
    for (const node of pair) expect(await node.hasLogged('is leader')).to.equal(false);
  });

  it('are told what they lack to see each other', async () => {
    const env = { REVENGE_CLUSTER_RAFT_BOOTSTRAP_EXPECT: '3' };
    const node = await home.place('a', { env });
    node.start();
    await node.exited();
    expect(await node.hasLogged('bootstrap_expect needs database.url')).to.equal(true);
  });
});

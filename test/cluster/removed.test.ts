import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { memberAddress, readMemberDatabase } from '#node/database.ts';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { codeOf, isUnavailable } from '#storage/postgres/errors.ts';
import type { LabNode } from '../lab/node.ts';
import { quiet } from '../log.ts';
import { failure } from '../postgres-members.ts';
import { gather, openHome, write, type Home } from './home.ts';

describe('a member that is removed from a cluster with one shared database', function () {
  this.timeout(400_000);
  let home: Home;
  let nodes: LabNode[];
  let token: string;
  before(async () => {
    home = await openHome();
    nodes = await Promise.all(['n1', 'n2', 'n3'].map((name) => home.place(name)));
    await gather(nodes);
    token = await home.token(nodes);
  });
  after(() => home?.[Symbol.asyncDispose]());

  /** Reads and writes at these, one after the other at each, until it is stopped. */
  const use = (some: readonly LabNode[]) => {
    const answers: string[] = [];
    let isStopped = false;
    const one = async (node: LabNode) => {
      while (!isStopped) {
        answers.push(`write ${await write(node, token).catch(String)}`);
        const headers = { authorization: `Bearer ${token}` };
        const read = await fetch(`${node.url}/api/v1/libraries`, { headers }).catch(String);
        answers.push(`read ${typeof read === 'string' ? read : read.status}`);
        if (typeof read !== 'string') await read.arrayBuffer();
      }
    };
    const all = some.map(one);
    return {
      answers,
      async stop() {
        isStopped = true;
        await Promise.all(all);
      },
    };
  };

  it('is not the one that has the database', async () => {
    const refused = await nodes[1]!.command('cluster', 'remove', 'n1', '--yes').catch(String);
    expect(refused).to.match(/n1.* leads|the database of the cluster is on/);
  });

  it('is shut out of it, and the living do not notice', async () => {
    const gone = nodes[2]!;
    const { dataDir } = gone;
    const access = await readMemberDatabase(dataDir);
    expect(access).to.include({ user: 'CN=n3' });
    await using stolen = await connectPostgres({
      ...{ ...memberAddress(dataDir, access!), pool: { max: 1 }, log: quiet },
    });
    await stolen.sql`select 1`;
    const traffic = use(nodes.slice(0, 2));
    while (traffic.answers.length < 40) await pause(10);
    await nodes[0]!.command('cluster', 'remove', 'n3', '--yes');
    // By its certificate, which is still good for a year, and the password it was told.
    let refusal = await failure(stolen.sql`select 1`);
    while (isUnavailable(refusal)) refusal = await failure(stolen.sql`select 1`);
    expect(codeOf(refusal)).to.be.oneOf(['28000', '28P01']);
    const seen = traffic.answers.length;
    while (traffic.answers.length < seen + 40) await pause(10);
    await traffic.stop();
    const good = ['write 201', 'read 200'];
    expect(traffic.answers.filter((answer) => !good.includes(answer))).to.deep.equal([]);
    await gone.exited();
    expect(await gone.hasLogged('this node was removed from its cluster')).to.equal(true);
  });
});

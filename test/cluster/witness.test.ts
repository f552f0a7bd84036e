import { expect } from 'chai';
import { startPostgres, type SharedPostgres } from '../lab/services.ts';
import type { LabNode } from '../lab/node.ts';
import { quiet } from '../log.ts';
import {
  foundWith,
  joinAt,
  openHome,
  residentBytes,
  untilVoters,
  untilWritten,
  write,
  type Home,
  type MemberStatus,
} from './home.ts';

/** Prints figures, for whoever wants to know. */
const report = process.env['REVENGE_TEST_REPORT'] === '1';
const note = (line: string) => report && process.stdout.write(`      ${line}\n`);

describe('two nodes and a witness', function () {
  this.timeout(400_000);
  let home: Home;
  let postgres: SharedPostgres;
  let nodes: [LabNode, LabNode];
  let witness: LabNode;
  let token: string;

  before(async () => {
    home = await openHome();
    postgres = await startPostgres(`${home.dir}/postgres`, quiet);
    const env = { REVENGE_DATABASE_URL: postgres.url };
    nodes = [await home.place('n1', { env }), await home.place('n2', { env })];
    witness = await home.place('w', { role: 'witness' });
    await foundWith(nodes[0], env);
    nodes[1].start(await joinAt(nodes[0]));
    await nodes[1].ready();
    witness.start(await joinAt(nodes[0], 'witness'));
    await witness.ready();
    await untilVoters(nodes[0], 3);
    token = await home.token(nodes);
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    await postgres?.stop();
  });

  const leaderAndOther = async (): Promise<[LabNode, LabNode]> => {
    const { leader } = await untilVoters(nodes[0], 3);
    return leader === 'n1' ? nodes : [nodes[1], nodes[0]];
  };

  it('are three voters, of which the witness says so itself', async () => {
    const { items } = await witness.command<{ items: MemberStatus[] }>('cluster', 'members');
    const kinds = items.map(({ id, kind, isVoter, isHealthy }) => [id, kind, isVoter, isHealthy]);
    expect(kinds).to.have.deep.members([
      ['n1', 'node', true, true],
      ['n2', 'node', true, true],
      ['w', 'witness', true, true],
    ]);
    const { isHealthy } = await witness.command<{ isHealthy: boolean }>('cluster', 'health');
    expect(isHealthy).to.equal(true);
    for (const probe of ['live', 'ready', 'startup', 'swarm', 'cluster']) {
      expect((await fetch(`${witness.url}/health/${probe}`)).status, probe).to.equal(200);
    }
    note(`memory: ${((await residentBytes(witness.pid())) / 2 ** 20).toFixed(0)} MiB`);
    expect(await witness.enginePid()).to.equal(undefined);
  });

  it('serve from the nodes alone', async () => {
    for (const path of ['/api/v1/movies', '/api/v1/auth/login', '/metrics']) {
      expect((await fetch(`${witness.url}${path}`)).status, path).to.equal(404);
    }
    const anonymous = await fetch(`${witness.url}/api/v1/cluster`);
    expect(anonymous.status).to.equal(401);
    const asUser = await fetch(`${witness.url}/api/v1/cluster`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(asUser.status).to.equal(401);
    const refused = await witness.command('cluster', 'drain', 'n1').catch(String);
    expect(refused).to.include('This is a witness, which changes nothing: ask a node');
    const transfer = await nodes[0].command('cluster', 'transfer', 'w', '--yes').catch(String);
    expect(transfer).to.match(/witness/);
  });

  it('show the log of each, asked of either node', async () => {
    const headers = { authorization: `Bearer ${token}` };
    for (const node of nodes) {
      for (const id of ['n1', 'n2', 'w']) {
        const answer = await fetch(`${node.url}/api/v1/admin/logs?nodeId=${id}`, { headers });
        const { nodeId, items } = (await answer.json()) as { nodeId: string; items: object[] };
        expect(nodeId).to.equal(id);
        expect(items, id).to.not.deep.equal([]);
      }
    }
  });

  it('go on when the leader is killed, and it comes back', async () => {
    const [leader, other] = await leaderAndOther();
    await leader.kill();
    note(`leader killed: a change after ${await untilWritten(other, token)} ms`);
    leader.start();
    await leader.ready();
    await untilVoters(other, 3);
  });

  it('do not notice that the witness is killed', async () => {
    const [leader, other] = await leaderAndOther();
    await witness.kill();
    const answers = [];
    for (let nth = 0; nth < 20; nth += 1)
      answers.push(await write(nth % 2 ? leader : other, token));
    expect(new Set(answers)).to.deep.equal(new Set([201]));
    witness.start();
    await witness.ready();
    await untilVoters(other, 3);
  });

  it('are led by a node again after everything was killed', async () => {
    await Promise.all([...nodes, witness].map((node) => node.kill()));
    for (const node of [witness, ...nodes]) node.start();
    await Promise.all(nodes.map((node) => node.ready()));
    note(`all killed: a change after ${await untilWritten(nodes[0], token)} ms`);
    const { leader } = await untilVoters(nodes[0], 3);
    expect(leader).to.be.oneOf(['n1', 'n2']);
  });

  it('let a witness in by a token for one, and a node by one for a node', async () => {
    const cases = [
      { role: 'witness', kind: 'node', says: /the token is for a node/ },
      { role: undefined, kind: 'witness', says: /the token is for a witness/ },
    ] as const;
    for (const { role, kind, says } of cases) {
      const env = { REVENGE_DATABASE_URL: postgres.url };
      const stranger = await home.place(`stranger-${kind}`, { env, ...(role ? { role } : {}) });
      stranger.start(await joinAt(nodes[0], kind));
      await stranger.exited();
      expect(await stranger.hasLogged('the token is for a'), String(says)).to.equal(true);
    }
    const { members } = await untilVoters(nodes[0], 3);
    expect(members).to.have.length(3);
  });

  it('keep to their folders', async () => {
    await witness.kill();
    const env = { REVENGE_DATABASE_URL: postgres.url, REVENGE_CLUSTER_NODE_ID: 'w' };
    const asNode = await home.place('w', { env });
    asNode.start();
    await asNode.exited();
    expect(await asNode.hasLogged('this data folder is that of a witness')).to.equal(true);
    const alone = await home.place('lonely', { role: 'witness' });
    alone.start();
    await alone.exited();
    expect(await alone.hasLogged('a witness belongs to a cluster')).to.equal(true);
    const recovered = await asNode.command('cluster', 'recover', 'plan').catch(String);
    expect(recovered).to.include('recover on a node');
    witness.start();
    await witness.ready();
  });
});

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { testMembers, type TestMembers } from '#test/members.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createRequest, readLeaf } from '../trust/certificates.ts';
import { TrustError } from '../trust/errors.ts';
import { ensureKey, readTrust, saveTrust } from '../trust/folder.ts';
import { signHere } from './credentials.ts';

const dayMs = 86_400_000;

describe('a member that comes back when its certificate has run out', function () {
  let db: TestDatabase;
  let members: TestMembers;
  let aheadMs = 0;
  let dataDir: string;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.sql`truncate shared.cluster, shared.cluster_nodes, shared.invalidation_outbox`;
    await db.sql`update shared.leadership set epoch = 0, term = 0, node_id = ''`;
    members = await testMembers(db.sql, { now: () => Date.now() + aheadMs });
    // The authority is older than the certificate that has run out.
    aheadMs = -500 * dayMs;
    const first = await members.start('a');
    await members.leader();
    await first.control.init();
    await first.close();
    aheadMs = 0;
    await members.start('a');
    await members.start('b', await invite());
    const { dataDir: folder } = members.running.get('b')!;
    dataDir = folder;
    await untilWell('b');
    await members.running.get('b')!.close();
    await expire();
  });
  afterEach(() => members[Symbol.asyncDispose]());

  const invite = async () => {
    const { control } = await members.leader();
    return control.createToken({ kind: 'node', uses: 1, by: 'the test' });
  };
  const untilWell = async (id: string) => {
    for (;;) {
      const status = await (await members.leader()).control.status();
      if (status.members.find((member) => member.id === id)?.isHealthy) return;
      await pause(20);
    }
  };
  const expire = async () => {
    const { dataDir: authority, state } = await members.leader();
    const request = await createRequest(await ensureKey(dataDir), 'b');
    const id = { clusterId: state.view().clusterId!, nodeId: 'b' };
    const certificate = await signHere(authority, request, {
      ...{ ...id, now: () => Date.now() - 400 * dayMs },
    });
    await saveTrust(dataDir, { certificate });
  };
  const validTo = async () => readLeaf((await readTrust(dataDir)).certificate!).validTo;
  /** As a witness is, which is given no authority. */
  const withoutAuthority = () => rm(join(dataDir, 'cluster/ca.key'));

  it('renews it itself, where it keeps the authority', async () => {
    expect(await validTo()).to.be.below(Date.now());
    await members.start('b');
    expect(await validTo()).to.be.above(Date.now());
    await untilWell('b');
  });

  it('is told to bring a token, where it does not', async () => {
    await withoutAuthority();
    const error = await members.start('b').catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(TrustError).and.include({ problem: 'expired' });
    expect(String(error)).to.include('--token');
  });

  it('has it renewed by a token of its cluster, as the same member', async () => {
    await withoutAuthority();
    const { bootEpoch } = (await members.leader()).state.view().members.get('b')!;
    await members.start('b', await invite());
    expect(await validTo()).to.be.above(Date.now());
    await untilWell('b');
    const { members: all } = (await members.leader()).state.view();
    expect([...all.keys()]).to.deep.equal(['a', 'b']);
    expect(all.get('b')!.bootEpoch).to.be.above(bootEpoch);
  });

  it('does not take a token of another cluster', async () => {
    await withoutAuthority();
    const { token, addresses } = await invite();
    const [head, , ...rest] = token.split('.');
    const other = [head, 'a'.repeat(52), ...rest].join('.');
    const wish = { token: other, addresses };
    const error = await members.start('b', wish).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(TrustError).and.include({ problem: 'wrong-cluster' });
    expect(await validTo()).to.be.below(Date.now());
  });
});

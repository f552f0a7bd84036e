import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { testMembers, type TestMembers } from '#test/members.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { clusterFolder } from '../trust/identity.ts';
import { readPeers } from './peers-file.ts';

describe('where the others are, as a member has heard', function () {
  let db: TestDatabase;
  let members: TestMembers;
  before(async () => {
    db = await testDatabase();
    members = await testMembers(db.sql);
  });
  after(async () => {
    await members[Symbol.asyncDispose]();
    await db.close();
  });

  it('is kept by the time it has closed, and nothing is written after that', async () => {
    await members.grow('a', 'b', 'c');
    const { network, close, dataDir } = members.running.get('b')!;
    for (let saidAt = 1; saidAt <= 50; saidAt += 1) {
      const at = [`127.0.0.1:${saidAt}`];
      const addresses = { raft: at, rpc: at, gossip: at, api: at };
      network()!.note({ id: 'a', bootEpoch: 1_000, saidAt, addresses });
    }
    await close();
    const other = (await readPeers(dataDir)).find(({ id }) => id === 'a');
    expect(other!.addresses.rpc[0]).to.equal('127.0.0.1:50');
    expect(await readdir(clusterFolder(dataDir))).to.not.include('peers.json.tmp');
  });
});

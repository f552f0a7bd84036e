import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createGathering, type Gathering } from './gathering.ts';

describe('empty nodes that share a database', function () {
  let db: TestDatabase;
  let gathering: Gathering;
  before(async () => {
    db = await testDatabase();
    gathering = createGathering(db.sql);
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.gathering, shared.invitation`);

  it('see each other, if they expect as many', async () => {
    expect(await gathering.attend('b', 3)).to.deep.equal(['b']);
    expect(await gathering.attend('a', 3)).to.deep.equal(['a', 'b']);
    expect(await gathering.attend('x', 5)).to.deep.equal(['x']);
    expect(await gathering.attend('b', 3)).to.deep.equal(['a', 'b']);
  });

  it('no longer see who has gone', async () => {
    await gathering.attend('a', 3);
    await gathering.attend('b', 3);
    await gathering.leave('a');
    expect(await gathering.attend('b', 3)).to.deep.equal(['b']);
    await gathering.attend('c', 3);
    await db.sql`
      update shared.gathering set seen_at = seen_at - interval '11 seconds' where node_id = 'c'`;
    expect(await gathering.attend('b', 3)).to.deep.equal(['b']);
    expect(await gathering.isThere('c')).to.equal(true);
    expect(await gathering.isThere('a')).to.equal(false);
  });

  it('are invited once, for as long as that is good', async () => {
    const clusterId = randomUUID();
    const invitation = { clusterId, token: 'rj1.x', addresses: ['a:7001', '[fd00::1]:7001'] };
    expect(await gathering.invitation(clusterId)).to.equal(undefined);
    await gathering.invite(invitation, 60_000);
    await gathering.invite({ ...invitation, token: 'rj1.other' }, 60_000);
    expect(await gathering.invitation(clusterId)).to.deep.equal(invitation);
    expect(await gathering.invitation(randomUUID())).to.equal(undefined);
    await db.sql`update shared.invitation set expires_at = now() - interval '1 second'`;
    expect(await gathering.invitation(clusterId)).to.equal(undefined);
  });
});

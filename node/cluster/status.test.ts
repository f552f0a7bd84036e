import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { testMembers, type TestMembers } from '#test/members.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';

describe('the status of a cluster', function () {
  let db: TestDatabase;
  let members: TestMembers;
  before(async () => {
    db = await testDatabase();
    members = await testMembers(db.sql);
    await members.grow('a', 'b', 'c');
  });
  after(async () => {
    await members?.[Symbol.asyncDispose]();
    await db?.[Symbol.asyncDispose]();
  });

  it('says who votes without a leader too, for that is what an operator has to know then', async () => {
    const { running } = members;
    await running.get('a')!.close();
    await running.get('b')!.close();
    const { control } = running.get('c')!;
    let status = await control.status();
    for (; status.leader !== undefined; status = await control.status()) await pause(20);
    expect(status).to.include({ isHealthy: false, failureTolerance: 0 });
    expect(
      status.members.map(({ id, isVoter, role, state }) => [id, isVoter, role, state]),
    ).to.have.deep.members(['a', 'b', 'c'].map((id) => [id, true, 'follower', 'unknown']));
    expect(status.notes[0]?.text).to.include('no node leads');
  });
});

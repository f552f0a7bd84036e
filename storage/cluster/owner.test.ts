import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createOwnership, ForeignDatabaseError } from './owner.ts';

const [ours, theirs] = [
  '01890000-0000-7000-8000-00000000000a',
  '01890000-0000-7000-8000-00000000000b',
];

describe('the owner of a database', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.cluster`);

  it('is one cluster, whichever comes first, under a greater epoch each time', async () => {
    const owners = createOwnership(db.sql);
    await owners.check(ours);
    const claims = await Promise.allSettled(
      [ours, theirs, ours, theirs].map((id) => owners.claim(id)),
    );
    const winner = (await owners.read())!;
    for (const [nth, claim] of claims.entries()) {
      const isWinner = [ours, theirs][nth % 2] === winner.clusterId;
      expect(claim.status).to.equal(isWinner ? 'fulfilled' : 'rejected');
    }
    const epochs = claims.flatMap((claim) =>
      claim.status === 'fulfilled' ? [claim.value.epoch] : [],
    );
    expect(new Set(epochs).size).to.equal(2);
    expect(Math.max(...epochs)).to.equal(winner.epoch);
  });

  it('is told to whoever is not, with what to do', async () => {
    const owners = createOwnership(db.sql);
    await owners.claim(theirs);
    for (const id of [ours, undefined]) {
      const error: unknown = await owners.check(id).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(ForeignDatabaseError);
      expect(String(error)).to.match(new RegExp(`${theirs}.*cluster join.*cluster release`));
    }
  });

  it('gets an epoch later than one that only the log remembers', async () => {
    const owners = createOwnership(db.sql);
    const { epoch } = await owners.claim(ours);
    const passed = await owners.claim(ours, epoch + 20);
    expect(passed.epoch).to.be.greaterThan(epoch + 20);
    expect((await owners.claim(ours, epoch)).epoch).to.be.greaterThan(passed.epoch);
  });

  it('may change once it is released, and the epoch grows', async () => {
    const owners = createOwnership(db.sql);
    const { epoch } = await owners.claim(theirs);
    expect(await owners.release()).to.equal(true);
    expect(await owners.release()).to.equal(false);
    expect((await owners.claim(ours)).epoch).to.be.greaterThan(epoch);
  });
});

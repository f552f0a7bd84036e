import { expect } from 'chai';
import { testDatabase } from '#test/postgres.ts';
import { timeOf } from './time.ts';

describe('the time that all nodes have', () => {
  it('is the database’s, and goes on within a transaction', async () => {
    const { sql, close } = await testDatabase({ migrate: false });
    const times = await sql.begin(async (tx) => {
      const first = await timeOf(tx);
      await tx`select pg_sleep(0.01)`;
      return [first, await timeOf(tx)];
    });
    const after = await timeOf(sql);
    await close();
    expect(times[1]! - times[0]!).to.be.at.least(10);
    expect(after).to.be.at.least(times[1]!);
    expect(Math.abs(after - Date.now())).to.be.lessThan(60_000);
  });
});

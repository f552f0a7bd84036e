import { expect } from 'chai';
import { createDatabaseClock, timeOf } from './database-clock.ts';
import { testDatabase } from '#test/postgres.ts';

describe('the clock of the database', () => {
  /** A database whose answer takes 20 ms, and a machine that has run for a second. */
  const setUp = async () => {
    const times = { elapsed: 1_000, database: 500_000, asked: 0, isAway: false };
    const ask = async () => {
      times.asked += 1;
      if (times.isAway) throw new Error('away');
      times.elapsed += 20;
      times.database += 20;
      return times.database - 10;
    };
    const clock = await createDatabaseClock({ ask, elapsed: () => times.elapsed });
    const pass = async (ms: number) => {
      times.elapsed += ms;
      times.database += ms;
      clock.now();
      await new Promise(setImmediate);
    };
    return { times, clock, pass };
  };

  it('is told once, and goes on by a clock that never goes back', async () => {
    const { times, clock, pass } = await setUp();
    expect(clock.now()).to.equal(times.database);
    await pass(5_000);
    expect(clock.now()).to.equal(times.database);
    expect(times.asked).to.equal(1);
  });

  it('is asked for again after a while, so that a machine that slept finds out', async () => {
    const { times, clock, pass } = await setUp();
    times.database += 3_600_000;
    await pass(10_000);
    expect(clock.now()).to.equal(times.database);
    expect(times.asked).to.equal(2);
  });

  it('goes on while the database is away', async () => {
    const { times, clock, pass } = await setUp();
    times.isAway = true;
    await pass(10_000);
    expect(clock.now()).to.equal(times.database);
    times.isAway = false;
    await pass(10_000);
    expect(times.asked).to.equal(3);
  });

  it('is what PostgreSQL says', async () => {
    const { sql, close } = await testDatabase();
    const told = await timeOf(sql)();
    await close();
    expect(Math.abs(told - Date.now())).to.be.lessThan(60_000);
  });
});

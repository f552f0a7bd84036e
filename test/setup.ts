import { leftOut } from './needs.ts';
import { stillOpen } from './open.ts';
import { stopTestPostgres } from './postgres.ts';

/** Root hooks: mocha runs these around all suites of a run. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(60_000);
    const forgotten = stillOpen();
    await stopTestPostgres();
    const line = leftOut();
    if (line) process.stdout.write(`\n  ${line}\n`);
    if (forgotten.length > 0) {
      throw new Error(`left open at the end of the run:\n  ${forgotten.join('\n  ')}`);
    }
  },
};

import { leftOut } from './needs.ts';
import { stillOpen } from './open.ts';
import { stopTestPostgres } from './postgres.ts';

const lastMs = 60_000;

/** A server or socket that a test forgot would keep the run alive for ever, and say nothing. */
function failIfKeptAlive(): void {
  const end = () => {
    const kept = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`\n  tests are over, and the process is kept alive by: ${kept}\n`);
    process.exit(1);
  };
  setTimeout(end, lastMs).unref();
}

/** Root hooks: mocha runs these around all suites of a run. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(60_000);
    const forgotten = stillOpen();
    await stopTestPostgres();
    failIfKeptAlive();
    const line = leftOut();
    if (line) process.stdout.write(`\n  ${line}\n`);
    if (forgotten.length > 0) {
      throw new Error(`left open at the end of the run:\n  ${forgotten.join('\n  ')}`);
    }
  },
};

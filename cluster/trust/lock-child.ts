/** Opens the identity of a folder, says so, and keeps it until it is ended: for the tests of it. */
import { randomUUID } from 'node:crypto';
import { openIdentity } from './identity.ts';
import { TrustError } from './errors.ts';

const dir = process.argv[2] ?? '';
try {
  const identity = await openIdentity({ dir, now: Date.now, randomId: randomUUID });
  process.stdout.write(`open ${identity.bootEpoch}\n`);
  setInterval(() => {}, 60_000);
} catch (error) {
  process.stdout.write(`${error instanceof TrustError ? error.problem : String(error)}\n`);
}

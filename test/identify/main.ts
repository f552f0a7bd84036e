// `npm run identify-run [-- films series]`: a node on a library whose truth is known, and what it
// makes of it. The answer of the vendor's that never end, and an outage, are part of it.
import { stopTestPostgres } from '../postgres.ts';
import { runIdentification } from './run.ts';
import { describeRun } from './table.ts';

const everyMs = 10_000;
let saidAt = 0;
function onProgress(left: object): void {
  if (performance.now() - saidAt < everyMs) return;
  saidAt = performance.now();
  process.stderr.write(`${JSON.stringify(left)}\n`);
}

const [films = 500, series = 42] = process.argv.slice(2).map(Number);
const result = await runIdentification({
  films,
  series,
  trouble: { endlessMax: 4, outageFrom: films < 200 ? undefined : Math.round(films * 1.5) },
  patienceMs: 30 * 60_000,
  onProgress,
});
await stopTestPostgres();
process.stdout.write(`${describeRun(result)}\n`);
const isWrong = [...result.films, ...result.series].some(({ verdict }) => verdict === 'wrong');
process.exitCode = isWrong ? 1 : 0;

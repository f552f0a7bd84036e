// `npm run bench [-- section …] [--quick]`: every section in a process of its own, one after the
// other; each figure stands beside a named baseline of the same run.
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';

const sections = {
  scan: { full: 100_000, quick: 5_000 },
  http: { full: 200_000, quick: 10_000 },
  transfer: { full: 1_024, quick: 256 },
  cache: { full: 0, quick: 0 },
  naming: { full: 0, quick: 0 },
  jobs: { full: 5_000, quick: 500 },
  search: { full: 200_000, quick: 10_000 },
  backup: { full: 200_000, quick: 10_000 },
  raft: { full: 50, quick: 5 },
  coherence: { full: 30, quick: 5 },
  proxy: { full: 1_000, quick: 100 },
  web: { full: 50_000, quick: 2_000 },
  'web-home': { full: 50_000, quick: 2_000 },
  library: { full: 100_000, quick: 500 },
  'cluster-scan': { full: 100_000, quick: 5_000 },
} as const;

const given = process.argv.slice(2);
const isQuick = given.includes('--quick');
const wanted = given.filter((word) => word !== '--quick');
const unknown = wanted.filter((word) => !Object.hasOwn(sections, word));
if (unknown.length > 0) {
  process.stderr.write(
    `bench: no section ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}\n`,
  );
  process.exit(2);
}
process.stdout.write(
  `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GB, ` +
    `load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}\n`,
);
for (const [name, sizes] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const size = String(isQuick ? sizes.quick : sizes.full);
  const script = new URL(`./${name}.ts`, import.meta.url).pathname;
  const { status } = spawnSync(process.execPath, [script, size], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

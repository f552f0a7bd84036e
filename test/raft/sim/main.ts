import { parseArgs } from 'node:util';
import { createRaft } from '#cluster/raft/core/raft.ts';
import type { RunResult } from './run.ts';
import { runSeed } from './run.ts';

/** npm run sim -- --seed N --nodes 5 [--seeds COUNT] [--events N] [--story] [--minutes N] */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '5' },
    seeds: { type: 'string', default: '1' },
    events: { type: 'string', default: '5000' },
    minutes: { type: 'string', default: '0' },
    story: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const nodes = Number(values.nodes);
const events = Number(values.events);
const until = Number(values.minutes) > 0 ? Date.now() + Number(values.minutes) * 60_000 : Infinity;

process.exitCode = main() ? 0 : 1;

function main(): boolean {
  const begun = performance.now();
  const totals: Record<string, number> = {};
  let failures = 0;
  let steps = 0;
  let seed = first;
  for (; seed < first + Number(values.seeds) && Date.now() < until; seed += 1) {
    const result = runSeed({ seed, nodes, events, createRaft });
    steps += result.steps;
    for (const [what, count] of Object.entries(result.counts)) {
      totals[what] = (totals[what] ?? 0) + count;
    }
    if (result.failure) {
      failures += 1;
      tell(result);
      if (!values['keep-going']) break;
    } else if (values.story) tell(result);
  }
  const seconds = (performance.now() - begun) / 1000;
  const rate = Math.round(steps / seconds);
  console.log(
    `${seed - first + (failures && !values['keep-going'] ? 1 : 0)} seeds from ${first}, ` +
      `${nodes} nodes: ${failures} failed; ${steps} events in ${seconds.toFixed(1)} s, ${rate}/s`,
  );
  if (!values.story) {
    const sums = Object.entries(totals).sort(([a], [b]) => a.localeCompare(b));
    console.log(sums.map(([what, count]) => `${what} ${count}`).join(', '));
  }
  return failures === 0;
}

/** Once more from the beginning, told: the same seed is the same run. */
function tell({ seed, failure }: RunResult): void {
  if (failure) console.log(`seed ${seed} broke "${failure.property}": ${failure.message}`);
  if (values['keep-going']) return;
  const told = runSeed({ seed, nodes, events, createRaft, isTold: true });
  console.log(`Faults: ${told.faults.join(', ') || 'none'}`);
  console.log(told.story?.lines(values.story ? Infinity : 120).join('\n'));
  console.log(['```mermaid', ...(told.story?.chart(60) ?? []), '```'].join('\n'));
  console.log(`Replay: npm run sim -- --seed ${seed} --nodes ${nodes} --events ${events} --story`);
}

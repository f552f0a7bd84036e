// Breaks a real cluster on this machine and tells what its clients noticed: `npm run lab`.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { seeded } from '../faults/moments.ts';
import { runAll } from './all.ts';
import { faults, parseFault, type NamedFault } from './faults.ts';
import { openLab, type Lab } from './lab.ts';
import { showMemory } from './memory.ts';
import { showRounds, showSum } from './table.ts';
import type { Round } from './verdict.ts';
import { layoutFor, whyNot } from './wish.ts';

const help = `npm run lab -- [--faults a,b] [--nodes 3] [--seed N] [--minutes M] [--all] [--list]

Starts real nodes with a PostgreSQL of their own, lets clients read and write at all of them, breaks
something, mends it, and checks what the clients saw. Exits with 1 when something was not as it is
promised.

  --faults a,b  in this order; leader-kill, follower-cut, n2-pause … say whom they befall
  --seed N      decides whom it befalls where that is not said, and what clients ask (1)
  --minutes M   faults at random for so long, instead of those named once
  --outage S    how long each lasts, in seconds (10)
  --nodes N     2 to 7 (3)
  --balancer    clients ask an HAProxy in front of the nodes, and know no other address
  --record DIR  write down there all that clients did and saw
  --json        one JSON document instead of the table
  --list        the faults there are
  --all         every fault that docs/faults.md names, and that page's table at the end
  --only F1,F7  of those these alone
  --results F   where --all keeps what came of each, so that some can be run again
`;

/** What is done when nothing is asked for: each kind once, where it hurts most. */
const usual =
  'none,leader-kill,follower-kill,leader-term,follower-term,leader-pause,follower-pause,' +
  'leader-kill-engine,leader-cut,follower-cut,leader-one-way,leader-deaf,cut-gossip,transfer,' +
  'redis,postgres,postgres-kill,leader-slow-fsync,leader-fsync-eio,leader-disk-full,rolling,power';

/** Among these it is chosen when faults come at random. */
const atRandom =
  'kill,kill-engine,term,pause,pause-host,block,transfer,rolling,power,cut,one-way,deaf,link-out,' +
  'link-in,cut-gossip,cut-raft,rough,disk-full,slow-fsync,slower-fsync,fsync-eio,power-loss,' +
  'torn-log,rotten-log,clock-ahead,clock-behind,clock-strobe,suspend,wipe,restore-old,twice,' +
  'stale-addresses,grow,replace,redis,postgres,postgres-kill';

interface Options {
  readonly faults: readonly string[];
  readonly nodes: number;
  readonly seed: number;
  readonly minutes: number | undefined;
  readonly outageMs: number;
  readonly recordings: string | undefined;
  readonly isBalanced: boolean;
  readonly isJson: boolean;
  readonly isAll: boolean;
  readonly only: readonly string[];
  readonly results: string | undefined;
}

function readOptions(): Options | 'help' | 'list' {
  const { values } = parseArgs({
    options: {
      faults: { type: 'string' },
      nodes: { type: 'string', default: '3' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      record: { type: 'string' },
      outage: { type: 'string', default: '10' },
      list: { type: 'boolean', default: false },
      balancer: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      only: { type: 'string' },
      results: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  const number = (name: string, text: string, [least, most]: readonly [number, number]) => {
    const read = Number(text);
    if (text !== '' && read >= least && read <= most) return read;
    throw new Error(`--${name}: ${least} to ${most}`);
  };
  const { minutes } = values;
  return {
    faults: (values.faults ?? (minutes === undefined ? usual : atRandom)).split(','),
    nodes: Math.floor(number('nodes', values.nodes, [2, 7])),
    seed: Math.floor(number('seed', values.seed, [0, 2 ** 31])),
    minutes: minutes === undefined ? undefined : number('minutes', minutes, [0, 1e4]),
    outageMs: number('outage', values.outage, [0, 600]) * 1000,
    recordings: values.record,
    isBalanced: values.balancer,
    isJson: values.json,
    isAll: values.all,
    only: values.only?.split(',') ?? [],
    results: values.results,
  };
}

const warn = (line: string) => void process.stderr.write(`${line}\n`);

function listFaults(nodes: number): string {
  const lines = Object.entries(faults).map(([name, fault]) => {
    const why = whyNot({ name, fault, whom: 'anyone' }, nodes);
    return `  ${name.padEnd(22)} ${fault.about}${why === undefined ? '' : ` (${why})`}`;
  });
  return ['leader-, follower- or n2- before a name says whom it befalls.', ...lines].join('\n');
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === 'help' || options === 'list') {
    process.stdout.write(`${options === 'help' ? help : listFaults(3)}\n`);
    return 0;
  }
  if (options.isAll) return all(options);
  const wanted = options.faults.map(parseFault);
  for (const each of wanted) {
    const why = whyNot(each, options.nodes);
    if (why !== undefined) warn(`left out: ${each.name} ${why}`);
  }
  const chosen = wanted.filter((each) => whyNot(each, options.nodes) === undefined);
  if (chosen.length === 0) throw new Error('none of these faults can be had on this machine');
  const { rounds, memory, broken } = await runRounds(options, chosen);
  const text = [showRounds(rounds), showSum(rounds), memory].join('\n');
  process.stdout.write(`${options.isJson ? JSON.stringify(rounds) : text}\n`);
  return broken === 0 && rounds.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

async function all({ only, seed, results }: Options): Promise<number> {
  const end = () => process.exit(130); // what runs is cleared away then
  process.once('SIGINT', end).once('SIGTERM', end);
  const { table, isPassed } = await runAll({ only, seed, file: results, say: warn });
  process.stdout.write(`${table}\n`);
  return isPassed ? 0 : 1;
}

/** So many rounds that cannot even begin, one after the other, and the cluster is beyond help. */
const brokenMax = 3;

async function runRounds(options: Options, chosen: readonly NamedFault[]) {
  const { seed, outageMs, nodes, recordings, isBalanced } = options;
  const early = () => process.exit(130); // what it has begun is cleared away then
  process.once('SIGINT', early).once('SIGTERM', early);
  const needs = layoutFor(chosen);
  await using lab = await openLab({ nodes, needs, say: warn, recordings, isBalanced });
  process.off('SIGINT', early).off('SIGTERM', early);
  interruptible(lab);
  const rounds: Round[] = [];
  let nth = 0;
  let broken = 0;
  let inRow = 0;
  for (const fault of plan(options, chosen)) {
    const how = { seed: seed + nth, outageMs };
    nth += 1;
    try {
      const round = await lab.round(fault, how);
      inRow = 0;
      rounds.push(round);
      tellRound(round);
    } catch (error) {
      broken += 1;
      inRow += 1;
      warn(`${fault.name}, seed ${how.seed}: ${String(error)} ${String((error as Error).cause)}`);
      if (inRow === brokenMax) throw error;
    }
  }
  if (recordings !== undefined) {
    await writeFile(`${recordings}/memory.json`, JSON.stringify(lab.memory.readings()));
  }
  return { rounds, broken, memory: showMemory(lab.memory.readings()) };
}

function tellRound(round: Round): void {
  const { fault, seed, victim, failures, notes, terms, convergedMs, load } = round;
  const at = new Date().toISOString().slice(11, 19);
  const came = failures.length === 0 ? 'passed' : failures.join('; ');
  const state = [`terms ${terms.join(' → ')}`, `same after ${convergedMs} ms`, `load ${load}`];
  const more = [...state, ...notes].join('; ');
  warn(`${at} ${fault}, seed ${seed} (${victim}): ${came} [${more}]`);
}

/** Each once, in order; or some of them in turn, by the seed, until the time is over. */
function* plan({ minutes, seed }: Options, chosen: readonly NamedFault[]): Generator<NamedFault> {
  if (minutes === undefined) return yield* chosen;
  const random = seeded(seed);
  for (const end = Date.now() + minutes * 60_000; Date.now() < end;) {
    yield chosen[Math.floor(random() * chosen.length)]!;
  }
}

function interruptible(lab: Lab): void {
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(130);
      isEnding = true;
      warn('ending all of it …');
      const end = () => process.exit(130);
      lab[Symbol.asyncDispose]().then(end, end);
    });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const { message, cause } = error as Error;
  const why = cause instanceof Error ? cause.message : JSON.stringify(cause);
  warn(cause === undefined ? message : `${message} (${why})`);
  process.exitCode = 1;
}

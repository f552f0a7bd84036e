// Breaks a real cluster on this machine and tells what its clients noticed: `npm run lab`.
import { parseArgs } from 'node:util';
import { seeded } from '../faults/moments.ts';
import { faults, leftOut, parseFault, type NamedFault } from './faults.ts';
import { missingForHosts } from './ground.ts';
import { openLab, type Lab, type LabOptions, type Round } from './lab.ts';
import { showRounds } from './table.ts';

const help = `npm run lab -- [--faults a,b] [--nodes 3] [--seed N] [--minutes M] [--list] [--json]

Starts real nodes with a PostgreSQL of their own, lets clients read and write at all of them, breaks
something, mends it, and checks what the clients saw. Exits with 1 when something was not as it is
promised.

  --faults a,b  in this order; leader-kill, follower-cut, n2-pause … say whom they befall
  --seed N      decides whom it befalls where that is not said, and what clients ask (1)
  --minutes M   faults at random for so long, instead of those named once
  --outage S    how long each lasts, in seconds (10)
  --nodes N     3 to 7 (3)
  --record DIR  write down there all that clients did and saw
  --list        the faults there are
  --json        one JSON document instead of the table
`;

/** What is done when nothing is asked for: each kind once, where it hurts most. */
const usual =
  'none,leader-kill,follower-kill,leader-term,follower-term,leader-pause,follower-pause,' +
  'leader-kill-engine,leader-cut,follower-cut,leader-one-way,leader-deaf,cut-gossip,transfer,' +
  'redis,postgres,postgres-kill,leader-slow-fsync,leader-fsync-eio,leader-disk-full,rolling,power';

interface Options {
  readonly faults: readonly string[];
  readonly nodes: number;
  readonly seed: number;
  readonly minutes: number | undefined;
  readonly outageMs: number;
  readonly recordings: string | undefined;
  readonly isJson: boolean;
}

function readOptions(): Options | 'help' | 'list' {
  const { values } = parseArgs({
    options: {
      faults: { type: 'string', default: usual },
      nodes: { type: 'string', default: '3' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      record: { type: 'string' },
      outage: { type: 'string', default: '10' },
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
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
  return {
    faults: values.faults.split(','),
    nodes: Math.floor(number('nodes', values.nodes, [3, 7])),
    seed: Math.floor(number('seed', values.seed, [0, 2 ** 31])),
    minutes: values.minutes === undefined ? undefined : number('minutes', values.minutes, [0, 1e4]),
    outageMs: number('outage', values.outage, [0, 600]) * 1000,
    recordings: values.record,
    isJson: values.json,
  };
}

/** Why a fault cannot be had here; undefined: it can. */
function whyNot({ fault }: NamedFault): string | undefined {
  const missing = [...(fault.missing?.() ?? []), ...(fault.needsHosts ? missingForHosts() : [])];
  return missing.length === 0 ? undefined : `needs ${[...new Set(missing)].join(', ')}`;
}

const warn = (line: string) => void process.stderr.write(`${line}\n`);

function listFaults(): string {
  const lines = Object.entries(faults).map(([name, fault]) => {
    const why = whyNot({ name, fault, whom: 'anyone' });
    return `  ${name.padEnd(14)} ${fault.about}${why === undefined ? '' : ` (${why})`}`;
  });
  const never = Object.entries(leftOut).map(([name, why]) => `  ${name.padEnd(14)} ${why}`);
  return ['leader-, follower- or n2- before a name says whom it befalls.', ...lines, ...never].join(
    '\n',
  );
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === 'help' || options === 'list') {
    process.stdout.write(`${options === 'help' ? help : listFaults()}\n`);
    return 0;
  }
  const wanted = options.faults.map(parseFault);
  for (const each of wanted) {
    const why = whyNot(each);
    if (why !== undefined) warn(`left out: ${each.name} ${why}`);
  }
  for (const [name, why] of Object.entries(leftOut)) warn(`left out: ${name} ${why}`);
  const chosen = wanted.filter((each) => whyNot(each) === undefined);
  if (chosen.length === 0) throw new Error('none of these faults can be had on this machine');
  const rounds = await runRounds(options, chosen);
  process.stdout.write(`${options.isJson ? JSON.stringify(rounds) : showRounds(rounds)}\n`);
  return rounds.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

async function runRounds(options: Options, chosen: readonly NamedFault[]): Promise<Round[]> {
  const { seed, outageMs } = options;
  const wish: LabOptions = {
    nodes: options.nodes,
    hasHosts: chosen.some(({ fault }) => fault.needsHosts),
    hasSmallDisks: chosen.some(({ fault }) => fault.needsSmallDisk),
    say: warn,
    recordings: options.recordings,
  };
  const early = () => process.exit(130); // what it has begun is cleared away then
  process.once('SIGINT', early).once('SIGTERM', early);
  await using lab = await openLab(wish);
  process.off('SIGINT', early).off('SIGTERM', early);
  interruptible(lab);
  const rounds: Round[] = [];
  let nth = 0;
  for (const fault of plan(options, chosen)) {
    const round = await lab.round(fault, { seed: seed + nth, outageMs });
    nth += 1;
    rounds.push(round);
    const { failures, victim } = round;
    warn(`${fault.name} (${victim}): ${failures.length === 0 ? 'passed' : failures.join('; ')}`);
  }
  return rounds;
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
  warn(cause instanceof Error ? `${message} (${cause.message})` : message);
  process.exitCode = 1;
}

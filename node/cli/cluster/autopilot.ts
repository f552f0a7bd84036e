import type { Command } from 'commander';
import type { components } from '#api/types.ts';
import { CommandError, exitCode } from '../exit.ts';
import { open } from '../open.ts';
import { showRules } from './tables.ts';
import { parseCount, parseDuration, parseYesNo } from './words.ts';

type Rules = components['schemas']['ClusterAutopilot'];

const path = '/api/v1/cluster/autopilot';

/** Options as commander names them. */
interface SetOptions {
  readonly promote?: string;
  readonly cleanup?: string;
  readonly lastContact?: string;
  readonly maxTrailing?: string;
  readonly stabilization?: string;
  readonly deadAfter?: string;
  readonly maxVoters?: string;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * The rules that were named on the command line; the others stay as they are. Pure.
 * @throws CommandError for a value that is none, or when nothing was named
 */
export function wantedRules(options: SetOptions): Partial<Rules> {
  const { promote, cleanup, lastContact, maxTrailing, stabilization, deadAfter } = options;
  const { maxVoters } = options;
  const wanted: Writable<Partial<Rules>> = {};
  if (promote !== undefined) wanted.promote = parseYesNo(promote, '--promote');
  if (cleanup !== undefined) wanted.cleanup = parseYesNo(cleanup, '--cleanup');
  if (lastContact !== undefined) {
    wanted.lastContactMs = parseDuration(lastContact, '--last-contact');
  }
  if (maxTrailing !== undefined) {
    wanted.maxTrailingEntries = parseCount(maxTrailing, '--max-trailing', 1_000_000_000);
  }
  if (stabilization !== undefined) {
    wanted.stabilizationMs = parseDuration(stabilization, '--stabilization');
  }
  if (deadAfter !== undefined) {
    wanted.deadAfterMs = deadAfter === 'never' ? null : parseDuration(deadAfter, '--dead-after');
  }
  if (maxVoters !== undefined) wanted.maxVoters = parseCount(maxVoters, '--max-voters', 99);
  if (Object.keys(wanted).length > 0) return wanted;
  throw new CommandError('say what to set; see --help', exitCode.usage);
}

/** `revenge cluster autopilot get | set`. */
export function addAutopilot(cluster: Command): void {
  const autopilot = cluster
    .command('autopilot')
    .description('by what rules members are promoted and removed');
  autopilot
    .command('get')
    .description('the rules')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const rules = await client.request<Rules>('GET', path);
      output.result(rules, () => showRules(rules));
    });
  autopilot
    .command('set')
    .description('change some of them')
    .option('--promote <yes|no>', 'let members vote that are caught up')
    .option('--cleanup <yes|no>', "give a dead member's vote to another")
    .option('--last-contact <duration>', 'no contact for so long: not healthy')
    .option('--max-trailing <entries>', 'more behind the leader: not healthy')
    .option('--stabilization <duration>', 'healthy for so long before it may vote')
    .option('--dead-after <duration>', 'removed without a replacement then, or never')
    .option('--max-voters <number>', 'voters at most; odd')
    .action(async (options: SetOptions, command: Command) => {
      const wanted = wantedRules(options);
      const { client, output } = await open(command);
      const old = await client.request<Rules>('GET', path);
      const rules = await client.request<Rules>('PUT', path, { ...old, ...wanted });
      output.result(rules, () => showRules(rules));
    });
}

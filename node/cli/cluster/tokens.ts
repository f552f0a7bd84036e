import type { Command } from 'commander';
import type { components } from '#api/types.ts';
import { CommandError, exitCode } from '../exit.ts';
import { open } from '../open.ts';
import { showCreated, showTokens } from './tables.ts';
import { parseCount, parseDuration } from './words.ts';

type Schemas = components['schemas'];
type Created = Schemas['CreatedClusterToken'];

const path = '/api/v1/cluster/tokens';
const mostUses = 1_000;

interface CreateOptions {
  readonly kind: string;
  readonly ttl?: string;
  readonly uses?: string;
  readonly forever?: boolean;
}

/**
 * What is asked for: one node within an hour, unless stated otherwise. Pure.
 * @throws CommandError for what makes no sense
 */
export function wantedToken(options: CreateOptions): Schemas['NewClusterToken'] {
  const { kind, ttl, uses, forever = false } = options;
  if (kind !== 'node' && kind !== 'witness') {
    throw new CommandError(`--kind ${kind}: it is node or witness`, exitCode.usage);
  }
  if (forever && ttl !== undefined) {
    throw new CommandError('--forever and --ttl exclude each other', exitCode.usage);
  }
  const count = uses === undefined ? undefined : parseCount(uses, '--uses', mostUses);
  return {
    kind,
    ttlMs: forever ? null : parseDuration(ttl ?? '1h', '--ttl'),
    uses: count ?? (forever ? null : 1),
  };
}

/** `revenge cluster token create | list | revoke | rotate`. */
export function addTokens(cluster: Command): void {
  const token = cluster.command('token').description('what admits new nodes');
  token
    .command('create')
    .description('make one; by default it admits one node within an hour')
    .option('--kind <kind>', 'what it admits: node or witness', 'node')
    .option('--ttl <duration>', 'how long it is good, as in 30m (default: 1h)')
    .option('--uses <number>', 'how many it admits (default: 1)')
    .option('--forever', 'good until it is revoked, for any number unless --uses is given')
    .action(async (options: CreateOptions, command: Command) => {
      const wanted = wantedToken(options);
      const { client, output } = await open(command);
      const created = await client.request<Created>('POST', path, wanted);
      output.result(created, () => showCreated(created));
    });
  token
    .command('list')
    .description('all of them, without their secrets')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const list = await client.request<Schemas['ClusterTokenList']>('GET', path);
      output.result(list, () => showTokens(list.items, Date.now()));
    });
  token
    .command('revoke <id>')
    .description('make one worthless; who joined with it stays')
    .action(async (id: string, _options, command: Command) => {
      const { client, output } = await open(command);
      await client.request('DELETE', `${path}/${encodeURIComponent(id)}`);
      output.result({ id }, () => `${id} admits nobody any more`);
    });
  token
    .command('rotate <id>')
    .description('replace one by a new one of the same kind and limits')
    .action(async (id: string, _options, command: Command) => {
      const { client, output } = await open(command);
      const created = await client.request<Created>(
        'POST',
        `${path}/${encodeURIComponent(id)}/rotate`,
      );
      output.result(created, () =>
        [showCreated(created), '', `${id} admits nobody any more.`].join('\n'),
      );
    });
}

import type { Command } from 'commander';
import type { components } from '#api/types.ts';
import { CommandError } from '../exit.ts';
import { open, withQuery } from '../open.ts';
import { addAutopilot } from './autopilot.ts';
import { addChanges } from './change.ts';
import { addEntrances } from './entrance.ts';
import { readMembers } from './members.ts';
import { addRepairs } from './repair.ts';
import { showEvents, showHealth, showMembers, showStatus } from './tables.ts';
import { addTokens } from './tokens.ts';
import { present } from './watch.ts';
import { parseCount } from './words.ts';

type Schemas = components['schemas'];

interface WatchOptions {
  readonly watch?: boolean;
}

const watchFlag = ['--watch', 'read again every second until interrupted'] as const;

/** `revenge cluster …`: what operators see of a cluster, and may do to it. */
export function addCluster(program: Command): void {
  const cluster = program.command('cluster').description('several nodes that act as one');
  addViews(cluster);
  addHealth(cluster);
  addInit(cluster);
  addTokens(cluster);
  addChanges(cluster);
  addAutopilot(cluster);
  addSnapshot(cluster);
  addEntrances(cluster);
  addRepairs(cluster);
}

function addViews(cluster: Command): void {
  cluster
    .command('status')
    .description('the cluster as this node knows it')
    .option(...watchFlag)
    .action(async ({ watch: isWatched = false }: WatchOptions, command: Command) => {
      const { client, output } = await open(command);
      const read = () => client.request<Schemas['ClusterStatus']>('GET', '/api/v1/cluster');
      const show = (status: Schemas['ClusterStatus']) => showStatus(status, Date.now());
      await present({ read, show }, { output, isWatched });
    });
  cluster
    .command('members')
    .description('who takes part')
    .option(...watchFlag)
    .action(async ({ watch: isWatched = false }: WatchOptions, command: Command) => {
      const { client, output } = await open(command);
      const read = async () => ({ items: await readMembers(client) });
      const show = ({ items }: Schemas['ClusterMemberList']) => showMembers(items, Date.now());
      await present({ read, show }, { output, isWatched });
    });
  cluster
    .command('events')
    .description('what happened lately, as this node saw it')
    .option('--limit <number>', 'lines at most', '50')
    .option(...watchFlag)
    .action(async (options: WatchOptions & { limit: string }, command: Command) => {
      const { client, output } = await open(command);
      const limit = String(parseCount(options.limit, '--limit', 200));
      const path = withQuery('/api/v1/cluster/events', { limit });
      const read = () => client.request<Schemas['ClusterEventList']>('GET', path);
      await present({ read, show: showEvents }, { output, isWatched: options.watch ?? false });
    });
}

function addHealth(cluster: Command): void {
  cluster
    .command('health')
    .description('whether it is well; exits with 1 when it is not')
    .option(...watchFlag)
    .action(async ({ watch: isWatched = false }: WatchOptions, command: Command) => {
      const { client, output } = await open(command);
      const read = () => client.request<Schemas['ClusterHealth']>('GET', '/api/v1/cluster/health');
      const { isHealthy } = await present({ read, show: showHealth }, { output, isWatched });
      if (!isHealthy && !isWatched) throw new CommandError('the cluster is not healthy');
    });
}

function addInit(cluster: Command): void {
  cluster
    .command('init')
    .description('open this node to others')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const path = '/api/v1/cluster/init';
      const status = await client.request<Schemas['ClusterStatus']>('POST', path);
      output.result(status, () =>
        [
          `${showStatus(status, Date.now())}\n`,
          'Others can join. What admits them: revenge cluster token create',
        ].join('\n'),
      );
    });
}

function addSnapshot(cluster: Command): void {
  cluster
    .command('snapshot')
    .description("this node's copy of the cluster's state")
    .command('save')
    .description('write it down now')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const path = '/api/v1/cluster/snapshot';
      const saved = await client.request<{ index: number; term: number }>('POST', path);
      output.result(saved, () => `saved up to index ${saved.index}, term ${saved.term}`);
    });
}

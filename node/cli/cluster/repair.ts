import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readState, verify } from '#cluster/raft/offline/inspect.ts';
import { verifyLines, recoverLines } from '#cluster/raft/offline/print.ts';
import { applyRecovery, planRecovery } from '#cluster/raft/offline/recover.ts';
import { applyRejoin, planRejoin } from '#cluster/raft/offline/rejoin.ts';
import { DamagedError, StoreError } from '#cluster/raft/store/errors.ts';
import { clusterFolder, isWitnessFolder } from '#cluster/trust/identity.ts';
import { markRecovered } from '../../cluster/recovered.ts';
import type { Config } from '../../config/keys.ts';
import { forgetMemberDatabase } from '../../database.ts';
import { openNodeIdentity } from '../../identity.ts';
import { createContext, type GlobalOptions } from '../context.ts';
import { CommandError } from '../exit.ts';
import { confirm } from './confirm.ts';
import { addRelease } from './release.ts';

const raftDir = (config: Config) =>
  config['cluster.raft.data_dir'] ?? join(config['data.dir'], 'raft');

const contextOf = (command: Command) => createContext(command.optsWithGlobals<GlobalOptions>());

/** `revenge cluster verify | recover | rejoin | release`: on a data folder whose node is stopped. */
export function addRepairs(cluster: Command): void {
  cluster
    .command('verify')
    .description("read and check every byte of this node's Raft log; the node must be stopped")
    .action(async (_options, command: Command) => {
      const { config, output } = contextOf(command);
      const found = await checked(() => verify(raftDir(config.values)));
      output.result(found, () => verifyLines(found).join('\n'));
    });
  addRecover(cluster);
  addRejoin(cluster);
  addRelease(cluster);
}

/** What the store refuses is said in one line. */
async function checked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError || error instanceof DamagedError) {
      throw new CommandError(error.message);
    }
    throw error;
  }
}

function addRecover(cluster: Command): void {
  const recover = cluster
    .command('recover')
    .description('go on with the survivors when a majority is gone for good');
  recover
    .command('plan')
    .description('what `apply` would change')
    .option('--keep <id...>', 'further survivors, by id', [])
    .action(async ({ keep }: { keep: string[] }, command: Command) => {
      const { config, output } = contextOf(command);
      const plan = await checked(async () => planRecovery(await survivors(config.values, keep)));
      output.result(plan, () => recoverLines(plan).join('\n'));
    });
  recover
    .command('apply')
    .description('do it, on one survivor only; the others follow it')
    .option('--keep <id...>', 'further survivors, by id', [])
    .option('--yes', 'do not ask')
    .action(async ({ keep, yes = false }: { keep: string[]; yes?: boolean }, command: Command) => {
      const { config, output } = contextOf(command);
      const { values } = config;
      const request = await checked(() => survivors(values, keep));
      const plan = await checked(() => planRecovery(request));
      const show = () => output.result(plan, () => recoverLines(plan).join('\n'));
      await confirm({ yes, isJson: output.isJson, show });
      // First, so that a crash between the two only costs an epoch.
      await markRecovered(values['data.dir']);
      const done = await checked(() => applyRecovery(request));
      output.result(done, () => 'Recovered. Start this node first, then the other survivors.');
    });
}

async function survivors(config: Config, keep: readonly string[]) {
  const dir = raftDir(config);
  if (await isWitnessFolder(config['data.dir'])) {
    throw new CommandError('a witness cannot lead the survivors: recover on a node');
  }
  const { id } = await readState(dir);
  if (id === undefined) throw new CommandError(`${dir} does not say whose it is`);
  const ids = [...new Set([id, ...keep])];
  return {
    dir,
    id,
    peers: ids.map((each) => ({ id: each, address: each, suffrage: 'voter' as const })),
  };
}

function addRejoin(cluster: Command): void {
  cluster
    .command('rejoin')
    .description('make this data folder a new node; it keeps media settings and forgets its votes')
    .option('--yes', 'do not ask')
    .action(async ({ yes = false }: { yes?: boolean }, command: Command) => {
      const { config, output } = contextOf(command);
      const { values } = config;
      const dataDir = values['data.dir'];
      await using identity = await openNodeIdentity(values, Date.now);
      const dir = raftDir(values);
      const plan = await checked(() => planRejoin({ dir, id: identity.nodeId }));
      const steps = [
        `${plan.id} is retired; this folder becomes the node ${plan.newId}`,
        'its Raft log and its certificate are removed',
        'it then starts alone, or joins a cluster with a token',
      ];
      const show = () =>
        output.result({ steps }, () => steps.map((step) => `- ${step}`).join('\n'));
      await confirm({ yes, isJson: output.isJson, show });
      await checked(() => applyRejoin({ dir, id: identity.nodeId }));
      for (const file of ['node.crt', 'ca.crt', 'ca.key', 'gossip.key', 'peers.json']) {
        await rm(join(clusterFolder(dataDir), file), { force: true });
      }
      await forgetMemberDatabase(dataDir);
      await identity.save({ nodeId: plan.newId, clusterId: undefined, kind: undefined });
      output.result({ nodeId: plan.newId }, () =>
        [
          `This folder is the node ${plan.newId} now.`,
          'Join a cluster: revenge cluster join HOST:PORT --token …',
        ].join('\n'),
      );
    });
}

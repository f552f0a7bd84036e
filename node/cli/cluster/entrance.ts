import type { Command } from 'commander';
import manifest from '#package.json' with { type: 'json' };
import type { components } from '#api/types.ts';
import { hasCredentials } from '#cluster/member/credentials.ts';
import { RpcError } from '#cluster/rpc/index.ts';
import { TrustError } from '#cluster/trust/errors.ts';
import { keepDatabase } from '../../cluster/database.ts';
import { enterCluster } from '../../cluster/enter.ts';
import { openNodeIdentity } from '../../identity.ts';
import { createContext, type GlobalOptions } from '../context.ts';
import { CommandError } from '../exit.ts';
import { open } from '../open.ts';
import { confirm } from './confirm.ts';

type Status = components['schemas']['ClusterStatus'];

/** `revenge cluster join | leave`: in and out, on the machine it is about. */
export function addEntrances(cluster: Command): void {
  cluster
    .command('join <address...>')
    .description('make this node, which does not run, a member; then start it')
    .requiredOption('--token <token>', 'what `cluster token create` printed')
    .action(async (addresses: string[], { token }: { token: string }, command: Command) => {
      const { config, log, output } = createContext(command.optsWithGlobals<GlobalOptions>(), {
        'cluster.raft.join_addrs': addresses.join(),
        'cluster.join_token': token,
      });
      const { values } = config;
      if (await hasCredentials(values['data.dir'])) {
        throw new CommandError(
          'this node is a member of a cluster already; `cluster leave` ends that',
        );
      }
      await using identity = await openNodeIdentity(values, Date.now);
      await enterOnce(() =>
        enterCluster({
          ...{ config: values, identity, log, version: manifest.version, isPatient: false },
          ...{ apiPort: () => values['server.port'], now: Date.now },
          keepDatabase: (offered) => keepDatabase(values, offered),
        }),
      );
      const { nodeId, clusterId } = identity;
      output.result({ nodeId, clusterId }, () =>
        [
          `This node (${nodeId}) is a member of the cluster ${clusterId}.`,
          'Start it: revenge serve',
        ].join('\n'),
      );
    });
  addLeave(cluster);
}

async function enterOnce(enter: () => Promise<void>): Promise<void> {
  try {
    await enter();
  } catch (error) {
    if (!(error instanceof RpcError) && !(error instanceof TrustError)) throw error;
    throw new CommandError(error.message);
  }
}

function addLeave(cluster: Command): void {
  cluster
    .command('leave')
    .description('take this node out of its cluster for good; it stops')
    .option('--yes', 'do not ask')
    .option('--force', 'do it although it is refused; may cost the quorum')
    .action(async (options: { yes?: boolean; force?: boolean }, command: Command) => {
      const { client, output } = await open(command);
      const status = await client.request<Status>('GET', '/api/v1/cluster');
      if (!status.isOpen || status.members.length < 2) {
        throw new CommandError('this node is alone: there is nobody to leave');
      }
      const steps = [
        ...(status.leader === status.nodeId ? ['hand leadership over'] : []),
        'take this node out of the cluster; its id never comes back',
        'stop this node',
      ];
      await confirm({
        yes: options.yes ?? false,
        isJson: output.isJson,
        show: () => output.result({ steps }, () => steps.map((step) => `- ${step}`).join('\n')),
      });
      if (status.leader === status.nodeId) {
        await client.request('POST', '/api/v1/cluster/transfer', {});
      }
      const path = `/api/v1/cluster/members/${encodeURIComponent(status.nodeId)}/remove`;
      await client.request('POST', path, { force: options.force ?? false });
      output.result({ nodeId: status.nodeId }, () =>
        [
          'This node has left its cluster, and stops.',
          'To use it again: revenge cluster rejoin, then join a cluster, or start it alone.',
        ].join('\n'),
      );
    });
}

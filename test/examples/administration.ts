import type { components } from '#api/types.ts';
import { createAdder } from '#services/jobs/enqueue.ts';
import { defineJob } from '#services/jobs/job.ts';
import type { Example, Examples } from '../spec-examples.ts';
import type { Stock } from './stock.ts';

type Schemas = components['schemas'];

export const settingExamples: Examples = {
  listSettings: {},
  getSetting: { params: { settingKey: 'server.name' } },
  putSetting: { params: { settingKey: 'server.name' }, body: { value: 'Home' } },
  resetSetting: { params: { settingKey: 'server.name' } },
  listActivity: { query: { limit: '2', action: 'auth', success: 'true' } },
  getMetrics: {},
  listLogLines: { query: { limit: '2', level: 'debug', text: 'a', after: '0' } },
};

/** Of a folder of the test's own, set first: without one there are no backups. */
export const backupExamples = ({ server }: Stock): Examples => {
  const withFolder = async (): Promise<Example> => {
    const path = '/api/v1/settings/backup.dir';
    await server.read(path, { method: 'PUT', json: { value: server.films } });
    return {};
  };
  return { listBackups: withFolder, makeBackup: withFolder };
};

/** No node knows how to do it, so it waits until somebody says otherwise. */
const forgotten = defineJob<object>('test.forgotten', {
  ...{ queue: 'scrobble', attempts: 1, timeoutMs: 1_000 },
});

export function jobExamples({ server }: Stock): Examples {
  const { sql } = server.db;
  const add = async (state: 'waiting' | 'dead' | 'completed'): Promise<Example> => {
    const jobId = await createAdder().add(sql, forgotten, {}, { delayMs: 3_600_000 });
    if (jobId === undefined) throw new Error('the job was not added');
    await sql`
      update shared.jobs set state = ${state},
        finished_at = case when ${state} = 'waiting' then null else now() end
      where id = ${jobId}`;
    return { params: { jobId } };
  };
  return {
    listJobs: { query: { limit: '1', offset: '0' } },
    listJobQueues: {},
    updateJobQueue: { params: { queue: 'scrobble' }, body: { limit: 3 } },
    listJobSchedules: {},
    runJobSchedule: { params: { name: 'library.clean' } },
    listDeadJobs: async () => {
      await add('dead');
      return {};
    },
    retryDeadJobs: { body: { name: forgotten.name } },
    getJob: () => add('completed'),
    deleteJob: () => add('completed'),
    cancelJob: () => add('waiting'),
    retryJob: () => add('dead'),
  };
}

/** A node alone, which opens itself where that is needed; no change of members is carried out. */
export function clusterExamples({ server }: Stock): Examples {
  const path = '/api/v1/cluster';
  const itself = async () => {
    const { nodeId } = await server.read<Schemas['ClusterStatus']>(path);
    return { params: { memberId: nodeId } };
  };
  const plan = async () => ({ ...(await itself()), query: { dryRun: 'true' } });
  const open = () => server.read(`${path}/init`, { method: 'POST' });
  const token = async () => {
    await open();
    const made = await server.read<Schemas['CreatedClusterToken']>(`${path}/tokens`, {
      ...{ method: 'POST', json: { uses: 1 } },
    });
    return { params: { tokenId: made.id } };
  };
  return {
    getClusterStatus: {},
    initCluster: {},
    getClusterHealth: {},
    listClusterEvents: { query: { limit: '5' } },
    listClusterTokens: {},
    createClusterToken: async () => {
      await open();
      return { body: { kind: 'witness', ttlMs: 60_000, uses: null } };
    },
    revokeClusterToken: token,
    rotateClusterToken: token,
    listClusterMembers: {},
    getClusterMember: itself,
    promoteClusterMember: plan,
    demoteClusterMember: plan,
    removeClusterMember: plan,
    drainClusterMember: itself,
    undrainClusterMember: itself,
    transferClusterLeadership: async () => ({ body: { to: (await itself()).params.memberId } }),
    getClusterAutopilot: {},
    putClusterAutopilot: async () => ({ body: await server.read(`${path}/autopilot`) }),
    snapshotCluster: {},
  };
}

import type { Jobs } from '#services/jobs/index.ts';
import type { Engines } from './engines.ts';
import type { HealthCheck } from './health.ts';

/** What health asks, at the paces the documents promise. */
export function healthChecks(
  { open, redis, member }: Engines,
  others: {
    jobs: Pick<Jobs, 'stats'>;
    /** Asks Typesense; undefined where none is configured. */
    search: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  },
): { checks: HealthCheck[]; off: string[] } {
  const checks: HealthCheck[] = [
    {
      name: 'postgres',
      intervalMs: 30_000,
      timeoutMs: 5_000,
      isVital: true,
      ask: async () => {
        if (!(await open.database.ping(4_000))) throw new Error('does not answer');
        return open.isEmbedded ? 'embedded' : undefined;
      },
    },
    {
      name: 'jobs',
      intervalMs: 60_000,
      timeoutMs: 10_000,
      isVital: false,
      ask: async () => {
        const depths = await others.jobs.stats();
        const dead = depths.reduce((sum, depth) => sum + depth.dead, 0);
        return dead === 0 ? undefined : `${dead} dead: look at them with "revenge jobs list"`;
      },
    },
  ];
  checks.push({
    name: 'cluster',
    intervalMs: 5_000,
    timeoutMs: 1_000,
    isVital: false,
    ask: async () => whoLeads(member),
  });
  const off: string[] = [];
  if (redis === undefined) off.push('cache');
  else {
    checks.push({
      name: 'cache',
      intervalMs: 10_000,
      timeoutMs: 2_000,
      isVital: false,
      ask: async () => {
        if (!(await redis.ping(1_500))) throw new Error('does not answer');
        return undefined;
      },
    });
  }
  if (others.search === undefined) off.push('search');
  else {
    checks.push({
      name: 'search',
      intervalMs: 30_000,
      timeoutMs: 5_000,
      isVital: false,
      ask: others.search,
    });
  }
  return { checks, off };
}

/** Who leads, in words. Rejects when nobody does. */
function whoLeads({ offices, consensus, network }: Engines['member']): string {
  if (offices.current()) return network() ? 'this node leads' : 'alone';
  const leader = consensus.leadership().leader?.id;
  if (leader === undefined) throw new Error('no node leads: what changes data is refused');
  return `${leader} leads`;
}

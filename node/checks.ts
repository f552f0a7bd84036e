import type { Jobs } from '#services/jobs/index.ts';
import { labelOf } from '#cluster/autopilot/standing.ts';
import { check, CheckError, type CheckNotice } from './check-sayings.ts';
import type { Engines } from './engines.ts';
import type { HealthCheck } from './health.ts';

interface Others {
  readonly jobs: Pick<Jobs, 'stats'>;
  /** Asks Typesense; undefined where none is configured. */
  readonly search: ((signal: AbortSignal) => Promise<SearchState | undefined>) | undefined;
}

/** What health asks, at the paces the documents promise. */
export function healthChecks(
  { open, redis, member }: Engines,
  others: Others,
): { checks: HealthCheck[]; off: string[] } {
  const checks: HealthCheck[] = [
    {
      name: 'postgres',
      intervalMs: 30_000,
      timeoutMs: 5_000,
      isVital: true,
      ask: async () => {
        if (!(await open.database.ping(4_000))) throw new CheckError(check('silent', {}));
        return open.isEmbedded ? check('embedded', {}) : undefined;
      },
    },
    {
      name: 'jobs',
      intervalMs: 60_000,
      timeoutMs: 10_000,
      isVital: false,
      ask: async () => {
        const depths = await others.jobs.stats();
        const count = depths.reduce((sum, depth) => sum + depth.dead, 0);
        return count === 0 ? undefined : check('deadJobs', { count });
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
  checks.push({
    name: 'clock',
    intervalMs: 5_000,
    timeoutMs: 1_000,
    isVital: false,
    ask: async () => compareClocks(member),
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
        if (!(await redis.ping(1_500))) throw new CheckError(check('silent', {}));
        return undefined;
      },
    });
  }
  const { search } = others;
  if (search === undefined) off.push('search');
  else {
    checks.push({
      name: 'search',
      intervalMs: 30_000,
      timeoutMs: 5_000,
      isVital: false,
      ask: async (signal) => engineSays(await search(signal)),
    });
  }
  return { checks, off };
}

/** What the better of two search engines is and does. */
interface SearchState {
  readonly name: string;
  /** False: it is being filled. */
  readonly isReady: boolean;
}

const engineSays = (state: SearchState | undefined) =>
  state && check(state.isReady ? 'engine' : 'engineFilling', { name: state.name });

/** Beyond this, what one node counts as over still goes on for another. */
const skewMaxMs = 2_000;

/** Rejects when the clocks of members differ by more than anything of ours should. */
function compareClocks({ pulses, state }: Engines['member']): undefined {
  const wrong = [...pulses.skews()].filter(([, ms]) => Math.abs(ms) > skewMaxMs);
  if (wrong.length === 0) return undefined;
  const parts = wrong.map(([id, ms]) => {
    const name = state.view().members.get(id)?.name ?? id;
    const seconds = (Math.abs(ms) / 1000).toFixed(1);
    return `that of ${name} is ${seconds} s ${ms > 0 ? 'ahead of' : 'behind'} this node's`;
  });
  const mostMs = Math.max(...wrong.map(([, ms]) => Math.abs(ms)));
  throw new CheckError(check('clocks', { parts: parts.join('; '), mostMs }));
}

/** Who leads. Rejects when nobody does, or this node cannot follow. */
export function whoLeads({
  offices,
  consensus,
  network,
  state,
}: Pick<Engines['member'], 'offices' | 'consensus' | 'network' | 'state'>): CheckNotice {
  const unreadable = state.unreadable();
  if (unreadable) {
    throw new CheckError(check('tooOld', { why: unreadable.why }));
  }
  if (offices.current()) return check(network() ? 'leadsHere' : 'alone', {});
  const leader = consensus.leadership().leader?.id;
  if (leader === undefined) throw new CheckError(check('noLeader', {}));
  return check('leads', { name: labelOf({ view: state.view() }, leader) });
}

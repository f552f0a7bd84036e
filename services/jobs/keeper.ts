import type { Sql } from '#storage/postgres/connect.ts';
import { isUnavailable } from '#storage/postgres/errors.ts';
import type { EventPublisher } from '../events.ts';
import type { Log } from '../log.ts';
import {
  beat,
  forgetSilent,
  isSuperseded,
  readHeld,
  register,
  rescue,
  unregister,
  type WorkerId,
} from './claims.ts';
import { safeMessage } from './failure.ts';
import { publishJob } from './publish.ts';
import type { Runs } from './runs.ts';
import { readQueueSettings, type QueueSettings } from './settings.ts';
import { every } from './wake.ts';

/** Keeps this worker's word: beats, compares what it runs with the table, rescues others' jobs. */
export interface Keeper {
  /** Registers, reads the settings, and frees what an earlier process of this node held. */
  register(): Promise<void>;
  start(): void;
  /** Reads the queues' settings again. */
  reload(): Promise<void>;
  /** Stops beating and takes this worker off the list. */
  stop(): Promise<void>;
}

interface KeeperDeps {
  readonly sql: Sql;
  readonly log: Log;
  readonly events: EventPublisher;
  readonly worker: WorkerId;
  readonly runs: Runs;
  readonly isClaiming: () => boolean;
  readonly silentNodes: () => readonly string[];
  readonly times: {
    readonly keepMs: number;
    readonly beatMs: number;
    readonly silentMs: number;
    readonly goneMs: number;
    readonly stuckMs: number;
  };
  readonly onSettings: (settings: QueueSettings) => void;
  readonly onRescued: () => void;
  /** Another process works under this node's id now. */
  readonly onSuperseded: () => void;
}

/** A claim the table knows and we do not is an answer that got lost, once it is this old. */
const unknownMs = 10_000;

/** Makes a keeper. Its failures are never fatal: the next round tries again. */
export function createKeeper(deps: KeeperDeps): Keeper {
  const { sql, log, worker, times } = deps;
  let healthySince: number | undefined;
  let rounds: ReturnType<typeof every>[] = [];

  const reload = async () => deps.onSettings(await readQueueSettings(sql));
  const sweep = async () => {
    healthySince ??= performance.now();
    await sweepOthers(deps, performance.now() - healthySince);
  };
  const guarded = (work: () => Promise<void>) => async () => {
    try {
      await work();
    } catch (error) {
      healthySince = undefined;
      const facts = { reason: safeMessage(error) };
      if (isUnavailable(error)) log.debug('jobs are not kept', facts);
      else log.error('jobs are not kept', facts);
    }
  };
  const heart = guarded(async () => {
    await stayRegistered(deps);
    await sweep();
    await returnUnknown(deps);
    await reload();
  });

  return {
    reload: guarded(reload),
    async register() {
      await register(sql, worker);
      await reload();
      await sweep();
    },
    start() {
      const compare = guarded(() => compareHeld(deps));
      rounds = [every(times.keepMs, compare), every(times.beatMs, heart)];
    },
    async stop() {
      await Promise.all(rounds.map((round) => round.stop()));
      await guarded(() => unregister(sql, worker.workerId))();
    },
  };
}

/** Stops runs that were cancelled, or whose job is in other hands by now. */
async function compareHeld({ sql, worker, runs }: KeeperDeps): Promise<void> {
  const before = runs.held();
  if (before.length === 0) return;
  const held = await readHeld(sql, worker.workerId);
  const inTable = new Map(held.map((claim) => [claim.id, claim]));
  for (const run of before) {
    const claim = inTable.get(run.job.id);
    if (claim?.claims !== run.job.claims) run.stop('lost');
    else if (claim.cancelRequested) run.stop('cancel');
  }
}

/** Gives back claims whose answer never reached us, because the connection broke under it. */
async function returnUnknown({ sql, log, worker, runs, isClaiming }: KeeperDeps): Promise<void> {
  for (const claim of await readHeld(sql, worker.workerId)) {
    if (claim.heldMs < unknownMs || isClaiming() || runs.find(claim.id)) continue;
    log.warn('a claim without its job is given back', { jobId: claim.id });
    runs.giveBack(claim);
  }
}

async function stayRegistered({ sql, log, worker, onSuperseded }: KeeperDeps): Promise<void> {
  if (await beat(sql, worker.workerId)) return;
  if (await isSuperseded(sql, worker)) {
    log.error('another process has taken over the jobs of this node', { nodeId: worker.nodeId });
    return onSuperseded();
  }
  log.warn('this worker was silent for too long and registers again');
  await register(sql, worker);
}

async function sweepOthers(deps: KeeperDeps, healthyMs: number): Promise<void> {
  const { sql, log, times } = deps;
  const gone = await forgetGone(deps, healthyMs);
  if (gone.length > 0) log.warn('workers are gone', { nodes: gone });
  const rescued = await rescue(sql, times.stuckMs);
  if (rescued.length === 0) return;
  log.warn('jobs rescued', {
    jobs: rescued.length,
    names: [...new Set(rescued.map((j) => j.name))],
  });
  for (const job of rescued) publishJob(deps.events, job);
  deps.onRescued();
}

/** After an outage everybody's last beat is old: the others are given the time to say a word. */
async function forgetGone(
  { sql, times, silentNodes }: KeeperDeps,
  healthyMs: number,
): Promise<string[]> {
  if (healthyMs >= times.silentMs) {
    const gone = await forgetSilent(sql, { silentMs: times.silentMs });
    if (gone.length > 0) return gone;
  }
  const nodes = healthyMs >= times.goneMs ? silentNodes() : [];
  return nodes.length === 0 ? [] : forgetSilent(sql, { silentMs: times.goneMs, nodes });
}

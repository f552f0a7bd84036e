import type { components } from '#api/types.ts';
import type { Log } from '#services/log.ts';
import { check as say, noticeOf, type CheckNotice } from './check-sayings.ts';
import type { Metrics } from './metrics.ts';
import { toValues } from './notice-json.ts';

/** One dependency: how to ask it, how often, and whether the node can serve without it. */
export interface HealthCheck {
  readonly name: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** True: the node is not ready while it fails; false: it is degraded. */
  readonly isVital: boolean;
  /** Rejects when the dependency does not answer; resolves to what there is to say of it. */
  readonly ask: (signal: AbortSignal) => Promise<CheckNotice | undefined>;
}

export interface CheckResult {
  readonly status: 'ok' | 'failing' | 'off';
  readonly detail?: string;
  readonly code?: CheckNotice['code'];
  readonly values?: components['schemas']['NoticeValues'];
  readonly checkedAt?: string;
  readonly durationMs?: number;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly version: string;
  readonly nodeId: string;
  readonly checks: Record<string, CheckResult>;
}

export interface HealthDeps {
  readonly checks: readonly HealthCheck[];
  /** Dependencies that are not configured; reported as `off`. */
  readonly off: readonly string[];
  readonly version: string;
  readonly nodeId: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Whether this node knows all its cluster had decided a moment ago; alone: always. */
  readonly isCaughtUp: () => boolean;
  /** An operator has told this node to take no new work. */
  readonly isDraining: () => boolean;
}

export type Health = ReturnType<typeof createHealth>;

const alonePatienceMs = 30_000;

const told = ({ code, values, text: detail }: CheckNotice) => ({
  ...{ detail, code },
  values: toValues(values),
});

async function askOnce(check: HealthCheck, now: () => number): Promise<CheckResult> {
  const begin = now();
  const result = await check.ask(AbortSignal.timeout(check.timeoutMs)).then(
    (notice) => ({ status: 'ok' as const, notice }),
    (error: Error) => ({ status: 'failing' as const, notice: noticeOf(error) }),
  );
  return {
    status: result.status,
    ...(result.notice === undefined ? {} : told(result.notice)),
    checkedAt: new Date(begin).toISOString(),
    durationMs: now() - begin,
  };
}

function statusOf(failing: readonly HealthCheck[]): HealthReport['status'] {
  if (failing.some((check) => check.isVital)) return 'failing';
  return failing.length > 0 ? 'degraded' : 'ok';
}

/** Into the log what has changed, into the metrics what is. */
function note(
  { log, metrics }: Pick<HealthDeps, 'log' | 'metrics'>,
  check: string,
  { before, result }: { before: CheckResult['status'] | undefined; result: CheckResult },
): void {
  const { status, detail: error, durationMs = 0 } = result;
  if (status === 'failing' && before !== status) log.warn('dependency failing', { check, error });
  if (status === 'ok' && before === 'failing') log.info('dependency answers again', { check });
  metrics.healthStatus.set({ check }, status === 'ok' ? 1 : 0);
  metrics.healthDuration.observe({ check }, durationMs / 1000);
}

/** Whoever comes all the same is served; balancers and their owners are told why not to. */
function drained({ checks, ...rest }: HealthReport): HealthReport {
  return {
    ...rest,
    status: 'failing',
    checks: { ...checks, drain: { status: 'failing', ...told(say('drained', {})) } },
  };
}

/**
 * Keeps asking the dependencies, each at its own pace, and answers probes from the last results, so
 * that a probe never waits for a dependency that hangs.
 */
export function createHealth(deps: HealthDeps) {
  const { checks, off, version, nodeId, now, isCaughtUp, isDraining } = deps;
  const madeAt = now();
  const results = new Map<string, CheckResult>(off.map((name) => [name, { status: 'off' }]));
  const timers = new Map<string, NodeJS.Timeout>();
  const asking = new Set<string>();
  let isStarted = false;
  let isStopping = false;

  async function run(check: HealthCheck): Promise<void> {
    const before = results.get(check.name)?.status;
    asking.add(check.name);
    const result = await askOnce(check, now);
    asking.delete(check.name);
    note(deps, check.name, { before, result });
    results.set(check.name, result);
    if (isStopping) return;
    // A failing dependency is asked more often, so that its return is noticed soon.
    const waitMs = result.status === 'ok' ? check.intervalMs : Math.min(check.intervalMs, 2_000);
    timers.set(check.name, setTimeout(() => void run(check), waitMs).unref());
  }

  const isFailing = (check: HealthCheck) => results.get(check.name)?.status === 'failing';

  const report = (): HealthReport => ({
    ...{ status: statusOf(checks.filter(isFailing)), version, nodeId },
    checks: Object.fromEntries(results),
  });

  const as = (status: HealthReport['status']): HealthReport => ({ ...report(), status });
  return {
    /** Asks every dependency once, then keeps asking. */
    async start(): Promise<void> {
      await Promise.all(checks.map(run));
    },
    /** From now on `/health/startup` says yes. */
    started(): void {
      isStarted = true;
    },
    /** From now on `/health/ready` says no, so that a balancer sends nothing new. */
    stopping: () => void (isStopping = true),
    /** Asks a dependency at once, because somebody noticed that it fails. */
    async askNow(name: string): Promise<void> {
      const check = checks.find((candidate) => candidate.name === name);
      if (check === undefined || isStopping || asking.has(name)) return;
      clearTimeout(timers.get(name));
      await run(check);
    },
    /** A request was refused for want of something: asks what is vital, unless that is known. */
    suspect(): void {
      for (const check of checks) {
        if (!check.isVital || isFailing(check) || asking.has(check.name) || isStopping) continue;
        clearTimeout(timers.get(check.name));
        void run(check);
      }
    },
    live: () => as('ok'),
    ready() {
      if (isStopping || !isStarted) return as('failing');
      return isDraining() ? drained(report()) : report();
    },
    /** It takes nothing new of its own accord, and goes on with what it does. */
    isLeaving: () => isStarted && (isStopping || isDraining()),
    /** Never waits for the others for long: they may be waiting for this answer themselves. */
    isStopping: () => isStopping,
    swarm() {
      const isKnown = isCaughtUp() || now() - madeAt > alonePatienceMs;
      return as(isStarted && isKnown && !isStopping ? 'ok' : 'failing');
    },
    /** Whether there is a leader that this node keeps up with. */
    cluster() {
      const isLed = results.get('cluster')?.status === 'ok' && isCaughtUp();
      return as(isLed ? 'ok' : 'failing');
    },
    startup: () => as(isStarted ? 'ok' : 'failing'),
    [Symbol.asyncDispose](): Promise<void> {
      isStopping = true;
      for (const timer of timers.values()) clearTimeout(timer);
      return Promise.resolve();
    },
  };
}

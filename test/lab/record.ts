import type { Answer } from './ask.ts';
import { isRefused } from './ask.ts';

/** What clients do. */
export const classes = [
  'read',
  'read with index',
  'list',
  'range',
  'write',
  'append',
  'local',
] as const;
export type Class = (typeof classes)[number];

/**
 * What the lab has done to a node: nothing, told it to stop, cut it off from the others (or from
 * its own Raft), or taken it away.
 */
export type Condition = 'up' | 'stopping' | 'cut' | 'down';

/** One request. */
export interface Sample extends Pick<Answer, 'status' | 'code' | 'callAt' | 'endAt'> {
  readonly class: Class;
  readonly node: number;
}

/** Somebody set a register; `endAt` is Infinity until it is acknowledged. */
export interface RegisterWrite {
  readonly register: string;
  readonly value: string;
  readonly callAt: number;
  endAt: number;
  /** What the answer said of the clock. */
  index: number | undefined;
}

export interface RegisterRead {
  readonly register: string;
  readonly value: string | null;
  readonly node: number;
  readonly callAt: number;
  readonly endAt: number;
  /** The index the client asked for; undefined: none. */
  readonly index: number | undefined;
}

/** Something was made under an Idempotency-Key. */
export interface Append {
  readonly name: string;
  isAcknowledged: boolean;
  /** How often it was there when it was looked for after that, if it was. */
  seen?: number;
}

/** What one client reported of its own, and later read. */
export interface ProgressRead {
  readonly expected: number;
  readonly found: number;
  readonly node: number;
}

/** All that clients did and saw in one round. */
export interface Recording {
  readonly samples: Sample[];
  readonly writes: RegisterWrite[];
  readonly reads: RegisterRead[];
  readonly appends: Append[];
  readonly progress: ProgressRead[];
  /** Bytes of a film that were not the film's. */
  wrongBytes: number;
  /** The conditions of each node, and since when. */
  readonly conditions: { condition: Condition; since: number }[][];
  readonly startedAt: number;
  endedAt: number;
}

export const createRecording = (nodes: number): Recording => ({
  samples: [],
  writes: [],
  reads: [],
  appends: [],
  progress: [],
  wrongBytes: 0,
  conditions: Array.from({ length: nodes }, () => [{ condition: 'up', since: -Infinity }]),
  startedAt: performance.now(),
  endedAt: Infinity,
});

const severity: Readonly<Record<Condition, number>> = { up: 0, stopping: 1, cut: 2, down: 3 };

/** The worst condition the node was in while it was asked. */
export function conditionOf({ conditions }: Recording, sample: Sample): Condition {
  let worst: Condition = 'up';
  const all = conditions[sample.node] ?? [];
  all.forEach(({ condition, since }, nth) => {
    const overlaps = since <= sample.endAt && (all[nth + 1]?.since ?? Infinity) >= sample.callAt;
    if (overlaps && severity[condition] > severity[worst]) worst = condition;
  });
  return worst;
}

export interface ClassSummary {
  readonly class: Class;
  readonly count: number;
  readonly ok: number;
  /** Not answered well by a node that lives and is not cut off. */
  readonly failed: number;
  /** Not answered well by a node that was taken away, cut off, or refused as it stopped. */
  readonly excused: number;
  /** The longest time in which no client of this class got a good answer from any node, in ms. */
  readonly gapMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** What was not well, by status and code, on which condition. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** The code of an answer that says that this was done when it was first asked for. */
export const doneBefore = 'done before';

const isOk = ({ status, code }: Sample): boolean =>
  (status >= 200 && status < 300) || code === doneBefore;

/** What a cut-off node may refuse: it cannot know, or nobody leads on its side. */
const excusedWhenCut = new Set<Class>(['read with index', 'write', 'append']);

function isExcused(condition: Condition, sample: Sample): boolean {
  if (condition === 'down') return true;
  if (condition === 'stopping') return isRefused(sample);
  return condition === 'cut' && excusedWhenCut.has(sample.class);
}

/** Figures of each class of clients that did anything. */
export function summarize(recording: Recording): ClassSummary[] {
  const groups = Map.groupBy(recording.samples, (sample) => sample.class);
  return classes.flatMap((each) => {
    const samples = groups.get(each) ?? [];
    if (samples.length === 0) return [];
    const judged = samples.map((sample) => ({ sample, condition: conditionOf(recording, sample) }));
    const bad = judged.filter(({ sample }) => !isOk(sample));
    const excused = bad.filter(({ sample, condition }) => isExcused(condition, sample));
    const times = samples
      .filter(isOk)
      .map(({ callAt, endAt }) => endAt - callAt)
      .sort((a, b) => a - b);
    const at = (share: number) =>
      Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0);
    return {
      class: each,
      count: samples.length,
      ok: samples.length - bad.length,
      failed: bad.length - excused.length,
      excused: excused.length,
      gapMs: Math.round(longestGap(samples.filter(isOk), recording)),
      ...{ medianMs: at(0.5), p99Ms: at(0.99), slowestMs: at(1) },
      statuses: countBy(
        bad.map(({ sample, condition }) => `${sample.status} ${sample.code ?? ''} ${condition}`),
      ),
    };
  });
}

function longestGap(good: readonly Sample[], { startedAt, endedAt }: Recording): number {
  const ends = good.map(({ endAt }) => endAt).filter((at) => at < endedAt);
  const moments = [startedAt, ...ends.sort((a, b) => a - b), endedAt];
  return moments.reduce((longest, at, nth) => Math.max(longest, at - (moments[nth - 1] ?? at)), 0);
}

const countBy = (keys: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(keys, (key) => key)].map(([key, all]) => [key, all.length]));

import { z } from 'zod';
import type { Horizon } from './currency.ts';

/** What a node is doing: of no use but to tell people, and to let others go easy. */
export interface Doing {
  /** Jobs that it works off. */
  readonly jobs: number;
  /** Streams that it serves. */
  readonly streams: number;
}

const told = z.object({
  jobs: z.int().nonnegative(),
  streams: z.int().nonnegative(),
  /** How far the leader's clock is ahead of its own, in milliseconds; absent: not known yet. */
  skewMs: z.number().optional(),
});
const answered = z.object({
  commit: z.int().nonnegative(),
  /** Milliseconds since the leader was last sure of a majority. */
  contactMs: z.number().nonnegative(),
  /** Milliseconds since 1970, by the leader's clock. */
  time: z.number(),
  /** Streams that all nodes serve. */
  streams: z.int().nonnegative(),
});

/** What a member says of itself, as its leader last heard it. */
export interface Pulse extends Doing {
  readonly skewMs?: number | undefined;
}

export interface PulseDeps {
  readonly nodeId: string;
  /** Whether this node leads and knows all that was committed before it did. */
  readonly isSettled: () => boolean;
  /** The leader, if that is another node that can be asked. */
  readonly leader: () => string | undefined;
  /** Of this node's own Raft. */
  readonly status: () => Promise<Horizon & { readonly role: string }>;
  /** Undefined: the leader is of a release that does not answer this. */
  readonly ask: (leader: string, input: unknown, timeoutMs: number) => Promise<unknown>;
  readonly doing: () => Doing;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
}

/**
 * Every node asks the leader, several times a second, how far the log is, and says what it does
 * itself. That it asks, and does not wait to be told, is what bounds how old its knowledge is: an
 * answer is younger than its question, while what the network held back may be of any age.
 */
export interface Pulses {
  /** How current this node can be; rejects when the leader does not say. */
  beat(): Promise<Horizon>;
  /** Answers a member, as the leader; undefined when this node is not the one to ask. */
  answer(from: string, input: unknown): Promise<z.infer<typeof answered> | undefined>;
  /** What this leader does, and has lately heard of others; empty on a node that follows. */
  known(): ReadonlyMap<string, Pulse>;
  /** How far others' clocks are ahead of this node's, in ms, by their ids: of those it compares. */
  skews(): ReadonlyMap<string, number>;
  /** Streams that other nodes serve, as far as is known. */
  streamsElsewhere(): number;
}

interface Heard extends Pulse {
  readonly at: number;
}

const answerMs = 1_500;
/** What was said longer ago is over. */
const freshMs = 5_000;
/** A slower answer says too little about what a clock shows. */
const slowMs = 1_000;

export function createPulses(deps: PulseDeps): Pulses {
  const { elapsed, now, doing } = deps;
  const heard = new Map<string, Heard>();
  let elsewhere = { streams: 0, at: -Infinity };
  let skew: { readonly leader: string; readonly ms: number; readonly at: number } | undefined;
  const isFresh = ({ at }: { readonly at: number }) => elapsed() - at < freshMs;
  const fresh = () =>
    new Map(deps.isSettled() ? [...heard].filter(([, each]) => isFresh(each)) : []);
  const streamsHeard = () => sum([...fresh().values()].map(({ streams }) => streams));

  async function askLeader(leader: string): Promise<Horizon> {
    const begin = { at: elapsed(), wall: now() };
    const skewMs = skew?.leader === leader && isFresh(skew) ? skew.ms : undefined;
    const input = { ...doing(), skewMs };
    const answer = await deps.ask(leader, input, answerMs);
    // As long as an update lasts: what its own Raft has heard is nearly as good.
    if (answer === undefined) return deps.status();
    const { commit, contactMs, time, streams } = answered.parse(answer);
    const tookMs = elapsed() - begin.at;
    elsewhere = { streams: Math.max(0, streams - input.streams), at: elapsed() };
    if (tookMs < slowMs) {
      skew = { leader, ms: time - (begin.wall + tookMs / 2), at: elapsed() };
    }
    return { commit, contactMs };
  }
  return {
    async beat() {
      const leader = deps.leader();
      if (leader !== undefined) return askLeader(leader);
      const { role, commit, contactMs } = await deps.status();
      const isSure = role === 'leader' && deps.isSettled();
      return { commit, contactMs: isSure ? contactMs : undefined };
    },
    async answer(from, input) {
      const pulse = told.parse(input);
      const { role, commit, contactMs } = await deps.status();
      if (role !== 'leader' || !deps.isSettled() || contactMs === undefined) return undefined;
      heard.set(from, { ...pulse, at: elapsed() });
      return { commit, contactMs, time: now(), streams: streamsHeard() + doing().streams };
    },
    known: () => new Map(deps.isSettled() ? [[deps.nodeId, doing()], ...fresh()] : []),
    skews() {
      if (!deps.isSettled()) return new Map(skew && isFresh(skew) ? [[skew.leader, skew.ms]] : []);
      const told = [...fresh()].flatMap(([id, { skewMs }]) =>
        skewMs === undefined ? [] : [[id, -skewMs] as const],
      );
      return new Map(told);
    },
    streamsElsewhere() {
      if (deps.isSettled()) return streamsHeard();
      return isFresh(elsewhere) ? elsewhere.streams : 0;
    },
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

import { createBuckets } from '../doors/buckets.ts';
import {
  BARRED_MS,
  EXCESS_BURST,
  EXCESS_PER_SECOND,
  MAX_MEMBERS,
  MAX_MESSAGE_BYTES,
  MESSAGES_PER_SECOND,
  MESSAGE_BURST,
} from './limits.ts';
import type { Counts, GossipMember } from './types.ts';

type Why = 'stranger' | 'tooLarge' | 'tooMany';

/** Who is let in, and how much is taken of whom. */
export interface Gate {
  /** @returns the members that are taken: others than this node, each once. */
  admit(members: readonly GossipMember[]): readonly GossipMember[];
  /** Counts a refusal. */
  mayConnect(gossipId: string): boolean;
  isMember(gossipId: string): boolean;
  isBarred(gossipId: string): boolean;
  nodeOf(gossipId: string): string | undefined;
  /** Whether to take a message of `author` that `carrier` brought; if not, counts why. */
  judge(message: { author: string; carrier: string; bytes: Uint8Array }): boolean;
  stats(): {
    readonly members: number;
    readonly refused: number;
    readonly barred: number;
    readonly dropped: Counts<Why>;
  };
}

export interface GateOptions {
  readonly self: string;
  readonly now: () => number;
  /** It brought far too much: end its connections. */
  readonly onBar: (gossipId: string) => void;
}

export function createGate({ self, now, onBar }: GateOptions): Gate {
  const perAuthor = createBuckets({ perSecond: MESSAGES_PER_SECOND, burst: MESSAGE_BURST, now });
  const excess = createBuckets({ perSecond: EXCESS_PER_SECOND, burst: EXCESS_BURST, now });
  const barredUntil = new Map<string, number>();
  const dropped = { stranger: 0, tooLarge: 0, tooMany: 0 };
  let nodes = new Map<string, string>();
  let refused = 0;
  let barred = 0;

  const isBarred = (gossipId: string): boolean => now() < (barredUntil.get(gossipId) ?? -Infinity);
  const drop = (why: Why): false => {
    dropped[why] += 1;
    return false;
  };
  // Honest nodes keep to the limit and pass on nothing that breaks it: who brings this, made it.
  const blame = (carrier: string): void => {
    if (excess.take(carrier) || isBarred(carrier)) return;
    barred += 1;
    barredUntil.set(carrier, now() + BARRED_MS);
    onBar(carrier);
  };

  return {
    admit(members) {
      const taken = new Map<string, GossipMember>();
      for (const member of members) {
        if (member.gossipId !== self && taken.size < MAX_MEMBERS)
          taken.set(member.gossipId, member);
      }
      for (const gone of [...nodes.keys()].filter((each) => !taken.has(each))) {
        perAuthor.forget(gone);
        excess.forget(gone);
        barredUntil.delete(gone);
      }
      nodes = new Map([...taken].map(([gossipId, { id }]) => [gossipId, id]));
      return [...taken.values()];
    },
    mayConnect(gossipId) {
      const isWelcome = nodes.has(gossipId) && !isBarred(gossipId);
      if (!isWelcome) refused += 1;
      return isWelcome;
    },
    isMember: (gossipId) => nodes.has(gossipId),
    isBarred,
    nodeOf: (gossipId) => nodes.get(gossipId),
    judge({ author, carrier, bytes }) {
      if (!nodes.has(author) || !nodes.has(carrier)) return drop('stranger');
      if (isBarred(carrier)) return drop('tooMany');
      const isTooLarge = bytes.length > MAX_MESSAGE_BYTES;
      if (!isTooLarge && perAuthor.take(author)) return true;
      blame(carrier);
      return drop(isTooLarge ? 'tooLarge' : 'tooMany');
    },
    stats: () => ({ members: nodes.size, refused, barred, dropped: { ...dropped } }),
  };
}

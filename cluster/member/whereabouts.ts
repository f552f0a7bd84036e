import { isDeepStrictEqual } from 'node:util';
import { limits } from '../state/limits.ts';
import type { Addresses, Member } from '../state/types.ts';
import type { KnownPeer } from './peers-file.ts';

/** Where a member says it is, heard another way than through the log. */
export interface Sighting extends KnownPeer {
  readonly bootEpoch: number;
  /** Milliseconds since 1970, by its own clock: of two words of one start the later one counts. */
  readonly saidAt: number;
}

/** Where members were seen while nobody led, so that none of them could say it in the log. */
export interface Whereabouts {
  /** True if it is news. */
  note(sighting: Sighting): boolean;
  /** The log says where this member is: what it said before that counts no more. */
  settle(member: Member): void;
  /** A member as it was known, with what was heard of it since: the newest comes first. */
  locate<Peer extends KnownPeer & { readonly bootEpoch?: number }>(peer: Peer): Peer;
  readonly all: () => readonly Sighting[];
}

/** More members than this no cluster has. */
const most = limits.members;

export function createWhereabouts(): Whereabouts {
  const seen = new Map<string, Sighting>();
  return {
    note(sighting) {
      const known = seen.get(sighting.id);
      if (known && !isLater(sighting, known)) return false;
      if (!known && seen.size >= most) return false;
      seen.set(sighting.id, sighting);
      return !isDeepStrictEqual(known?.addresses, sighting.addresses);
    },
    settle({ id, bootEpoch }) {
      if ((seen.get(id)?.bootEpoch ?? Infinity) <= bootEpoch) seen.delete(id);
    },
    locate(peer) {
      const sighting = seen.get(peer.id);
      if (!sighting || sighting.bootEpoch < (peer.bootEpoch ?? 0)) return peer;
      const gossipId = sighting.gossipId ?? peer.gossipId;
      return { ...peer, gossipId, addresses: union(sighting.addresses, peer.addresses) };
    },
    all: () => [...seen.values()],
  };
}

const isLater = (one: Sighting, other: Sighting) =>
  one.bootEpoch !== other.bootEpoch ? one.bootEpoch > other.bootEpoch : one.saidAt > other.saidAt;

/**
 * Both, as either may be right: whoever dials makes sure whom it has reached, and takes the next.
 */
function union(first: Addresses, then: Addresses): Addresses {
  const of = (which: keyof Addresses) =>
    [...new Set([...first[which], ...then[which]])].slice(0, limits.addresses);
  return { raft: of('raft'), rpc: of('rpc'), gossip: of('gossip'), api: of('api') };
}

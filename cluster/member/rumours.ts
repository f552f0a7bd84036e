import { z } from 'zod';
import { limits } from '../state/limits.ts';
import type { Announcement, View } from '../state/types.ts';
import type { Network } from './network.ts';
import type { Sighting } from './whereabouts.ts';

const addresses = z.array(z.string().min(1).max(300)).max(limits.addresses);

/** As it crosses between members, and lies in the database. */
export const sightingShape = z.object({
  id: z.string().min(1).max(128),
  gossipId: z.string().max(200).optional(),
  addresses: z.object({ raft: addresses, rpc: addresses, gossip: addresses, api: addresses }),
  bootEpoch: z.number().int().min(1),
  saidAt: z.number(),
});

/** What members tell each other of where they are, beside the log. */
export interface Rumours {
  /** Where this node is now. */
  self(): Sighting;
  /** This node, and the others as far as it knows. */
  tell(): readonly Sighting[];
  hear(sightings: readonly Sighting[]): void;
}

export interface RumoursDeps {
  /** What this node says of itself. */
  readonly self: () => Announcement;
  readonly view: () => View;
  readonly network: () => Pick<Network, 'note' | 'sightings'> | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createRumours({ self, view, network, now }: RumoursDeps): Rumours {
  let said: Sighting | undefined;
  const me = (): Sighting => {
    const { id, gossipId, addresses: at, bootEpoch } = self();
    // The time is of when it began to be there: who hears it twice has heard nothing new.
    if (said === undefined || JSON.stringify(said.addresses) !== JSON.stringify(at)) {
      said = { id, gossipId, addresses: at, bootEpoch, saidAt: now() };
    }
    return said;
  };
  return {
    self: me,
    tell() {
      const settled = [...view().members.values()].map((member) => ({
        ...{ id: member.id, gossipId: member.gossipId, addresses: member.addresses },
        // When it said so is known by the leader's clock only: its own word counts for more.
        ...{ bootEpoch: member.bootEpoch, saidAt: 0 },
      }));
      const heard = network()?.sightings() ?? [];
      const others = [...settled, ...heard].filter(({ id }) => id !== me().id);
      return [me(), ...others];
    },
    hear(sightings) {
      for (const each of sightings) network()?.note(each);
    },
  };
}

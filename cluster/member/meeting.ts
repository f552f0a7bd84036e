import type { Announcement } from '../state/types.ts';
import type { Core, CoreDeps } from './core.ts';
import type { Network } from './network.ts';
import { createRendezvous, type MeetingPlace, type Rendezvous } from './rendezvous.ts';
import { createRumours, type Rumours } from './rumours.ts';

/** What a member knows, beside the log, of how it and the others may be found. */
export interface MeetingWish {
  /** Undefined where there is none, as for a witness. */
  readonly place?: MeetingPlace | undefined;
  /** RPC addresses at which some member may be: settings, DNS, the local network. */
  readonly hints: () => Promise<readonly string[]>;
  /** In [0, 1). */
  readonly random: () => number;
}

interface MeetingDeps extends CoreDeps, MeetingWish {
  readonly tell: () => Announcement;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A member's part in finding and being found, once it is open to others. */
export interface Meeting {
  readonly rumours: Rumours;
  /** Looks for the others once, and goes on with it. @throws BarredError */
  begin(network: Network): Promise<void>;
  close(): Promise<void>;
}

export function createMeeting(deps: MeetingDeps, { state, consensus, doors }: Core): Meeting {
  const { now, tell } = deps;
  const rumours = createRumours({
    ...{ self: tell, now, view: () => state.view(), network: doors.network },
  });
  let rendezvous: Rendezvous | undefined;
  return {
    rumours,
    async begin(network) {
      const hasLeader = () => consensus.leadership().leader !== undefined;
      rendezvous = createRendezvous({ ...deps, network, rumours, hasLeader });
      await rendezvous.look();
      rendezvous.start();
    },
    close: async () => rendezvous?.close(),
  };
}

import type { AutopilotConfig, View } from '#cluster/state/types.ts';
import type { Complaint, LeaderNote } from './sayings.ts';

/** Who votes, who leads, who is well: all that is needed to say what to change next. */

export interface Server {
  readonly id: string;
  readonly suffrage: 'voter' | 'nonvoter';
}

/** What the leader knows of another server at one moment. */
export interface PeerReading {
  /** Milliseconds since it last answered; undefined: not since this leadership began. */
  readonly lastContactMs: number | undefined;
  /** The last entry it is known to have. */
  readonly matchIndex: number;
  /** Term of its last entry, where that is known. */
  readonly lastTerm?: number | undefined;
}

/** The same, seen over time; moments are on the clock of `now`. */
export interface PeerState extends PeerReading {
  /** Healthy without a break since then; undefined: not now. */
  readonly healthySinceMs: number | undefined;
  /** Has not answered since then; undefined: it answers. */
  readonly silentSinceMs: number | undefined;
}

/** How far the leader itself is. */
export interface LeaderEnd {
  readonly lastIndex: number;
  /** Term of its last entry; undefined: terms are not compared. */
  readonly lastTerm?: number | undefined;
}

export interface Known extends LeaderEnd {
  readonly view: Pick<View, 'members' | 'retired'>;
  /** The latest, committed. */
  readonly configuration: { readonly servers: readonly Server[] };
  readonly leaderId: string;
  /** Of the others, by id; who is missing has not been heard of. */
  readonly peers: ReadonlyMap<string, PeerState>;
  readonly config: AutopilotConfig;
  /** Milliseconds, of any clock that does not go back. */
  readonly now: number;
}

export interface Action {
  /**
   * `add`: a learner to the Raft configuration; `promote`: learner to voter; `demote`: voter to
   * learner; `remove`: from the configuration, and to be forgotten; `transfer`: leadership to it.
   */
  readonly kind: 'add' | 'promote' | 'demote' | 'remove' | 'transfer';
  readonly id: string;
  /** For the log and for people. */
  readonly why: string;
}

export interface Health {
  readonly isHealthy: boolean;
  /** What is wrong; undefined if nothing is. */
  readonly why: Complaint | undefined;
}

export interface Decision {
  /** At most one: the next is decided when this one is done and its effect is known. */
  readonly actions: readonly Action[];
  /** Who would lead if the leader chose now; undefined: there is nobody. */
  readonly successor: string | undefined;
  /** Of every member and every server. */
  readonly health: ReadonlyMap<string, Health>;
  /** So many voters may fail, one after the other, and there is still a leader that can serve. */
  readonly failureTolerance: number;
  /** For the operator, the most important first. */
  readonly notes: readonly LeaderNote[];
}

/** A server as the rules see it. */
export interface Standing {
  readonly id: string;
  /** Its name, with the id if that is not its alone. */
  readonly label: string;
  readonly isLeader: boolean;
  readonly isVoter: boolean;
  readonly isWitness: boolean;
  readonly isDraining: boolean;
  /** `stranger`: it was put into the configuration without ever announcing itself. */
  readonly membership: 'member' | 'retired' | 'stranger';
  readonly health: Health;
  /** It answers now. */
  readonly isAlive: boolean;
  /** Silent for as long as another must be healthy to take its place. */
  readonly isDead: boolean;
  readonly silentMs: number;
  /** Healthy for long enough. */
  readonly isStable: boolean;
  readonly healthySinceMs: number;
  /** Whether it is well or dead is not known yet: it has just come, gone, or not been heard of. */
  readonly isUnsettled: boolean;
  readonly matchIndex: number;
}

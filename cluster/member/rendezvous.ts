import type { Log } from '../raft/driver/ports.ts';
import type { Announcement } from '../state/types.ts';
import { BarredError } from './barred.ts';
import { greetAll } from './greet.ts';
import type { Network } from './network.ts';
import type { Pause } from './pause.ts';
import type { Rumours } from './rumours.ts';
import type { Sighting } from './whereabouts.ts';

/** A place that all members reach, at which each writes where it is. */
export interface MeetingPlace {
  /** Writes this node's own; earlier starts of it never take the place of a later one. */
  readonly tell: (self: Sighting) => Promise<void>;
  /** What the members wrote. */
  readonly hear: () => Promise<readonly Sighting[]>;
}

/** How members find each other when none is where it was, and nobody leads who could say so. */
export interface RendezvousDeps {
  readonly self: Pick<Announcement, 'id' | 'bootEpoch' | 'session'>;
  readonly network: Network;
  readonly rumours: Rumours;
  /** Undefined where there is none, as for a witness. */
  readonly place?: MeetingPlace | undefined;
  /** RPC addresses at which some member may be: settings, DNS, the local network. */
  readonly hints: () => Promise<readonly string[]>;
  readonly hasLeader: () => boolean;
  readonly onBarred: (error: BarredError) => void;
  readonly log: Log;
  readonly pause: Pause;
  /** In [0, 1). */
  readonly random: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
}

export interface Rendezvous {
  /**
   * Looks once, at all places at a time; before this node says a word of Raft.
   * @throws BarredError
   */
  look(): Promise<void>;
  /** Looks on: often while nobody leads. */
  start(): void;
  close(): Promise<void>;
}

/** While nobody leads, so often; not all at the same moment. */
const lostMs = 2_000;
/** Whether the own addresses have changed. */
const watchMs = 1_000;
/** Otherwise, so that what is written does not grow old. */
const calmMs = 30_000;

/**
 * Keeps what others can find of this node up to date, and looks for them while nobody leads: in the
 * database, by the addresses they had, by those that settings and DNS name, all at the same time.
 * Whoever is found says where it knows the others to be.
 */
export function createRendezvous(deps: RendezvousDeps): Rendezvous {
  const { rumours, hasLeader, pause, random, elapsed } = deps;
  const ending = new AbortController();
  const look = createLook(deps);
  let running: Promise<void> | undefined;
  const run = async () => {
    let told = '';
    let lookedAt = elapsed();
    for (;;) {
      await pause(hasLeader() ? watchMs : lostMs * (0.75 + random() / 2), ending.signal);
      if (ending.signal.aborted) return;
      const now = JSON.stringify(rumours.self().addresses);
      const isDue = now !== told || elapsed() - lookedAt >= calmMs;
      if (hasLeader() && !isDue) continue;
      await look();
      told = now;
      lookedAt = elapsed();
    }
  };
  return {
    look,
    start: () => void (running ??= run().catch(barring(deps))),
    async close() {
      ending.abort();
      await running;
    },
  };
}

const barring =
  ({ onBarred }: RendezvousDeps) =>
  (error: unknown) => {
    if (!(error instanceof BarredError)) throw error;
    onBarred(error);
  };

/** One look; what fails is said once, until it is mended. */
function createLook(deps: RendezvousDeps) {
  const { network, place, rumours, hints, hasLeader, pause } = deps;
  const attempt = createAttempt(deps.log);
  const greet = () => greetAll(deps);
  let isWelcome = false;
  const meet = async ({ tell, hear }: MeetingPlace) => {
    // Nobody is led to a node that may not take part.
    if (isWelcome) await tell(rumours.self());
    rumours.hear(await hear());
  };
  return async () => {
    isWelcome ||= hasLeader();
    const elsewhere = Promise.all([
      place && attempt('the database', () => meet(place)),
      attempt('their names', async () => network.hint(await hints())),
    ]);
    // What hangs there keeps nobody waiting.
    const inTime = Promise.race([elsewhere, pause(lostMs)]);
    if (hasLeader()) return void (await inTime);
    const [found] = await Promise.all([greet(), inTime]);
    if (found < network.peers().length) await greet();
    if (!isWelcome && place) {
      isWelcome = true;
      await Promise.race([
        attempt('the database', () => place.tell(rumours.self())),
        pause(lostMs),
      ]);
    }
  };
}

/** Does what may fail or hang, never twice at the same time. */
function createAttempt(log: Log) {
  const failing = new Set<string>();
  const busy = new Set<string>();
  return async (where: string, work: () => Promise<void>): Promise<void> => {
    if (busy.has(where)) return;
    busy.add(where);
    try {
      await work();
      failing.delete(where);
    } catch (error) {
      const reason = String(error);
      if (!failing.has(where)) log.warn('members cannot be looked for', { where, reason });
      failing.add(where);
    } finally {
      busy.delete(where);
    }
  };
}

import { UnannouncedError } from '#cluster/member/announce.ts';
import { commandsOf, knowsEvents } from '#cluster/member/commands.ts';
import type { Member } from '#cluster/member/member.ts';
import type { Audience, EventName, EventPublisher, Events, Happening } from '#services/events.ts';
import type { Log } from '#services/log.ts';
import type { Effects } from '#storage/cluster/outbox.ts';
import { decodeHappening, encodeHappening } from './codec.ts';
import { createPublisher, subjectOf, type PublisherDeps } from './publisher.ts';
import { createEventRing, type EventRing } from './ring.ts';

export interface LiveEventsDeps {
  readonly member: Pick<Member, 'announce' | 'propose' | 'state'>;
  readonly randomId: () => string;
  readonly pause: PublisherDeps['pause'];
  readonly onDropped: (count: number, why: DroppedWhy) => void;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** `too-long` for the log; `no-leader` in time; `overflow`: too many waited; `failed`: see the log. */
export type DroppedWhy = 'too-long' | Parameters<PublisherDeps['onDropped']>[1];

/** Turns what is told into what stands in the log; undefined for what cannot. */
export type EncodeEvent = <Name extends EventName>(
  name: Name,
  payload: Events[Name],
  audience?: Audience,
) => string | undefined;

/** This node's live changes: those of all nodes, in one order. */
export interface LiveEvents extends EventPublisher, AsyncDisposable {
  readonly ring: EventRing;
  readonly encode: EncodeEvent;
  /** As the member's, with what is told told everywhere, or here where the others do not know how. */
  readonly announce: Member['announce'];
  stats(): ReturnType<EventRing['stats']> & { waiting: number };
}

/** How long a leader is looked for before a batch is tried again, in milliseconds. */
const sendMs = 2_000;

/** To be made before the member is started, so that it hears the whole log. */
export function createLiveEvents(deps: LiveEventsDeps): LiveEvents {
  const { member, onDropped, now } = deps;
  const { state } = member;
  const log = deps.log.child({ module: 'events' });
  const isShared = () => knowsEvents(state.view());
  const source = { ...state, index: () => state.view().index, isShared };
  const ring = createEventRing({ source, log });
  const send = createSend(deps);
  const publisher = createPublisher({ ...deps, send, log });
  const encode = createEncoder({ now, log, onDropped });
  const announceHere: Member['announce'] = async ({ tags, told }, outboxId, waiting) => {
    const isAnnounced = await member.announce({ tags }, outboxId, waiting);
    for (const happening of happeningsOf(told)) ring.tellHere(happening);
    return isAnnounced;
  };
  return {
    ring,
    encode,
    publish(name, payload, audience = 'all') {
      const happening = { at: now(), name, payload, audience };
      if (!isShared()) return ring.tellHere(happening);
      const text = encode(name, payload, audience);
      if (text !== undefined) publisher.put(happening, text);
    },
    async announce(effects, outboxId, waiting) {
      if (!isShared()) return announceHere(effects, outboxId, waiting);
      // That a scan is over is not told before how far it was.
      const subjects = happeningsOf(effects.told).flatMap((each) => subjectOf(each) ?? []);
      await publisher.settle(subjects);
      return member.announce(effects, outboxId, waiting);
    },
    stats: () => ({ ...ring.stats(), ...publisher.stats() }),
    [Symbol.asyncDispose]: () => publisher[Symbol.asyncDispose](),
  };
}

const happeningsOf = (told: Effects['told']): Happening[] =>
  (told?.events ?? []).flatMap((text) => decodeHappening(text) ?? []);

/** What is too long is a mistake of whoever tells it, and no reason to fail a change. */
export function createEncoder({
  now,
  log,
  onDropped,
}: Pick<LiveEventsDeps, 'now' | 'log' | 'onDropped'>): EncodeEvent {
  return (name, payload, audience = 'all') => {
    const text = encodeHappening({ at: now(), name, payload, audience });
    if (text !== undefined) return text;
    log.error('an event is too long to be told', { event: name });
    onDropped(1, 'too-long');
    return undefined;
  };
}

function createSend({ member, log }: LiveEventsDeps): PublisherDeps['send'] {
  return async (batch) => {
    try {
      for (const command of commandsOf([{ tags: [], told: batch }])) {
        if (!(await member.propose(command, sendMs)).isDone) return false;
      }
      return true;
    } catch (error) {
      if (!(error instanceof UnannouncedError)) throw error;
      log.debug('nobody takes events just now', { because: String(error.cause) });
      return false;
    }
  };
}

import type { Change, ServerId } from '../raft/core/types.ts';
import type { Driver, Leadership, Place } from '../raft/driver/driver.ts';
import { RaftRefusedError } from '../raft/driver/errors.ts';
import type { EngineStatus } from '../raft/driver/messages.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { AddressBook } from '../raft/transport/types.ts';
import { encodeCommand } from '../state/command.ts';
import type { Command, Result } from '../state/types.ts';
import type { Pause } from './pause.ts';

export interface ConsensusOptions {
  /** Starts an engine on this node's log; the state machine is told by it what it has not seen. */
  readonly open: () => Promise<Driver>;
  /** A command as it may stand in the log, or why it may not. */
  readonly prepare: (command: Command) => Command | Result;
  readonly log: Log;
  readonly pause: Pause;
}

/**
 * The Raft of this node, whichever engine runs it. Engines come and go: one in this process while
 * the node is alone, one of its own process in a cluster, another when that one died. What is
 * applied stays, and what was under way ends with an error that says whether it may have happened.
 */
export interface Consensus {
  start(): Promise<void>;
  /**
   * Resolves once it is applied here.
   * @throws RaftRefusedError when nothing happened, OutcomeUnknownError when it may have
   */
  propose(command: Command, term?: number): Promise<Result>;
  /** Resolves once this node has applied all that was committed when it asked, as its leader. */
  barrier(): Promise<Place>;
  change(change: Change): Promise<Place>;
  transfer(to?: ServerId): Promise<void>;
  /** Where the others are, from now on. */
  setBook(book: AddressBook): void;
  /** Reads the certificates again. */
  reloadTls(): Promise<void>;
  snapshot(): Promise<Place>;
  status(): Promise<EngineStatus>;
  /** To be shown: as `status`, but between engines what was last told. */
  lastStatus(): Promise<EngineStatus>;
  /** False between engines: this node hears of no leader then, although there may be one. */
  isRunning(): boolean;
  /** The Raft index up to which entries are applied here. */
  applied(): number;
  leadership(): Leadership;
  /** Returns a function that stops it. */
  onLeadership(listener: (leadership: Leadership) => void): () => void;
  /** What the engine of now, and each later one, is told first. */
  onOpened(listener: (driver: Driver) => void): void;
  /** Ends the engine and starts another, as `open` now makes it. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

const firstPauseMs = 500;
/** What keeps it from starting, a full disk above all, may be over at any moment. */
const longestPauseMs = 5_000;

interface Room {
  readonly options: ConsensusOptions;
  readonly listeners: Set<(leadership: Leadership) => void>;
  readonly openedListeners: ((driver: Driver) => void)[];
  driver: Driver | undefined;
  leadership: Leadership;
  /** What an engine last told of itself. */
  told: EngineStatus | undefined;
  readonly closing: AbortController;
  /** Changes of engines, one after the other. */
  changing: Promise<void>;
}

/** No engine runs before `start`. */
export function createConsensus(options: ConsensusOptions): Consensus {
  const room: Room = {
    options,
    listeners: new Set(),
    openedListeners: [],
    driver: undefined,
    leadership: { role: 'follower', term: 0, leader: undefined },
    told: undefined,
    closing: new AbortController(),
    changing: Promise.resolve(),
  };
  const running = () => runningOf(room);
  return {
    start: () => start(room),
    async propose(command, term) {
      const prepared = options.prepare(command);
      if ('isDone' in prepared) return prepared;
      return (await running().propose(encodeCommand(prepared), term)).result as Result;
    },
    barrier: async () => running().barrier(),
    change: async (change) => running().change(change),
    transfer: async (to) => running().transfer(to),
    setBook: (book) => room.driver?.setBook(book),
    reloadTls: async () => room.driver?.reloadTls(),
    snapshot: async () => running().snapshot(),
    status: () => status(room),
    lastStatus: () => lastStatus(room),
    isRunning: () => room.driver !== undefined,
    applied: () => room.driver?.applied() ?? 0,
    leadership: () => room.leadership,
    onLeadership(listener) {
      room.listeners.add(listener);
      return () => void room.listeners.delete(listener);
    },
    onOpened(listener) {
      room.openedListeners.push(listener);
      if (room.driver) listener(room.driver);
    },
    reopen: () => reopen(room),
    async close() {
      room.closing.abort();
      await room.changing;
      await stop(room);
    },
  };
}

function runningOf({ driver }: Room): Driver {
  if (driver) return driver;
  throw new RaftRefusedError({ reason: 'ended', detail: 'no engine runs just now' });
}

async function status(room: Room): Promise<EngineStatus> {
  room.told = await runningOf(room).status();
  return room.told;
}

async function lastStatus(room: Room): Promise<EngineStatus> {
  try {
    return await status(room);
  } catch (error) {
    if (error instanceof RaftRefusedError && room.told) return room.told;
    throw error;
  }
}

function tell(room: Room, leadership: Leadership): void {
  room.leadership = leadership;
  for (const listener of room.listeners) listener(leadership);
}

/** As long as no engine runs, this node knows of no leader. */
function tellNone(room: Room): void {
  tell(room, { role: 'follower', term: room.leadership.term, leader: undefined });
}

async function start(room: Room): Promise<void> {
  const { log, open } = room.options;
  const started = await open();
  room.driver = started;
  started.onLeadership((leadership) => {
    if (room.driver === started) tell(room, leadership);
  });
  for (const listener of room.openedListeners) listener(started);
  tell(room, started.leadership());
  void started.ended.then((error) => {
    if (room.driver !== started) return;
    room.driver = undefined;
    tellNone(room);
    if (room.closing.signal.aborted) return;
    log.error('the Raft engine ended; it is started again', { error: error?.message });
    room.changing = room.changing.then(() => startAgain(room));
  });
}

async function startAgain(room: Room): Promise<void> {
  const { log, pause } = room.options;
  const { signal } = room.closing;
  for (let waitMs = firstPauseMs; !signal.aborted && !room.driver; waitMs *= 2) {
    await pause(Math.min(waitMs, longestPauseMs), signal);
    if (signal.aborted) return;
    try {
      await start(room);
    } catch (error) {
      log.error('the Raft engine does not start; it is tried again', { error: String(error) });
    }
  }
}

async function stop(room: Room): Promise<void> {
  const stopped = room.driver;
  room.driver = undefined;
  tellNone(room);
  await stopped?.close();
}

function reopen(room: Room): Promise<void> {
  const done = room.changing.then(async () => {
    await stop(room);
    await start(room);
  });
  room.changing = done.catch(async (error: unknown) => {
    const { log } = room.options;
    log.error('the Raft engine does not start; it is tried again', { error: String(error) });
    await startAgain(room);
  });
  return done;
}

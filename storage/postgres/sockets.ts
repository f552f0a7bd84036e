import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { hostName, type Host } from './address.ts';
import { connectTo, refused, unavailable, type Line } from './dial.ts';

/** Opens the driver's sockets: chooses the host, fails fast while all are down, counts. */
export type Sockets = {
  /** The driver's `socket` option. Never rejects: a failure comes as a stream that errors. */
  open: () => Promise<Duplex>;
  /** Sockets that are open now. */
  count: () => number;
  /** True when something may wait for an answer and has heard nothing for `forMs`. */
  waiting: (forMs: number) => boolean;
  /** The server has shown that it lives: whoever waits, waits for its work. */
  cleared: () => void;
  /** Breaks every connection: what waits on one fails as unavailable, and the pool reconnects. */
  drop: (reason: string) => void;
  /** Forgets which host was chosen, so that the next connection asks again. */
  rethink: () => void;
  /** Breaks every connection; new ones go to this host, which has just been seen to serve. */
  moveTo: (host: Host, reason: string) => void;
  /** The host new connections go to, or went to last. */
  host: () => Host | undefined;
  /** Waits until none is open, then breaks what is left; opens no more. */
  shutdown: (timeoutMs: number) => Promise<void>;
};

export type SocketOptions = {
  /** Which host takes our kind of session now; throws when none does. `last` is the one before. */
  choose: (last: Host | undefined) => Promise<Host>;
  line: Line;
  log: Log;
  now: () => number;
};

/** `since` is set while an answer may be due; `sure` when something was sent and none has come. */
type Watched = {
  socket: Socket;
  opened: number;
  read: number;
  written: number;
  since?: number;
  sure: boolean;
};

/** After a failure nobody tries again for this long: callers hear at once instead of queueing. */
const cooldownMs = 250;
/** A connection that lasts this long was let in; before, its words may have been a refusal. */
const youngMs = 1_000;
const pollMs = 10;
/** One that is starting up, or full, takes the call, says so, and hangs up. */
const turnedAway = 'it hung up at once';

/**
 * Why not leave it to the driver: with several hosts that are all down, postgres.js 3.4 neither
 * rejects the waiting query nor pauses between its attempts; a socket factory that throws costs
 * it a connection for ever; and it tells nobody how many connections it has.
 */
export function createSockets(options: SocketOptions): Sockets {
  const { log, now } = options;
  const watched = new Set<Watched>();
  const chosen = createChoice(options);
  const away = createAway(log, now);
  let trial: Promise<Socket> | undefined;
  let closing = false;

  const fail = (error: Error) => {
    away.begin(error);
    chosen.forget();
  };
  const attempt = async () => {
    try {
      const socket = await connectTo(await chosen.make(), options.line);
      const opened = now();
      watched.add({ socket, opened, read: 0, written: 0, sure: false });
      socket.once('end', () => {
        const isOurs = closing || socket.writableEnded;
        if (!isOurs && now() - opened < youngMs) fail(unavailable(turnedAway));
      });
      return socket;
    } catch (error) {
      fail(error as Error);
      throw error;
    }
  };
  const openOne = async (): Promise<Socket> => {
    if (!away.check()) return attempt();
    if (trial) return trial.then(attempt); // while it is away one attempt speaks for all
    trial = attempt().finally(() => (trial = undefined));
    return trial;
  };
  const breakAll = (reason: string) =>
    watched.forEach(({ socket }) => void socket.destroy(unavailable(reason)));
  const sample = () => {
    const { heard, mute } = sampleAll(watched, now());
    if (mute && !closing) fail(unavailable('the connection was closed before a word was said'));
    else if (heard) away.end();
    return [...watched];
  };
  return {
    open: async () => {
      sample();
      const opened = closing ? Promise.reject(unavailable('the pool is closed')) : openOne();
      return opened.catch((error: unknown) => refused(error as Error));
    },
    count: () => sample().length,
    waiting: (forMs) => sample().some(({ since }) => since !== undefined && now() - since >= forMs),
    cleared: () => watched.forEach((one) => (one.sure ? (one.since = now()) : delete one.since)),
    drop: (reason) => {
      breakAll(reason);
      fail(unavailable(reason));
    },
    rethink: chosen.forget,
    moveTo: (host, reason) => {
      log.warn('postgres: other connections are made', { reason, host: hostName(host) });
      breakAll(reason);
      watched.clear();
      chosen.set(host);
      away.end();
    },
    host: chosen.host,
    shutdown: async (timeoutMs) => {
      const until = now() + timeoutMs;
      while (sample().length > 0 && now() < until) await pause(pollMs);
      closing = true;
      for (const { socket } of watched) socket.destroy();
    },
  };
}

/** Which host is called: asked for once for all who want to know. */
function createChoice({ choose }: SocketOptions) {
  let host: Host | undefined;
  let last: Host | undefined;
  let asking: Promise<Host> | undefined;
  const set = (next: Host) => (host = last = next);
  const ask = async () => set(await choose(last));
  return {
    host: () => last,
    set,
    forget: () => void (host = undefined),
    make: async (): Promise<Host> => host ?? (asking ??= ask().finally(() => (asking = undefined))),
  };
}

/** Knows whether the server is away, and says so once. */
function createAway(log: Log, now: () => number) {
  let failure: { error: Error; at: number } | undefined;
  return {
    begin(error: Error) {
      if (!failure) log.warn('postgres is away', { reason: error.message });
      failure = { error, at: now() };
    },
    /** Whether it is; throws what is the matter, as long as it is too early to try again. */
    check(): boolean {
      if (failure && now() - failure.at < cooldownMs) throw failure.error;
      return failure !== undefined;
    },
    end() {
      if (failure) log.info('postgres is available');
      failure = undefined;
    },
  };
}

/**
 * Sees by the byte counters who waits for an answer and since when: bytes both ways since the
 * last look may have ended with a question. Forgets what is closed. Says whether anybody was
 * heard, and whether one was closed `mute`: a proxy without a server behind it accepts and hangs
 * up, which the driver would repeat for ever.
 */
function sampleAll(watched: Set<Watched>, now: number): { heard: boolean; mute: boolean } {
  let heard = false;
  let mute = false;
  for (const one of watched) {
    const { destroyed, bytesRead, bytesWritten } = one.socket;
    const [came, went] = [bytesRead !== one.read, bytesWritten !== one.written];
    if (came || (went && !one.sure)) Object.assign(one, { since: now, sure: went && !came });
    Object.assign(one, { read: bytesRead, written: bytesWritten });
    heard ||= came && now - one.opened >= youngMs;
    if (!destroyed) continue;
    watched.delete(one);
    mute ||= bytesRead === 0;
  }
  return { heard, mute };
}

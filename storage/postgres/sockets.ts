import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { hostName, type Host } from './address.ts';

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
  /** The host new connections go to, once one is chosen. */
  host: () => Host | undefined;
  /** Waits until none is open, then breaks what is left; opens no more. */
  shutdown: (timeoutMs: number) => Promise<void>;
};

export type SocketOptions = {
  hosts: Host[];
  /** Which host takes our kind of session now; undefined when none does. */
  choose: () => Promise<Host | undefined>;
  connectTimeoutMs: number;
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

/**
 * Why not leave it to the driver: with several hosts that are all down, postgres.js 3.4 neither
 * rejects the waiting query nor pauses between its attempts; a socket factory that throws costs
 * it a connection for ever; and it tells nobody how many connections it has.
 */
export function createSockets(options: SocketOptions): Sockets {
  const { log, now } = options;
  const watched = new Set<Watched>();
  let chosen: Host | undefined;
  let failure: { error: Error; at: number } | undefined;
  let trial: Promise<Socket> | undefined;
  let closing = false;

  const fail = (error: Error) => {
    if (!failure) log.warn('postgres is away', { reason: error.message });
    failure = { error, at: now() };
    chosen = undefined;
  };
  const attempt = async () => {
    try {
      chosen ??= options.hosts.length > 1 ? await options.choose() : options.hosts[0];
      if (!chosen) throw unavailable('no host of database.url takes our sessions');
      const socket = await connectTo(chosen, options.connectTimeoutMs);
      const opened = now();
      watched.add({ socket, opened, read: 0, written: 0, sure: false });
      // One that is starting up, or full, takes the call, says so, and hangs up.
      socket.once('end', () => {
        const isOurs = closing || socket.writableEnded;
        if (!isOurs && now() - opened < youngMs) fail(unavailable('it hung up at once'));
      });
      return socket;
    } catch (error) {
      fail(error as Error);
      throw error;
    }
  };
  const openOne = async (): Promise<Socket> => {
    if (!failure) return attempt();
    if (now() - failure.at < cooldownMs) throw failure.error;
    // While it is away one attempt speaks for all.
    if (trial) return trial.then(attempt);
    trial = attempt().finally(() => (trial = undefined));
    return trial;
  };
  const sample = () => {
    const { heard, mute } = sampleAll(watched, now());
    if (mute && !closing) fail(unavailable('the connection was closed before a word was said'));
    else if (heard && failure) {
      log.info('postgres is available');
      failure = undefined;
    }
    return [...watched];
  };
  return {
    open: async () => {
      sample();
      if (closing) return refused(unavailable('the pool is closed'));
      return openOne().catch((error: unknown) => refused(error as Error));
    },
    count: () => sample().length,
    waiting: (forMs) => sample().some(({ since }) => since !== undefined && now() - since >= forMs),
    cleared: () => watched.forEach((one) => (one.sure ? (one.since = now()) : delete one.since)),
    drop: (reason) => {
      for (const { socket } of watched) socket.destroy(unavailable(reason));
      fail(unavailable(reason));
    },
    rethink: () => void (chosen = undefined),
    host: () => chosen,
    shutdown: async (timeoutMs) => {
      const until = now() + timeoutMs;
      while (sample().length > 0 && now() < until) await pause(pollMs);
      closing = true;
      for (const { socket } of watched) socket.destroy();
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

/** One connection to one host, for a question on the side; never rejects. */
export function dialHost(host: Host, timeoutMs: number): Promise<Duplex> {
  return connectTo(host, timeoutMs).catch((error: unknown) => refused(error as Error));
}

function connectTo(host: Host, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = 'path' in host ? connect(host.path) : connect(host.port, host.host);
    const late = unavailable(`no answer from ${hostName(host)}`);
    const timer = setTimeout(() => socket.destroy(late), timeoutMs);
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', () => {
      clearTimeout(timer);
      // The driver reads `host` for the name it checks in a certificate.
      if ('host' in host) Object.assign(socket, { host: host.host });
      resolve(socket);
    });
  });
}

/** A stream that fails the way a connection does: when the driver writes its first message. */
function refused(error: Error): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(error),
  });
}

function unavailable(message: string): Error {
  return Object.assign(new Error(message), { code: 'CONNECTION_CLOSED' });
}

import type { Socket } from 'node:net';

/** Holds the connections of which it is not known yet whose they are. */
export interface Doorkeeper {
  /** One more; perhaps at the price of another. It has `ms` to become a member's. */
  enter(socket: Socket, ms: number): void;
  /** It may stay for so long from now on. */
  extend(socket: Socket, ms: number): void;
  /** It is known now, and no longer counted here. */
  admit(socket: Socket): void;
  readonly size: number;
  /** How many were sent away, for want of room or of time. */
  readonly dropped: number;
  closeAll(): void;
}

/**
 * At most `max`: one more drops the oldest of the address that has most, so that who floods us
 * pushes out itself, and others still get in.
 */
export function createDoorkeeper(max: number): Doorkeeper {
  const waiting = new Map<string, { address: string; socket: Socket; timer: NodeJS.Timeout }>();
  const byAddress = new Map<string, Set<string>>();
  let dropped = 0;

  function forget(key: string): Socket | undefined {
    const known = waiting.get(key);
    if (!known) return undefined;
    clearTimeout(known.timer);
    waiting.delete(key);
    const keys = byAddress.get(known.address);
    keys?.delete(key);
    if (keys?.size === 0) byAddress.delete(known.address);
    return known.socket;
  }
  function drop(key: string): void {
    const socket = forget(key);
    if (!socket) return;
    dropped += 1;
    socket.destroy();
  }
  function dropOldest(): void {
    let most: Set<string> = new Set();
    for (const keys of byAddress.values()) if (keys.size > most.size) most = keys;
    for (const oldest of most) return drop(oldest);
  }
  const timerFor = (key: string, ms: number) => setTimeout(() => drop(key), ms).unref();

  return {
    enter(socket, ms) {
      const key = keyOf(socket);
      const address = socket.remoteAddress;
      if (address === undefined) return void socket.destroy(); // it is gone already
      waiting.set(key, { address, socket, timer: timerFor(key, ms) });
      const keys = byAddress.get(address) ?? new Set();
      byAddress.set(address, keys.add(key));
      socket.once('close', () => void (waiting.get(key)?.socket === socket && forget(key)));
      if (waiting.size > max) dropOldest();
    },
    extend(socket, ms) {
      const known = waiting.get(keyOf(socket));
      if (!known) return;
      clearTimeout(known.timer);
      known.timer = timerFor(keyOf(socket), ms);
    },
    admit: (socket) => void forget(keyOf(socket)),
    get size() {
      return waiting.size;
    },
    get dropped() {
      return dropped;
    },
    closeAll() {
      for (const key of [...waiting.keys()]) forget(key)?.destroy();
    },
  };
}

/** The same for a connection and for the TLS in it. */
const keyOf = (socket: Socket) => `${socket.remoteAddress} ${socket.remotePort}`;

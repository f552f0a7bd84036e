/**
 * How members find each other on the local network when every address has changed: they call out to
 * a multicast group, and who hears a member of the same cluster answers. What is heard is only a
 * hint of where to dial; whom one has reached there, certificates say.
 */
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { z } from 'zod';
import { parseHostPort } from '../gossip/addresses.ts';
import type { Log } from '../raft/driver/ports.ts';

export interface BeaconOptions {
  readonly clusterId: string;
  /** RPC addresses of this member, `host:port`. */
  readonly self: () => readonly string[];
  /** IPv4 addresses of this machine: on their networks it calls out and listens, on no other. */
  readonly networks: () => readonly string[];
  /** Nobody else draws it: whoever hears it knows its own voice. */
  readonly session: string;
  readonly log: Log;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
}

export interface Beacon {
  /** Calls out, and gives the RPC addresses of those that were heard lately. */
  call(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Of organisation-local scope (RFC 2365 §6.2): routers do not carry it out of the house. */
export const beaconPlace = { group: '239.255.70.4', port: 7004 } as const;

const shape = z.object({
  revenge: z.literal(1),
  cluster: z.string().max(64),
  session: z.string().min(1).max(64),
  rpc: z.array(z.string().max(270)).max(16),
});

interface Heard {
  readonly addresses: readonly string[];
  readonly at: number;
}

const freshMs = 60_000;
const heardMost = 16;
/** Who is heard is answered, but a storm is not answered with another. */
const answerMs = 500;
const maxBytes = 1_400;

/** Listens from the first call on. Without a network that carries it, nothing is heard. */
export function createBeacon(options: BeaconOptions): Beacon {
  const { session, networks, log, elapsed } = options;
  const cluster = tagOf(options.clusterId);
  const heard = new Map<string, Heard>();
  let listening: Promise<Socket | undefined> | undefined;
  let answeredAt = -Infinity;
  const call = () => {
    const text = JSON.stringify({ revenge: 1, cluster, session, rpc: options.self() });
    return callOut(networks(), text);
  };
  const hear = (bytes: Buffer) => {
    const said = read(bytes);
    if (said?.cluster !== cluster || said.session === session) return;
    heard.delete(said.session);
    heard.set(said.session, { addresses: said.rpc, at: elapsed() });
    const [oldest] = heard.keys();
    if (heard.size > heardMost && oldest !== undefined) heard.delete(oldest);
    if (elapsed() - answeredAt < answerMs) return;
    answeredAt = elapsed();
    void call();
  };
  return {
    async call() {
      const socket = await (listening ??= listen(hear, log));
      // Again each time: this machine may have got another network meanwhile.
      if (socket) for (const address of networks()) joinGroup(socket, address);
      await call();
      const fresh = [...heard.values()].filter(({ at }) => elapsed() - at < freshMs);
      return [...new Set(fresh.flatMap(({ addresses }) => addresses))];
    },
    async close() {
      const socket = await listening;
      if (!socket) return;
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Names the cluster to those who know its id, and to nobody else. */
const tagOf = (clusterId: string): string =>
  createHash('sha256').update(`beacon ${clusterId}`).digest('hex').slice(0, 32);

function read(bytes: Buffer): z.infer<typeof shape> | undefined {
  if (bytes.length > maxBytes) return undefined;
  try {
    const said = shape.parse(JSON.parse(bytes.toString()));
    return { ...said, rpc: said.rpc.filter((address) => parseHostPort(address)) };
  } catch {
    // Anybody may send anything here; what is none of ours says nothing.
    return undefined;
  }
}

async function listen(hear: (bytes: Buffer) => void, log: Log): Promise<Socket | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    // The group's address and not any: nobody is heard but on the networks that are joined.
    socket.bind({ port: beaconPlace.port, address: beaconPlace.group });
    await once(socket, 'listening');
  } catch (error) {
    log.warn('members are not looked for on the local network', { reason: String(error) });
    return undefined;
  }
  socket.unref();
  socket.on('error', (error) => log.warn('the beacon fails', { reason: error.message }));
  socket.on('message', hear);
  return socket;
}

/** It is joined already, by another address of that interface too; or it carries no multicast. */
const harmless: ReadonlySet<string> = new Set([
  ...['EADDRINUSE', 'ENODEV', 'EADDRNOTAVAIL', 'EINVAL', 'ENOBUFS'],
]);

function joinGroup(socket: Socket, address: string): void {
  try {
    socket.addMembership(beaconPlace.group, address);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!harmless.has(code)) throw error;
  }
}

/** On a network that is down or carries none of it, nobody is there. */
async function callOut(networks: readonly string[], text: string): Promise<void> {
  const { group, port } = beaconPlace;
  await Promise.allSettled(
    networks.map(async (address) => {
      const socket = createSocket('udp4').unref();
      try {
        socket.bind({ address });
        await once(socket, 'listening');
        socket.setMulticastInterface(address);
        await new Promise<void>((resolve, reject) =>
          socket.send(text, port, group, (error) => (error ? reject(error) : resolve())),
        );
      } finally {
        socket.close();
      }
    }),
  );
}

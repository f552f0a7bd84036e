import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export interface WiredPlace {
  readonly id: string;
  /** Where the others think it is, and where it is. */
  readonly address: string;
  readonly listen: string;
}

export interface Wires {
  /** Nothing passes from one to the other any more, in this direction of connecting. */
  cut(from: string, to: string): void;
  /** Cuts one off from all others, both ways. */
  isolate(id: string): void;
  heal(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly sockets: readonly Socket[];
}

/** A proxy before each peer; who connects is read from the first request, which names its sender. */
export async function createWires(places: readonly WiredPlace[]): Promise<Wires> {
  const cuts = new Set<string>();
  const pairs = new Set<Pair>();
  const sender = (bytes: Buffer) =>
    places.find(({ address }) => bytes.includes(address))?.id ?? 'unknown';
  const isCut = (from: string, to: string) => cuts.has(`${from}>${to}`);

  function join(client: Socket, to: WiredPlace): void {
    client.on('error', () => client.destroy());
    client.once('data', (first: Buffer) => {
      client.pause();
      const from = sender(first);
      if (isCut(from, to.id)) return void client.destroy();
      const [host, port] = to.listen.split(':');
      const server = connect(Number(port), host);
      const pair: Pair = { from, to: to.id, sockets: [client, server] };
      pairs.add(pair);
      const end = () => {
        pairs.delete(pair);
        client.destroy();
        server.destroy();
      };
      for (const socket of pair.sockets) socket.on('error', end).on('close', end).setNoDelay();
      server.write(first);
      client.pipe(server);
      server.pipe(client);
    });
  }

  const servers = await Promise.all(
    places.map(
      (place) =>
        new Promise<Server>((resolve, reject) => {
          const [host, port] = place.address.split(':');
          const server = createServer((client) => join(client, place));
          server.once('error', reject);
          server.listen(Number(port), host, () => resolve(server));
        }),
    ),
  );
  const cut = (from: string, to: string) => {
    cuts.add(`${from}>${to}`);
    for (const pair of pairs) {
      if (pair.from === from && pair.to === to) pair.sockets.forEach((each) => each.destroy());
    }
  };
  return {
    cut,
    isolate(id) {
      for (const other of places) {
        if (other.id === id) continue;
        cut(id, other.id);
        cut(other.id, id);
      }
    },
    heal: () => cuts.clear(),
    async close() {
      for (const { sockets } of pairs) sockets.forEach((each) => each.destroy());
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

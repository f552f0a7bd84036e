import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A TCP port that leads to a unix socket, and that can fail the way networks do. */
export type Relay = AsyncDisposable & {
  port: number;
  /** `open` passes everything, `frozen` passes nothing, `mute` accepts and hangs up. */
  become: (state: 'open' | 'frozen' | 'mute') => void;
  /** Breaks what is connected now. */
  cut: () => void;
  /** How many calls have come in. */
  calls: () => number;
  close: () => Promise<void>;
};

/** Starts a relay on 127.0.0.1 to the unix socket at `path`. */
export async function startRelay(path: string): Promise<Relay> {
  let state: 'open' | 'frozen' | 'mute' = 'open';
  let calls = 0;
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    calls++;
    if (state === 'mute') return void near.destroy();
    const far = connect(path);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    join(near, far, () => state === 'open');
    join(far, near, () => state === 'open');
    near.on('close', () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => pairs.forEach((pair) => pair.forEach((socket) => socket.destroy()));
  const close = async () => {
    cut();
    if (server.listening) await new Promise((done) => server.close(done));
  };
  return {
    port: (server.address() as AddressInfo).port,
    become: (next) => void (state = next),
    cut,
    calls: () => calls,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function join(from: Socket, to: Socket, passes: () => boolean): void {
  from.on('data', (chunk) => passes() && to.write(chunk));
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

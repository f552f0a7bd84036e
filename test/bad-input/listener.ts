import { createServer, type AddressInfo } from 'node:net';

/** Something on 127.0.0.1 that nobody is to call; it notes who does. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
  readonly calls: () => number;
}

/** Starts to listen on a free port. */
export async function startListener(): Promise<Listener> {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port, calls: () => calls, [Symbol.asyncDispose]: close };
}

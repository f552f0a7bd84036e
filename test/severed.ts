import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noteOpen } from './open.ts';

/** A way to PostgreSQL that can be cut: connections break, and new ones are refused. */
export interface SeveredPostgres extends AsyncDisposable {
  /** The folder to connect to instead of PostgreSQL's own. */
  readonly socket: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** Puts a proxy before the socket folder of a PostgreSQL. */
export async function severablePostgres(socket: string): Promise<SeveredPostgres> {
  const closed = noteOpen('severablePostgres');
  const dir = await mkdtemp(join(tmpdir(), 'revenge-test-cut-'));
  const name = '.s.PGSQL.5432';
  const open = new Set<Socket>();
  let server: Server | undefined;

  const forward = (client: Socket) => {
    const upstream = connect(join(socket, name));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy()); // a broken half is what this is for
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  };
  const mend = async () => {
    server = createServer(forward).listen(join(dir, name));
    await once(server, 'listening');
  };
  const cut = async () => {
    const ended = server && once(server, 'close');
    server?.close();
    server = undefined;
    for (const half of open) half.destroy();
    await ended;
  };
  await mend();
  return {
    socket: dir,
    cut,
    mend,
    async [Symbol.asyncDispose]() {
      await cut();
      await rm(dir, { recursive: true });
      closed();
    },
  };
}

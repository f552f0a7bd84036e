import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const tries = 200;

/** Below the ports that the kernel gives to outgoing calls: a node finds its own again later. */
const [lowest, highest] = [20_000, 32_000];

/** Ports of the loopback that nobody listens on; the wanted ones, where they are free. */
export async function freePorts(count: number, wanted: readonly number[] = []): Promise<number[]> {
  const chosen: number[] = [];
  for (let tried = 0; chosen.length < count; tried += 1) {
    if (tried > tries) throw new Error('this machine has no free ports');
    const preferred = tried === 0 ? wanted[chosen.length] : undefined;
    const port = preferred ?? randomInt(lowest, highest);
    if (chosen.includes(port) || !(await isFree(port))) continue;
    chosen.push(port);
    tried = -1;
  }
  return chosen;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

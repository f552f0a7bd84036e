import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findTool } from '../needs.ts';
import { freePorts } from '../ports.ts';

/** One address in front of all nodes, as for clients that know no other. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
}

interface BalancerWish {
  readonly dir: string;
  /** The API of each node, `host:port`. */
  readonly nodes: readonly string[];
  readonly onStarted: (pid: number) => void;
}

const shipped = new URL('../../deploy/haproxy/haproxy.cfg', import.meta.url);
const startMaxMs = 10_000;

/** The machine's HAProxy with the file that is shipped, but for where the nodes are. */
export async function startBalancer({ dir, nodes, onStarted }: BalancerWish): Promise<Balancer> {
  const program = findTool('haproxy');
  if (program === undefined) throw new Error('a balancer needs haproxy');
  const [port = 0] = await freePorts(1);
  const file = join(dir, 'haproxy.cfg');
  await writeFile(file, configOf(await readFile(shipped, 'utf8'), { port, nodes }));
  const child = spawn(program, ['-db', '-f', file], {
    detached: true, // Ctrl-C is the nodes' business first
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (words: Buffer) => (said += words.toString()));
  if (child.pid !== undefined) onStarted(child.pid);
  const url = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + startMaxMs; !(await isReady(url)); await pause(50)) {
    if (child.exitCode !== null) throw new Error(`haproxy does not start: ${said}`);
    if (Date.now() > until) throw new Error('no node is ready behind haproxy');
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** The shipped file for these nodes, on this port of this machine alone. Pure. */
export function configOf(
  text: string,
  { port, nodes }: { readonly port: number; readonly nodes: readonly string[] },
): string {
  const kept = text.split('\n').filter((line) => !/^\s*server n\d/.test(line));
  const servers = nodes.map((address, nth) => `  server n${nth + 1} ${address}`);
  const placed = kept
    .join('\n')
    .trimEnd()
    .replace(/^ {2}bind .*$/m, `  bind 127.0.0.1:${port}`);
  return `${placed}\n${servers.join('\n')}\n`;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false; // it does not listen yet
  }
}

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** What becomes of the frames between two hosts. */
export interface Rule {
  readonly delayMs: number;
  /** So much more or less, each frame for itself: they overtake each other. */
  readonly jitterMs: number;
  /** The share that is lost, and the share that comes twice. */
  readonly loss: number;
  readonly twice: number;
  /** Of each direction between two hosts; undefined: as fast as it goes. */
  readonly bitsPerSecond?: number;
  /** What would have to wait longer for its turn is lost. */
  readonly queueMs: number;
  readonly seed?: number;
}

const run = (command: string, ...args: readonly string[]) =>
  void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });

const program = new URL('switch.ts', import.meta.url).pathname;

/** Where the hosts' cables end. */
export interface Rack {
  readonly bridge: string;
  /** The ends of the hosts' cables that are in the bridge. */
  readonly plugs: readonly string[];
  /** Bridges that may be made, one more than hosts. */
  readonly spare: readonly string[];
}

export const rackBridges = (bridge: string, count: number): string[] =>
  Array.from({ length: count + 1 }, (_, nth) => `${bridge}x${nth + 1}`);

/**
 * Puts a bad switch between the hosts and their bridge: each host's cable leads to a bridge of its
 * own, whose other end is a port of that switch. Resolves to what undoes it.
 */
export async function plugInto({ bridge, plugs, spare }: Rack, rule: Rule): Promise<() => void> {
  const taps = spare.map((name) => `${name}t`);
  // A thread waits at each port.
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(taps.length + 4) };
  const child = spawn(process.execPath, [program, JSON.stringify(rule), ...taps], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const first = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (!String(first[0]).startsWith('ready')) throw new Error('the switch did not start');
  const own = spare.slice(0, plugs.length);
  for (const [nth, name] of own.entries()) {
    run('ip', 'link', 'add', name, 'type', 'bridge');
    run('ip', 'link', 'set', name, 'up');
    run('ip', 'link', 'set', taps[nth]!, 'master', name, 'up');
    run('ip', 'link', 'set', plugs[nth]!, 'master', name);
  }
  run('ip', 'link', 'set', taps.at(-1)!, 'master', bridge, 'up');
  return () => {
    for (const plug of plugs) run('ip', 'link', 'set', plug, 'master', bridge);
    child.kill('SIGKILL'); // its ports go with it
    for (const name of own) run('ip', 'link', 'delete', name);
  };
}

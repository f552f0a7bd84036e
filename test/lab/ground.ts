import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { has } from '../needs.ts';
import { plugInto, rackBridges, type Rule } from './rough.ts';

/** A machine of its own for one node, as far as the network goes. */
export interface Host {
  /** Where its services are reached. */
  readonly address: string;
  /** Put before a command so that it runs there. */
  readonly enter: readonly string[];
}

const perfect: Rule = { delayMs: 0, jitterMs: 0, loss: 0, twice: 0, queueMs: 400 };

/** Ways between the hosts that can be cut. */
export interface Links {
  /** Nothing that `from` sends reaches `to` any more, and nobody is told; ports: only of these. */
  cut(from: number, to: number, ports?: readonly number[]): void;
  /** All ways between hosts are as bad as this says; those to who asks from outside are not. */
  distort(rule: Partial<Rule>): Promise<void>;
  heal(): void;
}

/** Where the nodes stand. */
export interface Ground extends Disposable {
  readonly hosts: readonly Host[];
  /** Where what they share listens. */
  readonly address: string;
  /** Undefined where all of them share one network. */
  readonly links: Links | undefined;
  /** All hosts have another address from now on; undefined where they have none of their own. */
  readonly readdress: (() => void) | undefined;
  /** What is left behind when nobody disposes of it; see `sweep.ts`. */
  readonly leftovers: { readonly namespaces: readonly string[]; readonly bridges: string[] };
}

/** All on the loopback: nothing can be cut there, and no privilege is needed. */
export function loopback(count: number): Ground {
  return {
    hosts: Array.from({ length: count }, () => ({ address: '127.0.0.1', enter: [] })),
    address: '127.0.0.1',
    links: undefined,
    readdress: undefined,
    leftovers: { namespaces: [], bridges: [] },
    [Symbol.dispose]: () => undefined,
  };
}

/** What hosts with a network of their own need, and this machine lacks. */
export const missingForHosts = (): readonly string[] =>
  ['root', 'ip', 'nsenter'].filter((tool) => !has(tool));

const run = (command: string, ...args: readonly string[]) =>
  void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });

const networkTries = 100;

/** The third number of a network that nobody on this machine uses. */
function freeNetwork(): number {
  const used = execFileSync('ip', ['-o', '-4', 'address'], { encoding: 'utf8' });
  for (let tried = 0; tried < networkTries; tried += 1) {
    const id = randomInt(1, 250);
    if (!used.includes(` 10.213.${id}.`)) return id;
  }
  throw new Error('no network of 10.213.0.0/16 is free');
}

/** A network namespace for each, all on one bridge of this machine. Needs root. */
export function hosts(count: number): Ground {
  const id = freeNetwork();
  // Of this run alone: what another one left behind is removed by its name.
  const bridge = `rv${randomBytes(3).toString('hex')}`;
  const gate = `10.213.${id}.254`;
  const names = Array.from({ length: count }, (_, nth) => `${bridge}-${nth + 1}`);
  const addressOf = (nth: number, move: number) => `10.213.${id}.${move * count + nth + 1}`;
  const addresses = names.map((_, nth) => addressOf(nth, 0));
  const bridges = [bridge, ...rackBridges(bridge, count)];
  const dispose = () => removeHosts(names, bridges);
  try {
    run('ip', 'link', 'add', bridge, 'type', 'bridge');
    run('ip', 'address', 'add', `${gate}/24`, 'dev', bridge);
    run('ip', 'link', 'set', bridge, 'up');
    names.forEach((name, nth) => addHost({ name, bridge, nth, address: addresses[nth]! }));
  } catch (error) {
    dispose();
    throw error;
  }
  let moves = 0;
  return {
    hosts: names.map((name, nth) => ({
      get address() {
        return addresses[nth]!;
      },
      enter: ['nsenter', `--net=/run/netns/${name}`],
    })),
    address: gate,
    links: linksOf({ bridge, names, addresses }),
    readdress() {
      // There and back again, so that the addresses never run out.
      moves += 1;
      names.forEach((name, nth) => {
        run('ip', '-n', name, 'address', 'flush', 'dev', 'eth0');
        addresses[nth] = addressOf(nth, moves % 2);
        run('ip', '-n', name, 'address', 'add', `${addresses[nth]}/24`, 'dev', 'eth0');
      });
    },
    leftovers: { namespaces: names, bridges },
    [Symbol.dispose]: dispose,
  };
}

/** The end of a host's cable that is in the bridge. */
const outsideOf = (bridge: string, nth: number) => `${bridge}p${nth + 1}`;

interface HostWish {
  readonly name: string;
  readonly bridge: string;
  readonly nth: number;
  readonly address: string;
}

function addHost({ name, bridge, nth, address }: HostWish): void {
  const outside = outsideOf(bridge, nth);
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  run('ip', 'link', 'set', outside, 'master', bridge, 'up');
  run('ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  run('ip', '-n', name, 'link', 'set', 'lo', 'up');
}

/** Those that are there no more are no error: this is for what a run left half made, too. */
export function removeHosts(namespaces: readonly string[], bridges: readonly string[]): void {
  const leave = (...args: string[]) => {
    try {
      run('ip', ...args);
    } catch (error) {
      if (!/Cannot find device|No such file/.test(String(error))) throw error;
    }
  };
  for (const name of namespaces) leave('netns', 'delete', name);
  for (const bridge of bridges) {
    // A namespace lives on, without its name, as long as some connection in it does.
    namespaces.forEach((_, nth) => leave('link', 'delete', outsideOf(bridge, nth)));
    leave('link', 'delete', bridge);
  }
}

/** Where nobody is: frames for it go out, and nobody takes them. */
const nowhere = '02:00:de:ad:00:01';

interface Network {
  readonly bridge: string;
  readonly names: readonly string[];
  /** Of now. */
  readonly addresses: readonly string[];
}

function linksOf({ bridge, names, addresses }: Network): Links {
  const undo: (() => void)[] = [];
  const ip = (nth: number, ...args: string[]) => run('ip', '-n', names[nth]!, ...args);
  return {
    cut(from, to, ports) {
      const address = addresses[to]!;
      if (ports === undefined) {
        const way = [address, 'dev', 'eth0'];
        ip(from, 'neigh', 'replace', ...way, 'lladdr', nowhere, 'nud', 'permanent');
        undo.push(() => ip(from, 'neigh', 'delete', ...way));
        return;
      }
      for (const rule of ports.flatMap((port) => [`dport ${port}`, `sport ${port}`])) {
        const which = ['to', address, 'ipproto', 'tcp', ...rule.split(' '), 'type', 'blackhole'];
        ip(from, 'rule', 'add', ...which);
        undo.push(() => ip(from, 'rule', 'delete', ...which));
      }
    },
    async distort(rule) {
      const plugs = names.map((_, nth) => outsideOf(bridge, nth));
      const rack = { bridge, plugs, spare: rackBridges(bridge, names.length) };
      undo.push(await plugInto(rack, { ...perfect, ...rule }));
    },
    heal: () => undo.splice(0).forEach((each) => each()),
  };
}

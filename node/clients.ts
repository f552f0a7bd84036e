import type { HandlersOf } from '#api/handler.ts';
import type { Member as Known } from '#cluster/state/types.ts';
import type { Config } from './config/keys.ts';
import { toValues } from './notice-json.ts';
import type { KnownOrigins } from './http/site-origins.ts';
import { checkDataFolder, checkMemory, checkNode, checkTools } from './doctor/machine.ts';

/** What tells a client of the nodes it may ask. */
export interface ClientsDeps {
  readonly config: Config;
  readonly nodeId: string;
  readonly members: () => ReadonlyMap<string, Known>;
}

/** Where the web app of this cluster may come from, and what answers it. */
export interface Clients {
  readonly handlers: HandlersOf<'listNodes' | 'getMachine'>;
  readonly origins: () => KnownOrigins;
}

/** A person's own machine calls a node there by these. */
const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** Answers who asks where else to go on, and says whose pages may ask. */
export function createClients({ config, nodeId, members }: ClientsDeps): Clients {
  let known: { of: ReadonlyMap<string, Known>; origins: KnownOrigins } | undefined;
  return {
    origins() {
      const now = members();
      if (known?.of !== now) known = { of: now, origins: originsOf(now.values(), config) };
      return known.origins;
    },
    handlers: {
      async listNodes() {
        const serving = [...members().values()].filter(({ kind }) => kind === 'node');
        const items = serving
          .sort((a, b) => Number(b.id === nodeId) - Number(a.id === nodeId))
          .map(({ id, name, addresses }) => ({ id, name, addresses: [...addresses.api] }));
        return { body: { items } };
      },
      async getMachine() {
        const [folder, tools] = await Promise.all([checkDataFolder(config), checkTools(config)]);
        const findings = [checkNode(), checkMemory(), ...folder, ...tools];
        const items = findings.map(({ values, ...rest }) => ({
          ...rest,
          values: toValues(values),
        }));
        return { headers: { 'cache-control': 'no-store' }, body: { nodeId, findings: items } };
      },
    },
  };
}

/** By address; who asks, also by host name, as multicast DNS has it, and from the machine itself. */
function originsOf(members: Iterable<Known>, config: Config): KnownOrigins {
  const pages = new Set<string>();
  const nodes = new Set<string>();
  const publicUrl = config['server.public_url'];
  if (publicUrl !== undefined) pages.add(new URL(publicUrl).origin);
  for (const { kind, name, addresses } of members) {
    if (kind !== 'node') continue;
    for (const address of addresses.api) {
      const port = address.slice(address.lastIndexOf(':'));
      addOrigin(nodes, address);
      const names = [name, `${name}.local`, ...loopback].map((host) => `${host}${port}`);
      for (const place of [address, ...names]) addOrigin(pages, place);
    }
  }
  return { pages, nodes };
}

function addOrigin(origins: Set<string>, place: string): void {
  const url = URL.parse(`http://${place}`);
  if (url !== null) origins.add(url.origin);
}

/** The nodes a client knows, the one it asks first. */
export interface Ring {
  /** Origin of the node that is asked. */
  current(): string;
  /** All of them, the current one first. */
  inOrder(): readonly string[];
  /** `origin` gave no answer: unless another was taken already, the next one is. */
  leave(origin: string): void;
  /** What the cluster says of its nodes; the one this page came from is always kept. */
  learn(origins: readonly string[]): void;
}

/** A ring that begins with the node the page came from. `onMove` hears of each change of node. */
export function createRing(home: string, onMove: (origin: string) => void = () => {}): Ring {
  let known: readonly string[] = [home];
  let current = home;
  return {
    current: () => current,
    inOrder() {
      const at = known.indexOf(current);
      return [...known.slice(at), ...known.slice(0, at)];
    },
    leave(origin) {
      if (origin !== current || known.length < 2) return;
      current = known[(known.indexOf(origin) + 1) % known.length] ?? home;
      onMove(current);
    },
    learn(origins) {
      known = [...new Set([home, ...origins])];
      if (!known.includes(current)) current = home;
    },
  };
}

/**
 * The origins a page may ask, out of what the cluster says: a page that came by HTTPS may not ask
 * plain nodes (its proxy finds them for it), and the node it came from has an origin already.
 */
export function usableOrigins(
  nodes: readonly { readonly addresses: readonly string[] }[],
  page: { readonly protocol: string; readonly hostname: string; readonly port: string },
): string[] {
  if (page.protocol !== 'http:') return [];
  const isLocal = /^(localhost|127\.|\[::1\])/.test(page.hostname);
  return nodes
    .filter(({ addresses }) => !addresses.some((address) => isPage(address, page, isLocal)))
    .flatMap(({ addresses }) => addresses.filter(isNameable).slice(0, 2))
    .map((address) => `http://${address}`);
}

/** The policy of the page has no way to name an IPv6 address (CSP Level 3, host-source). */
const isNameable = (address: string): boolean => !address.startsWith('[');

/** By name or from the machine itself the page's own node has another address than it says. */
function isPage(
  address: string,
  page: { readonly hostname: string; readonly port: string },
  isLocal: boolean,
): boolean {
  const at = address.lastIndexOf(':');
  const port = address.slice(at + 1);
  const isHere = isLocal && /^(localhost|127\.|\[::1\])/.test(address);
  return port === (page.port || '80') && (isHere || address.slice(0, at) === page.hostname);
}

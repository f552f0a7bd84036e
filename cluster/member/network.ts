import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createGossip,
  createHints,
  gossipIdOf,
  type Gossip,
  type GossipMember,
  type Hints,
} from '../gossip/index.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { AddressBook } from '../raft/transport/types.ts';
import {
  createRpcClient,
  createRpcServer,
  type Call,
  type HandedOn,
  type Join,
  type RpcClient,
  type RpcServer,
  type TlsMaterial,
} from '../rpc/index.ts';
import type { ClusterState } from '../state/state.ts';
import { readTrust } from '../trust/folder.ts';
import type { HostPort } from '../gossip/addresses.ts';
import { readGossipFile } from './credentials.ts';
import { readPeers, savePeers, type KnownPeer } from './peers-file.ts';

export interface NetworkDeps {
  readonly dataDir: string;
  readonly self: {
    readonly nodeId: string;
    readonly clusterId: string;
    readonly bootEpoch: number;
    readonly session: string;
  };
  readonly listens: { readonly rpc: HostPort; readonly gossip: HostPort };
  readonly state: ClusterState;
  readonly calls: Readonly<Record<string, Call>>;
  readonly join: Join;
  readonly onHandedOn: (req: IncomingMessage, res: ServerResponse, handed: HandedOn) => void;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly randomId: () => string;
}

/** This node's doors to the others, and what it knows of where they are. */
export interface Network {
  readonly client: RpcClient;
  /** Its name among those who gossip. */
  readonly gossipId: string;
  /** Undefined until gossip has proven itself; hints are lost until then, and that is all. */
  hints(): Hints | undefined;
  gossip(): Gossip | undefined;
  /** The others, as the state has them, or as they were when this node was last part of it. */
  peers(): readonly KnownPeer[];
  book(): AddressBook;
  /** Called when the book is another. */
  onBook(listener: (book: AddressBook) => void): void;
  /** Called for what others say became stale; it may be wrong, late, or come twice. */
  onHint(listener: (index: number, tags: readonly string[]) => void): void;
  /** Reads this node's certificates again. */
  reloadTls(): Promise<void>;
  close(): Promise<void>;
}

const presenceMaxAgeMs = 15_000;

/** Opens the listeners; needs the trust files of a member. Rejects when a port is taken. */
export async function openNetwork(deps: NetworkDeps): Promise<Network> {
  const { dataDir, self, log } = deps;
  let tls = await readTls(dataDir);
  const secrets = await readGossipFile(dataDir);
  const gossipId = await gossipIdOf(secrets.identity);
  const roster = createRoster(deps, await readPeers(dataDir));
  const client = createRpcClient({
    tls: () => tls,
    clusterId: self.clusterId,
    candidates: (id) => roster.peers().find((peer) => peer.id === id)?.addresses.rpc ?? [],
    randomId: deps.randomId,
  });
  const server: RpcServer = await createRpcServer({
    tls: () => tls,
    listen: deps.listens.rpc,
    clusterId: self.clusterId,
    isMember: (id) => roster.isMember(id),
    calls: deps.calls,
    join: deps.join,
    onHandedOn: deps.onHandedOn,
    ...{ log, now: deps.now },
  });
  const gossiping = startGossip(deps, secrets, () => roster.gossips());
  roster.onChange(() => gossiping.gossip()?.refresh());
  return {
    client,
    gossipId,
    hints: () => gossiping.hints(),
    gossip: () => gossiping.gossip(),
    peers: () => roster.peers(),
    book: () => roster.book(),
    onHint: (listener) => gossiping.onHint(listener),
    onBook: (listener) => roster.onChange(() => listener(roster.book())),
    async reloadTls() {
      tls = await readTls(dataDir);
      server.reloadTls();
      client.reloadTls();
    },
    async close() {
      roster.close();
      client.close();
      await Promise.all([server.close(), gossiping.close()]);
    },
  };
}

async function readTls(dataDir: string): Promise<TlsMaterial> {
  const { authorities: ca, certificate: cert, key } = await readTrust(dataDir);
  if (ca === undefined || cert === undefined || key === undefined) {
    throw new Error(`${dataDir} has no certificate of a cluster`);
  }
  return { ca, cert, key };
}

/** Who is a member and where, kept in a file for the next start. */
function createRoster(
  { dataDir, self, state, log }: NetworkDeps,
  remembered: readonly KnownPeer[],
) {
  const listeners = new Set<() => void>();
  let members = state.view().members;
  const peers = (): readonly KnownPeer[] => {
    const all = members.size > 0 ? [...members.values()] : remembered;
    return all.filter(({ id }) => id !== self.nodeId);
  };
  const stop = state.onChange((view) => {
    if (view.members === members) return;
    members = view.members;
    for (const listener of listeners) listener();
    savePeers(dataDir, members.values()).catch((error: unknown) =>
      log.warn('where the members are could not be kept', { error: String(error) }),
    );
  });
  return {
    peers,
    // Until it knows the state, it lets in whoever has the cluster's certificate.
    isMember: (id: string) => (members.size > 0 ? members.has(id) : !state.view().retired.has(id)),
    book: () => Object.fromEntries(peers().map(({ id, addresses }) => [id, addresses.raft])),
    gossips: (): GossipMember[] =>
      peers().flatMap(({ id, gossipId, addresses }) =>
        gossipId === undefined ? [] : [{ id, gossipId, addresses: addresses.gossip }],
      ),
    onChange: (listener: () => void) => void listeners.add(listener),
    close: stop,
  };
}

interface Secrets {
  readonly key: Uint8Array;
  readonly identity: Uint8Array;
}

/** Gossip in the background: a start that takes long, or fails, costs nothing but speed. */
function startGossip(
  { self, listens, log, now, elapsed, random }: NetworkDeps,
  { key, identity }: Secrets,
  members: () => readonly GossipMember[],
) {
  let gossip: Gossip | undefined;
  let hints: Hints | undefined;
  let isClosed = false;
  const listeners = new Set<(index: number, tags: readonly string[]) => void>();
  const opening = createGossip({
    ...{ key, identity, listen: listens.gossip, members, self: self.nodeId },
    ...{ log, now: elapsed, random },
  }).then(
    (opened) => {
      if (isClosed) return opened.close();
      gossip = opened;
      hints = createHints({ gossip: opened, self, maxAgeMs: presenceMaxAgeMs, now });
      hints.onInvalidation(({ index, tags }) => listeners.forEach((each) => each(index, tags)));
      opened.refresh();
      return undefined;
    },
    (error: unknown) => log.warn('gossip does not start; hints are off', { error: String(error) }),
  );
  return {
    gossip: () => gossip,
    hints: () => hints,
    onHint: (listener: (index: number, tags: readonly string[]) => void) =>
      void listeners.add(listener),
    async close() {
      isClosed = true;
      await opening;
      hints?.close();
      await gossip?.close();
    },
  };
}

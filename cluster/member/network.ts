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
import type { HostPort } from '../addresses.ts';
import { readGossipFile } from './credentials.ts';
import { readPeers, savePeers, type KnownPeer } from './peers-file.ts';
import { createWhereabouts, type Sighting } from './whereabouts.ts';

export interface NetworkDeps {
  readonly dataDir: string;
  readonly self: {
    readonly nodeId: string;
    readonly clusterId: string;
    readonly bootEpoch: number;
    readonly session: string;
  };
  /** Without a place for gossip there is none: for who keeps nothing that could become stale. */
  readonly listens: { readonly rpc: HostPort; readonly gossip?: HostPort | undefined };
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
  /** Its name among those who gossip; undefined: it does not. */
  readonly gossipId: string | undefined;
  /** Undefined until gossip has proven itself; hints are lost until then, and that is all. */
  hints(): Hints | undefined;
  gossip(): Gossip | undefined;
  /** The others, as the state has them, or as they were when this node was last part of it. */
  peers(): readonly KnownPeer[];
  /** A member was seen somewhere, by whatever way that was heard. */
  note(sighting: Sighting): void;
  /** What was heard of where the others are, and is not in the log. */
  sightings(): readonly Sighting[];
  /** RPC addresses at which some member may be, whichever it is: tried for each that is lost. */
  hint(addresses: readonly string[]): void;
  book(): AddressBook;
  /** Called when the book is another. */
  onBook(listener: (book: AddressBook) => void): void;
  /** Called for what others say became stale; it may be wrong, late, or come twice. */
  onHint(listener: (index: number, tags: readonly string[]) => void): void;
  /** Reads this node's certificates again. */
  reloadTls(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the listeners; needs the trust files of a member. Rejects when a port is taken. */
export async function openNetwork(deps: NetworkDeps): Promise<Network> {
  const { dataDir, self, log } = deps;
  let tls = await readTls(dataDir);
  const roster = createRoster(deps, await readPeers(dataDir));
  const client = createRpcClient({
    tls: () => tls,
    clusterId: self.clusterId,
    candidates: (id) => roster.candidates(id),
    randomId: deps.randomId,
  });
  const server: RpcServer = await createRpcServer({
    tls: () => tls,
    listen: deps.listens.rpc,
    clusterId: self.clusterId,
    isMember: (id) => roster.isMember(id),
    isRemoved: (id) => roster.isRemoved(id),
    calls: deps.calls,
    join: deps.join,
    onHandedOn: deps.onHandedOn,
    ...{ log, now: deps.now },
  });
  const { gossipId, ...gossiping } = await openGossip(deps, () => roster.gossips());
  roster.onChange(() => gossiping.gossip()?.refresh());
  return {
    client,
    gossipId,
    hints: () => gossiping.hints(),
    gossip: () => gossiping.gossip(),
    peers: () => roster.peers(),
    note: (sighting) => roster.note(sighting),
    sightings: roster.sightings,
    hint: roster.hint,
    book: () => roster.book(),
    onHint: (listener) => gossiping.onHint(listener),
    onBook: (listener) => roster.onChange(() => listener(roster.book())),
    async reloadTls() {
      tls = await readTls(dataDir);
      server.reloadTls();
      client.reloadTls();
    },
    async close() {
      client.close();
      await Promise.all([server.close(), gossiping.close()]);
      await roster.close();
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
  const whereabouts = createWhereabouts();
  let hints: readonly string[] = [];
  let members = state.view().members;
  const known = (): readonly KnownPeer[] =>
    members.size > 0 ? [...members.values()] : together(remembered, whereabouts.all());
  const peers = (): readonly KnownPeer[] =>
    known()
      .filter(({ id }) => id !== self.nodeId)
      .map((peer) => whereabouts.locate(peer));
  let kept = Promise.resolve();
  const changed = () => {
    for (const listener of listeners) listener();
    // One after the other: each replaces the file whole.
    kept = kept
      .then(() => savePeers(dataDir, peers()))
      .catch((error: unknown) =>
        log.warn('where the members are could not be kept', { error: String(error) }),
      );
  };
  const stop = state.onChange((view) => {
    if (view.members === members) return;
    for (const [id, member] of view.members) {
      if (members.get(id) !== member) whereabouts.settle(member);
    }
    members = view.members;
    changed();
  });
  return {
    peers,
    sightings: whereabouts.all,
    note(sighting: Sighting) {
      if (sighting.id === self.nodeId || state.view().retired.has(sighting.id)) return;
      if (whereabouts.note(sighting)) changed();
    },
    hint: (addresses: readonly string[]) => void (hints = addresses),
    candidates(id: string): readonly string[] {
      const at = peers().find((peer) => peer.id === id)?.addresses.rpc;
      return at === undefined ? [] : [...at, ...hints];
    },
    // Until it knows the state, it lets in whoever has the cluster's certificate.
    isMember: (id: string) => (members.size > 0 ? members.has(id) : !state.view().retired.has(id)),
    isRemoved: (id: string) => state.view().retired.has(id),
    book: () => Object.fromEntries(peers().map(({ id, addresses }) => [id, addresses.raft])),
    gossips: (): GossipMember[] =>
      peers().flatMap(({ id, gossipId, addresses }) =>
        gossipId === undefined ? [] : [{ id, gossipId, addresses: addresses.gossip }],
      ),
    onChange: (listener: () => void) => void listeners.add(listener),
    /** Resolves once what was heard last is kept: the folder is another's from then on. */
    close() {
      stop();
      return kept;
    },
  };
}

/** Those that a file names and those that were heard of: either may know of one more. */
function together(
  remembered: readonly KnownPeer[],
  heard: readonly KnownPeer[],
): readonly KnownPeer[] {
  const others = heard.filter(({ id }) => !remembered.some((peer) => peer.id === id));
  return [...remembered, ...others];
}

/** Gossip, for who takes part in it. */
async function openGossip(deps: NetworkDeps, members: () => readonly GossipMember[]) {
  const { gossip: listen } = deps.listens;
  if (!listen) return { ...noGossip, gossipId: undefined };
  const secrets = await readGossipFile(deps.dataDir);
  const gossipId = await gossipIdOf(secrets.identity);
  return { ...startGossip(deps, { ...secrets, listen }, members), gossipId };
}

const noGossip: Gossiping = {
  gossip: () => undefined,
  hints: () => undefined,
  onHint: () => undefined,
  close: () => Promise.resolve(),
};

interface Gossiping {
  gossip(): Gossip | undefined;
  hints(): Hints | undefined;
  onHint(listener: (index: number, tags: readonly string[]) => void): void;
  close(): Promise<void>;
}

interface Secrets {
  readonly key: Uint8Array;
  readonly identity: Uint8Array;
  readonly listen: HostPort;
}

/** Gossip in the background: a start that takes long, or fails, costs nothing but speed. */
function startGossip(
  { self, log, elapsed, random }: NetworkDeps,
  { key, identity, listen }: Secrets,
  members: () => readonly GossipMember[],
): Gossiping {
  let gossip: Gossip | undefined;
  let hints: Hints | undefined;
  let isClosed = false;
  const listeners = new Set<(index: number, tags: readonly string[]) => void>();
  const opening = createGossip({
    ...{ key, identity, listen, members, self: self.nodeId },
    ...{ log, now: elapsed, random },
  }).then(
    (opened) => {
      if (isClosed) return opened.close();
      gossip = opened;
      hints = createHints({ gossip: opened });
      hints.onInvalidation(({ index, tags }) => listeners.forEach((each) => each(index, tags)));
      opened.refresh();
      return undefined;
    },
    (error: unknown) => log.warn('gossip does not start; hints are off', { error: String(error) }),
  );
  return {
    gossip: () => gossip,
    hints: () => hints,
    onHint: (listener) => void listeners.add(listener),
    async close() {
      isClosed = true;
      await opening;
      hints?.close();
      await gossip?.close();
    },
  };
}

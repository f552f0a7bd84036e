import type { GossipsubEvents, GossipsubOpts } from '@chainsafe/libp2p-gossipsub';
import type { Connection, Libp2p, Message, PubSub } from '@libp2p/interface';
import type { Identify } from '@libp2p/identify';
import { toMultiaddr } from './addresses.ts';
import { networkKeyFile, readIdentity } from './identity.ts';
import { MAX_FRAME_BYTES, MAX_MEMBERS } from './limits.ts';
import type { Incoming, Network, NetworkOptions } from './network.ts';
import { telling } from './turned-away.ts';

type Node = Libp2p<{ pubsub: PubSub<GossipsubEvents>; identify: Identify }>;
type Library = Awaited<ReturnType<typeof load>>;

/** Two connections made within this time are two nodes that dialled each other at once. */
const TOGETHER_MS = 2_000;
const SEEN_MS = 30_000;
const MAX_LINKS_PER_PEER = 2;
/** A stranger may hold a socket for so long before it has proven who it is. */
const HANDSHAKE_MS = 3_000;

/**
 * Opens a libp2p node: TCP, a private network, noise, yamux, and gossipsub with signed messages. It
 * listens on what it is given and nothing else: no relay, no discovery, no hole punching.
 */
export async function openLibp2p(options: NetworkOptions): Promise<Network> {
  const library = await load();
  const node = await create(library, options);
  const { pubsub } = node.services;
  const isGood = library.TopicValidatorResult;
  for (const topic of options.topics) {
    pubsub.topicValidators.set(topic, (carrier, message) => {
      const incoming = read(message, carrier.toString());
      return incoming && options.judge(incoming) ? isGood.Accept : isGood.Ignore;
    });
  }
  pubsub.addEventListener('gossipsub:message', ({ detail }) => {
    const incoming = read(detail.msg, detail.propagationSource.toString());
    if (incoming) options.onMessage(incoming);
  });
  watch(node, options);
  try {
    await node.start();
    for (const topic of options.topics) pubsub.subscribe(topic);
    return facade(node, library, options);
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/** Here, and not at the top: a node alone never pays for it (about 0.3 s and 50 MB). */
async function load() {
  const [libp2p, gossipsub, tcp, noise, yamux, pnet, identify, multiaddr, face] = await Promise.all(
    [
      import('libp2p'),
      import('@chainsafe/libp2p-gossipsub'),
      import('@libp2p/tcp'),
      import('@chainsafe/libp2p-noise'),
      import('@chainsafe/libp2p-yamux'),
      import('@libp2p/pnet'),
      import('@libp2p/identify'),
      import('@multiformats/multiaddr'),
      import('@libp2p/interface'),
    ],
  );
  return {
    ...libp2p,
    ...gossipsub,
    ...tcp,
    ...noise,
    ...yamux,
    ...pnet,
    ...identify,
    ...multiaddr,
    TopicValidatorResult: face.TopicValidatorResult,
  };
}

async function create(library: Library, options: NetworkOptions): Promise<Node> {
  const { key, identity, listen, mayConnect, onTurnedAway } = options;
  const isDenied = (peer: { toString(): string }) => !mayConnect(peer.toString());
  const node: Node = await library.createLibp2p({
    start: false,
    privateKey: await readIdentity(identity),
    addresses: { listen: listen ? [toMultiaddr(listen)] : [] },
    transports: [telling(library.tcp({ maxConnections: 2 * MAX_MEMBERS }), onTurnedAway)],
    connectionProtector: library.preSharedKey({ psk: networkKeyFile(key) }),
    connectionEncrypters: [library.noise()],
    streamMuxers: [library.yamux({ maxInboundStreams: 32, maxOutboundStreams: 32 })],
    connectionGater: {
      denyDialPeer: isDenied,
      denyInboundEncryptedConnection: (peer) =>
        isDenied(peer) || linksOf(node, peer.toString()).length >= MAX_LINKS_PER_PEER,
      denyOutboundEncryptedConnection: isDenied,
      // Where a member may be reached is for the member list to say, not for the member.
      filterMultiaddrForPeer: () => false,
    },
    connectionManager: {
      maxConnections: 2 * MAX_MEMBERS,
      maxParallelDials: 8,
      inboundUpgradeTimeout: HANDSHAKE_MS,
      // One host cannot hold all places of those that have not said who they are.
      maxIncomingPendingConnections: 64,
      inboundConnectionThreshold: 15,
      reconnectRetries: 0,
      addressSorter: () => 0,
    },
    services: {
      identify: library.identify({ agentVersion: 'revenge', maxObservedAddresses: 1 }),
      pubsub: library.gossipsub(pubsubOptions(options.topics)),
    },
  });
  return node;
}

function pubsubOptions(topics: readonly string[]): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: 'StrictSign',
    emitSelf: false,
    // A few nodes that all know each other: to everybody, at once, in one step.
    floodPublish: true,
    fallbackToFloodsub: false,
    allowPublishToZeroTopicPeers: true,
    allowedTopics: [...topics],
    // A hint that was missed is not asked for again.
    gossipFactor: 0,
    Dlazy: 0,
    idontwantMinDataSize: MAX_FRAME_BYTES,
    mcacheLength: 1,
    mcacheGossip: 1,
    // Known for so long, a message that comes again on another way is dropped before its signature
    // is looked at. Once forgotten it may be said again: it is only a hint.
    seenTTL: SEEN_MS,
    fastMsgIdFn: ({ from, seqno }) => `${latin1(from)}${latin1(seqno)}`,
    doPX: false,
    // What was read is handled before more is read: a flood fills the sender's memory, not ours.
    awaitRpcHandler: true,
    awaitRpcMessageHandler: true,
    maxInboundDataLength: MAX_FRAME_BYTES,
    maxOutboundBufferSize: 16 * MAX_FRAME_BYTES,
    decodeRpcLimits: {
      maxSubscriptions: 8,
      maxMessages: 64,
      maxIhaveMessageIDs: 0,
      maxIwantMessageIDs: 0,
      maxIdontwantMessageIDs: 64,
      maxControlMessages: 16,
      maxPeerInfos: 0,
    },
    // Members are few, often behind one address, and measured by limits of our own.
    scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
  };
}

const latin1 = (bytes: Uint8Array | undefined): string =>
  Buffer.from(bytes ?? []).toString('latin1');

function read(message: Message, carrier: string): Incoming | undefined {
  if (message.type !== 'signed') return undefined;
  const { topic, data: bytes, from } = message;
  return { topic, bytes, author: from.toString(), carrier };
}

/**
 * gossipsub keeps one stream per peer, on one connection, and does not notice when that one ends
 * and another stays. So two connections may live together only if they were born together, and die
 * together; whoever dials will dial anew.
 */
function watch(node: Node, { mayConnect, onOpen, onClose }: NetworkOptions): void {
  node.addEventListener('connection:open', ({ detail: opened }) => {
    const id = opened.remotePeer.toString();
    const isOld = ({ timeline }: Connection) => opened.timeline.open - timeline.open > TOGETHER_MS;
    // It may have been struck off the list while it shook hands.
    if (!mayConnect(id) || linksOf(node, id).some(isOld)) cut(node, id);
  });
  node.addEventListener('connection:close', ({ detail }) => {
    cut(node, detail.remotePeer.toString());
  });
  node.addEventListener('peer:connect', ({ detail }) => onOpen(detail.toString()));
  node.addEventListener('peer:disconnect', ({ detail }) => onClose(detail.toString()));
}

const linksOf = (node: Node, id: string): Connection[] =>
  node
    .getConnections()
    .filter(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === id);

function cut(node: Node, id: string): void {
  for (const connection of linksOf(node, id)) connection.abort(new Error('cut off'));
}

function facade(node: Node, library: Library, { topics }: NetworkOptions): Network {
  const { pubsub } = node.services;
  return {
    id: node.peerId.toString(),
    port: node.getMultiaddrs()[0]?.nodeAddress().port,
    publish: async (topic, bytes) => (await pubsub.publish(topic, bytes)).recipients.length,
    async dial(id, address, signal) {
      // Forced: the library may still list a connection that has ended, and would return that.
      await node.dial(library.multiaddr(`${toMultiaddr(address)}/p2p/${id}`), {
        signal,
        force: true,
      });
    },
    cut: (id) => cut(node, id),
    leave: (topic) => pubsub.unsubscribe(topic),
    links() {
      const heard = new Set(topics.flatMap((topic) => pubsub.getSubscribers(topic).map(String)));
      const ages = new Map<string, number>();
      for (const { remotePeer, status, timeline } of node.getConnections()) {
        const id = remotePeer.toString();
        if (status !== 'open') continue;
        ages.set(id, Math.max(ages.get(id) ?? 0, Date.now() - timeline.open));
      }
      return [...ages].map(([id, ageMs]) => ({ id, ageMs, isHeard: heard.has(id) }));
    },
    async close() {
      for (const connection of node.getConnections()) connection.abort(new Error('closing'));
      await node.stop();
    },
  };
}

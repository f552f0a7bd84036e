import { isIP } from 'node:net';
import { formatHostPort } from '../addresses.ts';
import { quieten, type QuietLog } from '#storage/quiet.ts';
import { createDialer, type Dialer } from './dialer.ts';
import { createGate, type Gate } from './gate.ts';
import { gossipIdOf, NETWORK_KEY_BYTES } from './identity.ts';
import { openLibp2p } from './libp2p.ts';
import type { Incoming, Network, OpenNetwork } from './network.ts';
import { createProof, PROOF_TOPIC, type Proof } from './proof.ts';
import { createSender, type Sender } from './sender.ts';
import type { Gossip, GossipOptions, GossipStats, Listener, Topic } from './types.ts';

const TOPICS: readonly Topic[] = ['invalidate'];
/** How often connections are looked after. */
const MEND_MS = 1_000;
/** A connection on which nothing was heard for so long is ended, and made anew. */
const MUTE_MS = 10_000;
const LOG_EVERY_MS = 60_000;
/** A tenth of a second is usual; a machine that is just starting may be very busy. */
const PROOF_MS = 15_000;

/** What may be another, for tests. */
export interface GossipParts {
  readonly open?: OpenNetwork;
  /** Messages must have passed both ways after so long. */
  readonly proofMs?: number;
}

interface State extends GossipOptions {
  readonly gossipId: string;
  readonly listeners: Record<Topic, Set<Listener>>;
  readonly gate: Gate;
  readonly dialer: Dialer;
  readonly sender: Sender;
  readonly proof: Proof;
  /** For what others can cause. */
  readonly noise: QuietLog;
  /** Undefined before it is open, and when it is unusable. */
  network: Network | undefined;
  reason: string | undefined;
  /** Connected peers that were heard since they connected. */
  readonly heard: Set<string>;
  mendTimer: NodeJS.Timeout | undefined;
  received: number;
  listenerErrors: number;
  mended: number;
  failureLoggedAt: number;
}

/**
 * Joins the network of hints: loads libp2p, listens, proves to itself that messages pass, and only
 * then dials the members; it is the caller's until `close`. When that fails for any reason, the log
 * and `stats()` say so, and everything else goes on: no hint is ever needed.
 *
 * @throws TypeError for a key, identity or address that can never work.
 */
export async function createGossip(
  options: GossipOptions,
  { open = openLibp2p, proofMs = PROOF_MS }: GossipParts = {},
): Promise<Gossip> {
  const { key, listen } = options;
  if (key.length !== NETWORK_KEY_BYTES) {
    throw new TypeError(`the gossip key has ${key.length} bytes, not ${NETWORK_KEY_BYTES}`);
  }
  if (isIP(listen.host) === 0) throw new TypeError(`'${listen.host}' is no IP address`);
  const gossipId = await gossipIdOf(options.identity);
  const proof = createProof({ open, key, host: listen.host, timeoutMs: proofMs });
  const s = createState(options, gossipId, proof);
  try {
    await start(s, open);
  } catch (error) {
    await giveUp(s, error);
  }
  return facade(s);
}

function createState(options: GossipOptions, gossipId: string, proof: Proof): State {
  const { now, random, log } = options;
  const s: State = {
    ...options,
    gossipId,
    listeners: { invalidate: new Set() },
    gate: createGate({
      self: gossipId,
      now,
      onBar(peer) {
        log.warn('a node floods the gossip network and is shut out for a while', {
          peer: s.gate.nodeOf(peer),
        });
        s.network?.cut(peer);
      },
    }),
    dialer: createDialer({
      self: gossipId,
      now,
      random,
      dial: async (peer, address, signal) => s.network?.dial(peer, address, signal),
      isConnected: (peer) => s.network?.links().some(({ id }) => id === peer) ?? false,
      isBarred: (peer) => s.gate.isBarred(peer),
    }),
    sender: createSender({
      now,
      publish: async (topic, bytes) => (await s.network?.publish(topic, bytes)) ?? 0,
      onFailure: (error) => logFailure(s, 'a hint could not be sent', error),
    }),
    proof,
    noise: quieten(log),
    network: undefined,
    reason: undefined,
    heard: new Set(),
    mendTimer: undefined,
    received: 0,
    listenerErrors: 0,
    mended: 0,
    failureLoggedAt: -Infinity,
  };
  return s;
}

async function start(s: State, open: OpenNetwork): Promise<void> {
  const network = await open({
    key: s.key,
    identity: s.identity,
    listen: s.listen,
    topics: [...TOPICS, PROOF_TOPIC],
    mayConnect: (peer) => s.proof.isProbe(peer) || s.gate.mayConnect(peer),
    onTurnedAway: (remote, reason) =>
      s.noise.info('a gossip connection was turned away', { remote, reason }),
    judge: (message) =>
      message.topic === PROOF_TOPIC ? s.proof.isProbe(message.author) : s.gate.judge(message),
    onMessage: (message) => receive(s, message),
    onOpen(peer) {
      const node = s.gate.nodeOf(peer);
      if (node === undefined) return;
      s.dialer.opened(peer);
      s.log.info('a node was met on the gossip network', { peer: node });
    },
    onClose(peer) {
      s.heard.delete(peer);
      const node = s.gate.nodeOf(peer);
      if (node === undefined || s.network === undefined) return;
      s.dialer.closed(peer);
      s.log.info('a node left the gossip network', { peer: node });
    },
  });
  s.network = network;
  s.gate.admit(s.members());
  await s.proof.run(network);
  network.leave(PROOF_TOPIC);
  s.dialer.want(s.gate.admit(s.members()));
  s.mendTimer = setInterval(() => mend(s, network), MEND_MS);
}

async function giveUp(s: State, error: unknown): Promise<void> {
  s.reason = error instanceof Error ? error.message : String(error);
  s.log.warn('gossip is unusable; hints travel with the log of the cluster only', {
    reason: s.reason,
  });
  await end(s);
}

/** Ends everything that was started; the network's own failure to stop is only logged. */
async function end(s: State): Promise<void> {
  const { network } = s;
  s.network = undefined;
  clearInterval(s.mendTimer);
  s.dialer.close();
  s.sender.close();
  try {
    await network?.close();
  } catch (error) {
    s.log.warn('the gossip network did not close well', { reason: String(error) });
  }
}

function receive(s: State, { topic, author, carrier, bytes }: Incoming): void {
  if (topic === PROOF_TOPIC) return s.proof.heard(author);
  s.heard.add(carrier);
  const node = s.gate.nodeOf(author);
  const listeners = TOPICS.find((each) => each === topic);
  if (node === undefined || listeners === undefined) return;
  s.received += 1;
  for (const listener of s.listeners[listeners]) {
    try {
      listener(bytes, node);
    } catch (error) {
      s.listenerErrors += 1;
      logFailure(s, 'a hint could not be used', error);
    }
  }
}

/** At most one line a minute: what fails here may fail a hundred times a second. */
function logFailure(s: State, message: string, error: unknown): void {
  if (s.now() - s.failureLoggedAt < LOG_EVERY_MS) return;
  s.failureLoggedAt = s.now();
  s.log.warn(message, { reason: error instanceof Error ? error.message : String(error) });
}

/** A connection may stand and carry nothing: a frame too large makes the library deaf to a peer. */
function mend(s: State, network: Network): void {
  for (const { id, ageMs, isHeard } of network.links()) {
    if (isHeard) s.heard.add(id);
    else if (s.heard.has(id) || ageMs >= MUTE_MS) {
      s.mended += 1;
      network.cut(id);
    }
  }
  s.dialer.check();
}

function refresh(s: State): void {
  const { network } = s;
  if (network === undefined) return;
  s.dialer.want(s.gate.admit(s.members()));
  for (const { id } of network.links()) if (!s.gate.isMember(id)) network.cut(id);
}

function facade(s: State): Gossip {
  let unusable = 0;
  const peers = (): string[] =>
    (s.network?.links() ?? []).flatMap(({ id, isHeard }) => {
      const node = s.gate.nodeOf(id);
      return isHeard && node !== undefined ? [node] : [];
    });
  const port = s.network?.port;
  return {
    gossipId: s.gossipId,
    address: port === undefined ? undefined : formatHostPort({ host: s.listen.host, port }),
    publish(topic, bytes) {
      if (s.network === undefined) unusable += 1;
      else s.sender.send(topic, bytes);
    },
    subscribe(topic, listener) {
      // A wrapper, so that one function may listen twice and each end is its own.
      const mine: Listener = (bytes, from) => listener(bytes, from);
      s.listeners[topic].add(mine);
      return () => void s.listeners[topic].delete(mine);
    },
    peers,
    refresh: () => refresh(s),
    stats: () => statsOf(s, { unusable, peers: peers().length }),
    close: () => end(s),
  };
}

function statsOf(s: State, { unusable, peers }: { unusable: number; peers: number }): GossipStats {
  const { queued, sent, unsent } = s.sender.stats();
  return {
    ...s.gate.stats(),
    ...s.dialer.stats(),
    isUsable: s.network !== undefined,
    reason: s.reason,
    peers,
    queued,
    sent,
    unsent: { unusable, ...unsent },
    received: s.received,
    listenerErrors: s.listenerErrors,
    mended: s.mended,
  };
}

import { createRaft } from '#cluster/raft/core/raft.ts';
import type {
  Boot,
  Effects,
  Entry,
  FailureReason,
  HardState,
  Input,
  Raft,
  RaftOptions,
  Request,
  Response,
  Save,
  Server,
  SnapshotMeta,
} from '#cluster/raft/core/types.ts';

/**
 * A cluster for stories: real cores, a clock moved by hand, a disk that syncs when told (or at
 * once), and a network whose messages lie open on the table until they are delivered or lost.
 */
export interface Disk {
  hardState: HardState;
  snapshot: SnapshotMeta | undefined;
  entries: Entry[];
}

export interface Letter {
  readonly from: string;
  readonly to: string;
  readonly request: Request;
  /** Set once the receiver has answered: then it is on its way back. */
  response?: Response;
}

export interface TestNode {
  readonly id: string;
  readonly options: RaftOptions;
  raft: Raft;
  disk: Disk;
  readonly unsaved: Save[];
  isSlow: boolean;
  isDown: boolean;
  readonly applied: Entry[];
}

export type Listener = (node: TestNode, effects: Effects) => void;

export interface Cluster {
  readonly nodes: Map<string, TestNode>;
  readonly letters: Letter[];
  readonly cuts: Set<string>;
  now: number;
  listener: Listener | undefined;
  tokens: Map<string, Letter>;
  nextToken: number;
}

export const testOptions = {
  heartbeatTimeoutMs: 1000,
  electionTimeoutMs: 1000,
  leaderLeaseTimeoutMs: 500,
  maxAppendEntries: 64,
  maxAppendBytes: 262144,
  maxInflight: 2,
  maxUncommittedBytes: 1048576,
  trailingEntries: 0,
  trailingBytes: 1048576,
  maxClockDrift: 0.1,
};

export const addressOf = (id: string): string => `${id}:7001`;

export function serversOf(voters: readonly string[], nonvoters: readonly string[] = []): Server[] {
  const server = (suffrage: Server['suffrage']) => (id: string) => ({
    id,
    address: addressOf(id),
    suffrage,
  });
  return [...voters.map(server('voter')), ...nonvoters.map(server('nonvoter'))];
}

/** hashicorp's bootstrap: term 1, and entry 1 is the configuration. */
export function bootstrapped(servers: readonly Server[]): Boot {
  const entry: Entry = {
    index: 1,
    term: 1,
    type: 'configuration',
    data: new Uint8Array(0),
    configuration: { servers },
  };
  return {
    hardState: { term: 1, vote: undefined },
    snapshot: undefined,
    entries: servers.length > 0 ? [entry] : [],
  };
}

export function createCluster(): Cluster {
  return {
    nodes: new Map(),
    letters: [],
    cuts: new Set(),
    now: 0,
    listener: undefined,
    tokens: new Map(),
    nextToken: 1,
  };
}

export function addNode(
  cluster: Cluster,
  id: string,
  { boot, options = {} }: { boot: Boot; options?: Partial<RaftOptions> },
): TestNode {
  const seed = [...id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7);
  const all: RaftOptions = { id, address: addressOf(id), seed, ...testOptions, ...options };
  const node: TestNode = {
    id,
    options: all,
    raft: createRaft(all, boot, cluster.now),
    disk: { hardState: boot.hardState, snapshot: boot.snapshot, entries: [...boot.entries] },
    unsaved: [],
    isSlow: false,
    isDown: false,
    applied: [],
  };
  cluster.nodes.set(id, node);
  return node;
}

/** The usual beginning of a test: voters that know each other. */
export function clusterOf(voters: readonly string[], options: Partial<RaftOptions> = {}): Cluster {
  const cluster = createCluster();
  for (const id of voters) addNode(cluster, id, { boot: bootstrapped(serversOf(voters)), options });
  return cluster;
}

export function nodeOf(cluster: Cluster, id: string): TestNode {
  const node = cluster.nodes.get(id);
  if (!node) throw new Error(`there is no ${id}`);
  return node;
}

export function step(cluster: Cluster, id: string, input: Input): Effects {
  const node = nodeOf(cluster, id);
  const effects = node.raft.step(input, cluster.now);
  cluster.listener?.(node, effects);
  if (effects.save) node.unsaved.push(effects.save);
  for (const { to, request } of effects.send) cluster.letters.push({ from: id, to, request });
  for (const { token, response } of effects.replies) {
    const letter = cluster.tokens.get(`${id}/${token}`);
    if (letter) cluster.letters.push({ ...letter, response });
  }
  if (effects.restore) node.applied.length = 0;
  node.applied.push(...effects.apply);
  if (effects.receive) {
    step(cluster, id, { type: 'snapshotReceived', token: effects.receive.token });
  }
  if (!node.isSlow && node.unsaved.length > 0) sync(cluster, id);
  return effects;
}

/** All that waits for this disk is written, in order, and confirmed together. */
export function sync(cluster: Cluster, id: string): void {
  const node = nodeOf(cluster, id);
  const last = node.unsaved[node.unsaved.length - 1];
  for (const save of node.unsaved) writeTo(node.disk, save);
  node.unsaved.length = 0;
  if (last) step(cluster, id, { type: 'saved', save: last.number });
}

/** Only the oldest save is written. */
export function syncFirst(cluster: Cluster, id: string): void {
  const node = nodeOf(cluster, id);
  const [first] = node.unsaved.splice(0, 1);
  if (!first) return;
  writeTo(node.disk, first);
  step(cluster, id, { type: 'saved', save: first.number });
}

function writeTo(disk: Disk, save: Save): void {
  if (save.hardState) disk.hardState = save.hardState;
  const { snapshot, truncateFrom, compactTo } = save;
  if (snapshot) {
    const joins = disk.entries.find((entry) => entry.index === snapshot.index);
    const keeps = joins?.term === snapshot.term;
    disk.entries = keeps ? disk.entries.filter((entry) => entry.index > snapshot.index) : [];
    disk.snapshot = snapshot;
  }
  if (truncateFrom !== undefined) {
    disk.entries = disk.entries.filter((entry) => entry.index < truncateFrom);
  }
  disk.entries.push(...save.entries);
  if (compactTo !== undefined) {
    disk.entries = disk.entries.filter((entry) => entry.index > compactTo);
  }
}

/** The power fails: what was not synced is gone. */
export function crash(cluster: Cluster, id: string): void {
  const node = nodeOf(cluster, id);
  node.isDown = true;
  node.unsaved.length = 0;
  for (const [key] of cluster.tokens) if (key.startsWith(`${id}/`)) cluster.tokens.delete(key);
  for (let at = cluster.letters.length - 1; at >= 0; at -= 1) {
    const letter = cluster.letters[at];
    if (letter?.from === id) {
      cluster.letters.splice(at, 1);
    }
  }
}

export function restart(cluster: Cluster, id: string): void {
  const node = nodeOf(cluster, id);
  const { disk } = node;
  node.isDown = false;
  node.applied.length = 0;
  node.raft = createRaft(
    { ...node.options, seed: node.options.seed + cluster.now },
    { ...disk, entries: [...disk.entries] },
    cluster.now,
  );
}

/** The node's own snapshot of what it has applied. */
export function takeSnapshot(cluster: Cluster, id: string): void {
  const node = nodeOf(cluster, id);
  const { commit, configuration, configurationIndex } = node.raft.status(cluster.now);
  const term = node.raft.entries(commit, commit)[0]?.term ?? node.disk.snapshot?.term ?? 0;
  const snapshot = { index: commit, term, configuration, configurationIndex };
  node.disk.snapshot = snapshot;
  step(cluster, id, { type: 'snapshotTaken', snapshot });
}

export function isCut(cluster: Cluster, letter: Letter): boolean {
  const { from, to } = letter;
  return (
    cluster.cuts.has(`${from}>${to}`) ||
    (letter.response !== undefined && cluster.cuts.has(`${to}>${from}`)) ||
    cluster.nodes.get(to)?.isDown !== false
  );
}

/** Takes one letter from the table to where it goes. */
export function deliver(cluster: Cluster, letter: Letter): void {
  const at = cluster.letters.indexOf(letter);
  if (at >= 0) cluster.letters.splice(at, 1);
  const { from, to, request, response } = letter;
  if (cluster.nodes.get(from)?.isDown !== false) return;
  if (isCut(cluster, letter)) {
    lose(cluster, letter, 'unreachable');
  } else if (response) {
    step(cluster, from, { type: 'answer', from: to, request, response });
  } else {
    const token = cluster.nextToken;
    cluster.nextToken += 1;
    cluster.tokens.set(`${to}/${token}`, letter);
    step(cluster, to, { type: 'request', token, request });
  }
}

export function lose(cluster: Cluster, letter: Letter, reason: FailureReason): void {
  const at = cluster.letters.indexOf(letter);
  if (at >= 0) cluster.letters.splice(at, 1);
  step(cluster, letter.from, { type: 'failed', to: letter.to, request: letter.request, reason });
}

/** Delivers until nothing is left on the table that `wants` takes. */
export function settle(cluster: Cluster, wants: (letter: Letter) => boolean = () => true): void {
  for (let count = 0; count < 10_000; count += 1) {
    const letter = cluster.letters.find(wants);
    if (!letter) return;
    deliver(cluster, letter);
  }
  throw new Error('the network never comes to rest');
}

/** Lets time pass, each node ticking when it asked for it and letters arriving at once. */
export function pass(cluster: Cluster, ms: number, { isQuiet = false } = {}): void {
  const end = cluster.now + ms;
  for (let count = 0; count < 100_000; count += 1) {
    const due = nextDue(cluster);
    if (!due || due.at > end) break;
    cluster.now = Math.max(cluster.now, due.at);
    step(cluster, due.node.id, { type: 'tick' });
    if (!isQuiet) settle(cluster);
  }
  cluster.now = end;
}

function nextDue(cluster: Cluster): { node: TestNode; at: number } | undefined {
  let due: { node: TestNode; at: number } | undefined;
  for (const node of cluster.nodes.values()) {
    if (node.isDown) continue;
    const at = node.raft.deadline();
    if (!due || at < due.at) due = { node, at };
  }
  return due;
}

/** This node's wait for a leader is over, whatever the clock says for the others. */
export function timeOut(cluster: Cluster, id: string): void {
  cluster.now = Math.max(cluster.now, Math.ceil(nodeOf(cluster, id).raft.deadline()));
  step(cluster, id, { type: 'tick' });
}

export function elect(cluster: Cluster, id: string): void {
  timeOut(cluster, id);
  settle(cluster);
}

export function propose(cluster: Cluster, id: string, ...words: string[]): Effects {
  const encoder = new TextEncoder();
  const proposals = words.map((word) => ({
    type: 'command' as const,
    data: encoder.encode(word),
  }));
  return step(cluster, id, { type: 'propose', proposals });
}

export function appliedWords(cluster: Cluster, id: string): string[] {
  const decoder = new TextDecoder();
  return nodeOf(cluster, id)
    .applied.filter((entry) => entry.type === 'command')
    .map((entry) => decoder.decode(entry.data));
}

import type { Change, Entry } from '#cluster/raft/core/types.ts';
import type { Cluster, Letter, TestNode } from './cluster.ts';
import {
  addNode,
  bootstrapped,
  crash,
  createCluster,
  deliver,
  lose,
  nodeOf,
  pass,
  propose,
  restart,
  serversOf,
  settle,
  step,
  sync,
  syncFirst,
  takeSnapshot,
  testOptions,
  timeOut,
} from './cluster.ts';
import { bootOf } from './one.ts';
import { configurationWords, effectWords, entryWords, isBeat, letterWords } from './words.ts';

/**
 * Plays a transcript: blocks of commands, a line `----`, and what they told when it was recorded.
 * Lines before the commands that begin with # tell the story; they are kept as they are.
 */
interface Stage {
  readonly cluster: Cluster;
  lines: string[];
}

type Play = (stage: Stage, words: readonly string[]) => void;

const changes: Readonly<Record<string, Change['kind']>> = {
  'add-voter': 'addVoter',
  'add-nonvoter': 'addNonvoter',
  demote: 'demoteVoter',
  remove: 'removeServer',
};

const commands: Readonly<Record<string, Play>> = {
  /** nodes a b c [learners d] [option=number]: they know each other, and nothing has happened. */
  nodes({ cluster }, words) {
    const options = optionsOf(words);
    const names = words.filter((word) => !word.includes('='));
    const at = names.indexOf('learners');
    const voters = at < 0 ? names : names.slice(0, at);
    const learners = at < 0 ? [] : names.slice(at + 1);
    const boot = bootstrapped(serversOf(voters, learners));
    for (const id of [...voters, ...learners]) addNode(cluster, id, { boot, options });
    cluster.now = 0;
  },
  /** new d: on an empty disk, waiting to be contacted. */
  new({ cluster }, [id = '']) {
    addNode(cluster, id, { boot: bootstrapped([]) });
  },
  /** log a 1 4 4 term=6: as if it had this log, by the terms of the entries from 2 on. */
  log({ cluster }, [id = '', ...words]) {
    const { options } = nodeOf(cluster, id);
    const voters = [...cluster.nodes.keys()];
    const terms = words.filter((word) => !word.includes('=')).map(Number);
    const { term } = optionsOf(words);
    const boot = bootOf({ voters, terms, ...(term === undefined ? undefined : { term }) });
    addNode(cluster, id, { boot, options });
  },
  'time-out'({ cluster }, [id = '']) {
    timeOut(cluster, id);
  },
  /** forget b c: they have waited for a leader, and nobody heard them ask. */
  forget({ cluster }, ids) {
    for (const id of ids) {
      timeOut(cluster, id);
      for (const letter of cluster.letters.filter(({ from }) => from === id)) {
        lose(cluster, letter, 'unreachable');
      }
    }
  },
  /** win b c d: b campaigns with the votes of these; what it does as leader lies on the table. */
  win(stage, [id = '', ...voters]) {
    timeOut(stage.cluster, id);
    const isVoting = ({ from, to, request }: Letter) =>
      from === id && voters.includes(to) && /vote/i.test(request.kind);
    tellSettling(stage, isVoting);
    const isLeft = ({ from, request }: Letter) => from === id && /vote/i.test(request.kind);
    for (const letter of stage.cluster.letters.filter(isLeft)) {
      lose(stage.cluster, letter, 'unreachable');
    }
  },
  /** elect a: told in one line, for stories that begin with a leader. */
  elect(stage, [id = '']) {
    const before = stage.lines.length;
    timeOut(stage.cluster, id);
    settle(stage.cluster);
    const told = stage.lines.splice(before);
    stage.lines.push(...told.filter((line) => line.includes(' is leader ')));
  },
  /** keep a>b [kind]: the letter stays on the table a second time. */
  keep(stage, words) {
    stage.cluster.letters.push({ ...findLetter(stage, words) });
  },
  propose({ cluster }, [id = '', ...words]) {
    propose(cluster, id, ...words);
  },
  /** settle [a b]: all letters, or those between these nodes, and what they lead to. */
  settle(stage, ids) {
    const isMeant = ({ from, to }: Letter) => ids.includes(from) && ids.includes(to);
    tellSettling(stage, ids.length > 0 ? isMeant : () => true);
  },
  /** deliver a>b [kind] [answer]: the oldest of these. */
  deliver(stage, words) {
    const letter = findLetter(stage, words);
    stage.lines.push(letterWords(letter));
    deliver(stage.cluster, letter);
  },
  /** lose a>b [kind] [answer] [reason] */
  lose(stage, words) {
    const letter = findLetter(stage, words);
    const reason = words.find((word) => word === 'closed' || word === 'timeout');
    stage.lines.push(`${letterWords(letter)} … lost`);
    lose(stage.cluster, letter, reason ?? 'unreachable');
  },
  /** again a>b [kind] [answer]: the same letter comes twice. */
  again(stage, words) {
    const letter = findLetter(stage, words);
    const copy: Letter = { ...letter };
    stage.lines.push(`${letterWords(letter)} … twice`);
    deliver(stage.cluster, letter);
    deliver(stage.cluster, copy);
  },
  drop({ cluster }) {
    for (const letter of [...cluster.letters]) lose(cluster, letter, 'unreachable');
  },
  letters({ cluster, lines }) {
    for (const letter of cluster.letters) lines.push(letterWords(letter));
  },
  slow({ cluster }, ids) {
    for (const id of ids) nodeOf(cluster, id).isSlow = true;
  },
  sync({ cluster }, ids) {
    for (const id of ids) sync(cluster, id);
  },
  /** sync-first c: only the oldest save that is under way is done. */
  'sync-first'({ cluster }, ids) {
    for (const id of ids) syncFirst(cluster, id);
  },
  fast({ cluster }, ids) {
    for (const id of ids) {
      nodeOf(cluster, id).isSlow = false;
      sync(cluster, id);
    }
  },
  crash({ cluster }, ids) {
    for (const id of ids) crash(cluster, id);
  },
  restart({ cluster }, ids) {
    for (const id of ids) restart(cluster, id);
  },
  /** cut a b: both ways between a and the others; cut a>b: one way. */
  cut({ cluster }, words) {
    for (const pair of pairsOf(words)) cluster.cuts.add(pair);
  },
  join({ cluster }, words) {
    for (const pair of pairsOf(words)) cluster.cuts.delete(pair);
  },
  pass(stage, [ms = '0', how = '']) {
    pass(stage.cluster, Number(ms), { isQuiet: how === 'without-network' });
  },
  /** pause a 3000: it does nothing for so long, while the others go on. */
  pause(stage, [id = '', ms = '0']) {
    const node = nodeOf(stage.cluster, id);
    node.isDown = true;
    pass(stage.cluster, Number(ms));
    node.isDown = false;
  },
  read({ cluster }, [id = '', read = '0', mode = 'quorum']) {
    step(cluster, id, { type: 'read', id: Number(read), mode: mode === 'lease' ? mode : 'quorum' });
  },
  transfer({ cluster }, [id = '', to]) {
    step(cluster, id, { type: 'transfer', ...(to === undefined ? undefined : { to }) });
  },
  change({ cluster }, [id = '', what = '', server = '', how = '']) {
    const kind = changes[what];
    if (!kind) throw new Error(`no change is called ${what}`);
    const change: Change = { kind, id: server, address: `${server}:7001`, force: how === 'force' };
    step(cluster, id, { type: 'change', change });
  },
  'step-down'({ cluster }, [id = '']) {
    step(cluster, id, { type: 'stepDown' });
  },
  snapshot({ cluster }, [id = '']) {
    takeSnapshot(cluster, id);
  },
  /** status [a b]: who they are, and what they have. */
  status({ cluster, lines }, ids) {
    for (const id of ids.length > 0 ? ids : cluster.nodes.keys()) {
      lines.push(statusWords(cluster, nodeOf(cluster, id)));
    }
  },
  logs({ cluster, lines }) {
    for (const node of cluster.nodes.values()) lines.push(logWords(cluster, node));
  },
  members({ cluster, lines }, ids) {
    for (const id of ids) {
      const { configuration, configurationIndex } = nodeOf(cluster, id).raft.status(cluster.now);
      lines.push(`${id}: members ${configurationWords(configuration)}, of ${configurationIndex}`);
    }
  },
  peers({ cluster, lines }, [id = '']) {
    for (const peer of nodeOf(cluster, id).raft.status(cluster.now).peers) {
      const { server, mode, match, next, inflight } = peer;
      lines.push(`${server.id}: ${mode}, match ${match}, next ${next}, ${inflight} under way`);
    }
  },
};

function optionsOf(words: readonly string[]): Record<string, number> {
  const options: Record<string, number> = {};
  for (const word of words) {
    const [name = '', value] = word.split('=');
    if (value === undefined) continue;
    if (!(name in testOptions) && name !== 'term') throw new Error(`no option is called ${name}`);
    options[name] = Number(value);
  }
  return options;
}

function pairsOf(words: readonly string[]): string[] {
  const [first = '', ...others] = words;
  if (first.includes('>')) return [...words];
  return others.flatMap((other) => [`${first}>${other}`, `${other}>${first}`]);
}

function findLetter({ cluster }: Stage, words: readonly string[]): Letter {
  const [from, to] = (words[0] ?? '').split('>');
  const isAnswer = words.includes('answer');
  const kind = words.find((word) => /^(append|vote|preVote|install|timeoutNow|beat)$/.test(word));
  const letter = cluster.letters.find(
    (each) =>
      each.from === from &&
      each.to === to &&
      (each.response !== undefined) === isAnswer &&
      (kind === undefined ? !isBeat(each.request) : kind === kindOf(each)),
  );
  if (!letter) throw new Error(`no such letter: ${words.join(' ')}`);
  return letter;
}

const kindOf = ({ request }: Letter) => (isBeat(request) ? 'beat' : request.kind);

function tellSettling(stage: Stage, isMeant: (letter: Letter) => boolean): void {
  settle(stage.cluster, (letter) => {
    const wanted = isMeant(letter);
    if (wanted && !isBeat(letter.request)) stage.lines.push(letterWords(letter));
    return wanted;
  });
}

function statusWords({ now }: Cluster, { id, raft, isDown }: TestNode): string {
  if (isDown) return `${id}: down`;
  const { role, term, leader, commit, durable, lastIndex, lastTerm } = raft.status(now);
  const whom = role === 'follower' ? ` of ${leader?.id ?? 'nobody'}` : '';
  return `${id}: ${role}${whom}, term ${term}, log to ${lastIndex}/${lastTerm}, saved to ${durable}, commit ${commit}`;
}

function logWords({ now }: Cluster, { id, raft }: TestNode): string {
  const { firstIndex, lastIndex, snapshotIndex } = raft.status(now);
  const entries: readonly Entry[] = raft.entries(firstIndex, lastIndex);
  const words = entries.map(entryWords).join(', ');
  return `${id}: ${snapshotIndex > 0 ? `[snapshot to ${snapshotIndex}] ` : ''}${words}`;
}

/** @returns the transcript with what its commands tell now. */
export function play(text: string): string {
  const stage: Stage = { cluster: createCluster(), lines: [] };
  stage.cluster.listener = (node, effects) => {
    stage.lines.push(...effectWords(node, effects));
  };
  const blocks = text.trimEnd().split(/\n\n+/);
  return `${blocks.map((block) => playBlock(stage, block)).join('\n\n')}\n`;
}

function playBlock(stage: Stage, block: string): string {
  const lines = block.split('\n');
  const end = lines.indexOf('----');
  const head = end < 0 ? lines : lines.slice(0, end);
  const orders = head.filter((line) => !line.startsWith('#'));
  if (orders.length === 0) return head.join('\n');
  stage.lines = [];
  for (const order of orders) {
    const [name = '', ...words] = order.trim().split(/\s+/);
    const command = commands[name];
    if (!command) throw new Error(`no command is called ${name}`);
    command(stage, words);
  }
  return [...head, '----', ...(stage.lines.length > 0 ? stage.lines : ['(silence)'])].join('\n');
}

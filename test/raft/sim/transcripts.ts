import type {
  AppendRequest,
  Effects,
  Entry,
  Input,
  Raft,
  Request,
  Response,
  Save,
  Suffrage,
} from '#cluster/raft/core/types.ts';
import type { Transcript } from './hunt.ts';
import { createProfile, timeoutMs } from './profile.ts';
import { createRandom } from './random.ts';
import type { CreateRaft } from './types.ts';

/** One core by itself, spoken to word by word; its saves wait until they are told to be durable. */
interface Stage {
  readonly raft: Raft;
  now: number;
  saves: Save[];
  say(input: Input): Effects;
  /** All that was saved is durable. */
  sync(): Effects | undefined;
  wait(ms: number): Effects;
}

const data = new Uint8Array(0);
const peerOf = (id: string) => ({ id, address: `a${id.slice(1)}` });

function stage(createRaft: CreateRaft, size = 3, own: Suffrage = 'voter'): Stage {
  const servers = Array.from({ length: size }, (_, at) => ({
    ...peerOf(`n${at + 1}`),
    suffrage: at === 0 ? own : ('voter' as const),
  }));
  const first: Entry = {
    ...{ index: 1, term: 1, type: 'configuration', data },
    configuration: { servers },
  };
  const { raft: limits } = createProfile(createRandom(1, 1));
  const options = { ...limits, ...peerOf('n1'), seed: 1, maxAppendEntries: 16, maxInflight: 2 };
  const boot = { hardState: { term: 1, vote: undefined }, snapshot: undefined, entries: [first] };
  const raft = createRaft(options, boot, 0);
  const self: Stage = {
    ...{ raft, now: 0, saves: [] },
    say(input) {
      const effects = raft.step(input, self.now);
      if (effects.save) self.saves.push(effects.save);
      return effects;
    },
    sync() {
      const last = self.saves.at(-1);
      self.saves = [];
      return last && self.say({ type: 'saved', save: last.number });
    },
    wait(ms) {
      self.now += ms;
      return self.say({ type: 'tick' });
    },
  };
  return self;
}

const entry = (index: number, term: number): Entry => ({ index, term, type: 'command', data });

function append(term: number, prev: readonly [number, number], more: Partial<AppendRequest>) {
  const [prevIndex, prevTerm] = prev;
  const request: AppendRequest = {
    ...{ kind: 'append', from: peerOf(`n${term}`), term, prevIndex, prevTerm, entries: [] },
    ...{ commit: 0, isHeartbeat: false, ...more },
  };
  return request;
}

const ask = (at: Stage, token: number, request: Request) =>
  at.say({ type: 'request', token, request });

/** Answers yes to all of these requests that go to `from`. */
function agree(at: Stage, from: string, { send }: Effects): Effects | undefined {
  let last: Effects | undefined;
  for (const { to, request } of send) {
    if (to === from) last = at.say({ type: 'answer', from, request, response: yes(at, request) });
  }
  return last;
}

function yes(at: Stage, request: Request): Response {
  const { term } = at.raft.status(at.now);
  if (request.kind === 'vote') return { kind: 'vote', term, isGranted: true };
  if (request.kind === 'preVote') return { kind: 'preVote', term: request.term, isGranted: true };
  return { kind: 'append', term, lastLog: 0, isSuccess: true, noRetryBackoff: false };
}

/** A leader of term 2 that has committed its no-op. */
function leader(createRaft: CreateRaft): Stage {
  const at = stage(createRaft);
  const preVotes = at.wait(3 * timeoutMs);
  agree(at, 'n2', preVotes);
  const votes = at.sync();
  const won = votes && agree(at, 'n2', votes);
  at.sync();
  if (won) agree(at, 'n2', won);
  return at;
}

const when = (isWrong: boolean, what: string) => (isWrong ? what : undefined);

const overwritten = (createRaft: CreateRaft) => {
  const at = stage(createRaft);
  ask(at, 1, append(2, [1, 1], { entries: [entry(2, 2), entry(3, 2)] }));
  const first = at.saves[0]?.number ?? 0;
  ask(at, 2, append(3, [1, 1], { entries: [entry(2, 3)] }));
  return { at, effects: at.say({ type: 'saved', save: first }) };
};

const twoReads = (createRaft: CreateRaft) => {
  const at = leader(createRaft);
  const one = at.say({ type: 'read', id: 1, mode: 'quorum' });
  at.now += 5;
  at.say({ type: 'read', id: 2, mode: 'quorum' });
  return agree(at, 'n2', one)?.reads.some(({ id }) => id === 2) ?? false;
};

const leaseAfter = (sentMs: number, answeredMs: number) => (createRaft: CreateRaft) => {
  const at = leader(createRaft);
  at.now += 1;
  const sent = at.wait(timeoutMs / 5);
  at.now += answeredMs;
  agree(at, 'n2', sent);
  at.now += sentMs - answeredMs;
  return at.say({ type: 'read', id: 1, mode: 'lease' }).reads.length > 0;
};

/** By the name of the mutation: short stories for what random worlds seldom meet. */
export const transcripts: Readonly<Record<string, Transcript>> = {
  'a late acknowledgement of the disk confirms overwritten entries': (create) => {
    const { at } = overwritten(create);
    return when(at.raft.status(0).durable > 1, 'an entry is durable that was overwritten');
  },
  'a held answer still confirms what was overwritten': (create) => {
    const { effects } = overwritten(create);
    const isConfirmed = effects.replies.some(
      ({ response }) => response.kind === 'append' && response.isSuccess,
    );
    return when(isConfirmed, 'the old leader is told yes');
  },
  'counts votes of an earlier term': (create) => {
    const at = stage(create, 5);
    const preVotes = at.wait(3 * timeoutMs);
    for (const id of ['n2', 'n3']) agree(at, id, preVotes);
    const old = at.sync();
    const again = at.wait(3 * timeoutMs);
    for (const id of ['n2', 'n3']) agree(at, id, again);
    at.sync();
    for (const id of ['n2', 'n3', 'n4']) {
      for (const { to, request } of old?.send ?? []) {
        const response = { kind: 'vote' as const, term: 2, isGranted: true };
        if (to === id) at.say({ type: 'answer', from: id, request, response });
      }
    }
    return when(at.raft.status(at.now).role === 'leader', 'it leads by votes of another term');
  },
  'after a newer term votes at once, although the last leader may hold a lease': (create) => {
    const at = stage(create);
    const preVotes = at.wait(3 * timeoutMs);
    agree(at, 'n2', preVotes);
    const old = at.sync()?.send.find(({ to }) => to === 'n3')?.request;
    ask(at, 1, append(2, [0, 0], { isHeartbeat: true }));
    at.sync();
    at.now += 1;
    const response = { kind: 'vote' as const, term: 5, isGranted: false };
    if (old) at.say({ type: 'answer', from: 'n3', request: old, response });
    const more = { lastIndex: 9, lastTerm: 3, isTransfer: false };
    ask(at, 2, { kind: 'vote', from: peerOf('n3'), term: 5, ...more });
    return when((at.saves.at(-1)?.hardState?.vote?.id ?? '') === 'n3', 'it votes within the lease');
  },
  'a follower votes although its leader lives, so leases overlap': (create) => {
    const at = stage(create);
    ask(at, 1, append(2, [0, 0], { isHeartbeat: true }));
    at.sync();
    at.now += 1;
    const more = { lastIndex: 9, lastTerm: 3, isTransfer: false };
    ask(at, 2, { kind: 'vote', from: peerOf('n3'), term: 3, ...more });
    return when(at.raft.status(at.now).term > 2, 'a rival is heard while the leader lives');
  },
  'a pre-vote is refused to the node believed to lead': (create) => {
    const at = stage(create);
    ask(at, 1, append(2, [0, 0], { isHeartbeat: true }));
    at.sync();
    const more = { lastIndex: 9, lastTerm: 3 };
    const { replies } = ask(at, 2, { kind: 'preVote', from: peerOf('n2'), term: 3, ...more });
    const isGranted = replies.some(({ response: r }) => r.kind === 'preVote' && r.isGranted);
    return when(!isGranted, 'the leader that lost its place cannot come back');
  },
  'a nonvoter that hears nobody goes on believing in its leader': (create) => {
    const at = stage(create, 3, 'nonvoter');
    ask(at, 1, append(2, [0, 0], { isHeartbeat: true }));
    at.wait(3 * timeoutMs);
    return when(at.raft.status(at.now).leader !== undefined, 'it refuses votes for ever');
  },
  'a follower commits past the entries it verified': (create) => {
    const at = stage(create);
    ask(at, 1, append(2, [1, 1], { entries: [entry(2, 2), entry(3, 2)] }));
    at.sync();
    ask(at, 2, append(3, [1, 1], { commit: 3 }));
    at.sync();
    return when(at.raft.status(0).commit > 1, 'stale entries are committed');
  },
  'obeys a leader of the past': (create) => {
    const at = stage(create);
    ask(at, 1, append(3, [0, 0], { isHeartbeat: true }));
    at.sync();
    ask(at, 2, append(2, [1, 1], { entries: [entry(2, 2)] }));
    return when(at.raft.status(0).lastIndex > 1, 'it takes entries of a past leader');
  },
  'a duplicate answer confirms a later read': (create) =>
    when(twoReads(create), 'a late answer confirms a later read'),
  'a read joins the round that already runs': (create) =>
    when(twoReads(create), 'a read is confirmed by what was sent before it'),
  'reads without asking anybody': (create) => {
    const { reads } = leader(create).say({ type: 'read', id: 1, mode: 'quorum' });
    return when(reads.length > 0, 'a quorum read is answered at once');
  },
  'the lease counts from the answer, not from the question': (create) =>
    when(leaseAfter(timeoutMs, 80)(create), 'a lease from the answer on'),
  'a lease lasts for the timeout, whatever the clocks': (create) =>
    when(leaseAfter(98, 1)(create), 'a lease that leaves nothing for slow clocks'),
  'a lease goes on while leadership is handed over': (create) => {
    const at = leader(create);
    const sent = at.wait(timeoutMs / 5);
    agree(at, 'n2', sent);
    at.say({ type: 'transfer', to: 'n2' });
    const { reads } = at.say({ type: 'read', id: 1, mode: 'lease' });
    return when(reads.length > 0, 'a lease read after TimeoutNow');
  },
  'takes proposals while it hands over': (create) => {
    const at = leader(create);
    at.say({ type: 'transfer', to: 'n3' });
    const { outcome } = at.say({ type: 'propose', proposals: [{ type: 'command', data }] });
    return when(outcome?.isAccepted === true, 'a proposal is taken during a transfer');
  },
  'leads on without a quorum': (create) => {
    const at = leader(create);
    for (let turn = 0; turn < 50; turn += 1) at.wait(20);
    return when(at.raft.status(at.now).role === 'leader', 'it leads a second without an answer');
  },
};

import { createRaft } from '#cluster/raft/core/raft.ts';
import type {
  AppendRequest,
  Boot,
  Effects,
  Entry,
  Input,
  PeerRef,
  PreVoteRequest,
  Raft,
  RaftOptions,
  Request,
  Response,
  VoteRequest,
} from '#cluster/raft/core/types.ts';
import { addressOf, bootstrapped, serversOf, testOptions } from './cluster.ts';

/** One core, `a`, and a test that plays all the others. */
export interface One {
  readonly raft: Raft;
  now: number;
  lastSave: number;
  nextToken: number;
}

export interface Beginning {
  readonly voters?: readonly string[];
  readonly nonvoters?: readonly string[];
  /** Terms of the entries from index 2 on; entry 1 is the configuration, of term 1. */
  readonly terms?: readonly number[];
  readonly term?: number;
  readonly votedFor?: string;
  readonly options?: Partial<RaftOptions>;
}

export const ref = (id: string): PeerRef => ({ id, address: addressOf(id) });

export function entry(index: number, term: number, text = ''): Entry {
  return { index, term, type: 'command', data: new TextEncoder().encode(text) };
}

export function bootOf(beginning: Beginning): Boot {
  const { voters = ['a', 'b', 'c'], nonvoters = [], terms = [], votedFor } = beginning;
  const boot = bootstrapped(serversOf(voters, nonvoters));
  const entries = [...boot.entries, ...terms.map((term, at) => entry(at + 2, term))];
  const term = beginning.term ?? terms[terms.length - 1] ?? 1;
  return { ...boot, hardState: { term, vote: votedFor ? voteOf(votedFor) : undefined }, entries };
}

const voteOf = (id: string) => ({ id, address: addressOf(id) });

/** It has been up for long enough that nobody waits for the leader of before. */
export function one(beginning: Beginning = {}): One {
  const options = { id: 'a', address: addressOf('a'), seed: 1, ...testOptions };
  const raft = createRaft({ ...options, ...beginning.options }, bootOf(beginning), 0);
  return { raft, now: 1000, lastSave: 0, nextToken: 1 };
}

/** Without the save it may begin; `saved` confirms that. */
export function step(node: One, input: Input): Effects {
  const effects = node.raft.step(input, node.now);
  node.lastSave = effects.save?.number ?? node.lastSave;
  return effects;
}

export function saved(node: One): Effects {
  return step(node, { type: 'saved', save: node.lastSave });
}

/** Asks, and lets the disk finish. @returns the answer */
export function ask(node: One, request: Request): Response | undefined {
  const token = node.nextToken;
  node.nextToken += 1;
  const effects = step(node, { type: 'request', token, request });
  const replies = effects.save?.mustSync
    ? [...effects.replies, ...saved(node).replies]
    : effects.replies;
  return replies.find((reply) => reply.token === token)?.response;
}

export function status(node: One) {
  return node.raft.status(node.now);
}

/** The timer ends: in `preCandidate`, if it may. */
export function timeOut(node: One): Effects {
  node.now = Math.max(node.now, node.raft.deadline());
  return step(node, { type: 'tick' });
}

/** Wins an election with the votes of `from`. @returns what it does as leader at once */
export function lead(node: One, from: readonly string[] = ['b']): Effects {
  let effects = timeOut(node);
  for (const voter of from) {
    const request = effects.send.find(({ to }) => to === voter)?.request;
    if (request?.kind !== 'preVote') throw new Error(`no pre-vote is asked of ${voter}`);
    const response = { kind: 'preVote', term: request.term, isGranted: true } as const;
    const next = step(node, { type: 'answer', from: voter, request, response });
    if (next.roles.length > 0) break;
    effects = next.send.length > 0 ? next : effects;
  }
  effects = saved(node);
  const asked = effects.send;
  for (const voter of from) {
    const request = asked.find(({ to }) => to === voter)?.request;
    if (request?.kind !== 'vote') throw new Error(`no vote is asked of ${voter}`);
    const response = { kind: 'vote', term: request.term, isGranted: true } as const;
    effects = step(node, { type: 'answer', from: voter, request, response });
    if (status(node).role === 'leader') break;
  }
  return effects;
}

/** A leader whose first entry is committed. */
export function settledLeader(beginning: Beginning = {}): One {
  const node = one(beginning);
  const effects = lead(node);
  saved(node);
  // The entry, and then the word that it is committed.
  agree(node, 'b', agree(node, 'b', effects));
  return node;
}

/** `from` says yes to every append among the effects. */
export function agree(node: One, from: string, effects: Effects): Effects {
  let last = effects;
  for (const { to, request } of effects.send) {
    if (to === from && request.kind === 'append') last = accept(node, from, request);
  }
  return last;
}

export function accept(node: One, from: string, request: AppendRequest): Effects {
  const { term } = request;
  const response = {
    kind: 'append',
    term,
    lastLog: 0,
    isSuccess: true,
    noRetryBackoff: false,
  } as const;
  return step(node, { type: 'answer', from, request, response });
}

export function append(from: string, fields: Partial<AppendRequest>): AppendRequest {
  return {
    kind: 'append',
    from: ref(from),
    term: 2,
    prevIndex: 0,
    prevTerm: 0,
    entries: [],
    commit: 0,
    isHeartbeat: false,
    ...fields,
  };
}

export function vote(from: string, fields: Partial<VoteRequest>): VoteRequest {
  const request = { kind: 'vote', from: ref(from), term: 2 } as const;
  return { ...request, lastIndex: 9, lastTerm: 1, isTransfer: false, ...fields };
}

export function preVote(from: string, fields: Partial<PreVoteRequest>): PreVoteRequest {
  return { kind: 'preVote', from: ref(from), term: 2, lastIndex: 9, lastTerm: 1, ...fields };
}

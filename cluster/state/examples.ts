import type { Applied } from '#cluster/raft/driver/ports.ts';
import { encodeCommand } from './command.ts';
import { createState, type ClusterState, type StateOptions } from './state.ts';
import type { Announcement, Command, JoinToken, Result } from './types.ts';

/** Made up members, tokens and whole states, for tests here and of what builds on the state. */
export const secretHash = 'ab'.repeat(32);

export function exampleMember(id: string, more: Partial<Announcement> = {}): Announcement {
  return {
    id,
    name: id.toUpperCase(),
    kind: 'node',
    addresses: { raft: [`${id}:7000`], rpc: [`${id}:7001`], gossip: [], api: [] },
    bootEpoch: 1,
    session: `${id}-1`,
    version: '0.1.0',
    features: { min: 1, max: 2 },
    ...more,
  };
}

export function exampleToken(id: string, more: Partial<JoinToken> = {}): JoinToken {
  const token = { id, secretHash, kind: 'node', createdAt: 0, createdBy: 'an example' } as const;
  return { ...token, expiresAt: undefined, usesLeft: undefined, ...more };
}

export const commandEntry = (index: number, command: Command): Applied => ({
  index,
  term: 1,
  type: 'command',
  data: encodeCommand(command),
});

export interface ExampleState extends ClusterState {
  /** Applies it as the next entry. */
  run(command: Command): Result;
  /** `why` if it was refused, else `done`. */
  say(command: Command): string;
}

/** A state that is fed with commands instead of a log. */
export function exampleState(options?: StateOptions): ExampleState {
  const state = createState(options);
  let last = 0;
  const run = (command: Command): Result => {
    last += 1;
    const [result] = state.machine.apply([commandEntry(last, command)]);
    if (!result) throw new Error('no result');
    return result;
  };
  const say = (command: Command) => {
    const result = run(command);
    return result.isDone ? 'done' : result.why;
  };
  return { ...state, run, say };
}

/** Founded at epoch 3, with these members; the first is the founder. All came at time 1000. */
export function foundedState(...ids: readonly string[]): ExampleState {
  const state = exampleState();
  state.run({ type: 'found', clusterId: 'home', epoch: 3, at: 1000 });
  state.run({ type: 'addToken', token: exampleToken('invitation') });
  ids.forEach((id, place) => {
    const member = exampleMember(id);
    if (place === 0) state.run({ type: 'announce', member, at: 1000 });
    else state.run({ type: 'admit', member, tokenId: 'invitation', secretHash, at: 1000 });
  });
  state.run({ type: 'revokeToken', id: 'invitation' });
  return state;
}

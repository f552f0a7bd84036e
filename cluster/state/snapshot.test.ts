import { expect } from 'chai';
import { createHash } from 'node:crypto';
import type { Bytes } from '#cluster/raft/driver/ports.ts';
import { defaultAutopilot } from './draft.ts';
import {
  commandEntry,
  exampleMember,
  exampleState,
  exampleToken,
  foundedState,
} from './examples.ts';
import { perEpoch, tokenGraceMs } from './limits.ts';
import { SnapshotError } from './snapshot.ts';
import { createState, type ClusterState } from './state.ts';
import type { Command } from './types.ts';

const bytesOf = async (bytes: Bytes) => Buffer.concat(await Array.fromAsync(bytes));

async function* inPieces(bytes: Uint8Array, size: number): Bytes {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const restored = async (bytes: Uint8Array, size = 1000): Promise<ClusterState> => {
  const state = createState();
  await state.machine.restore(inPieces(bytes, size));
  return state;
};

function rich() {
  const state = foundedState('b', 'a', 'ü');
  state.run({ type: 'forget', id: 'a' });
  state.run({ type: 'addToken', token: exampleToken('t', { usesLeft: 2 }) });
  state.run({ type: 'addToken', token: exampleToken('s', { expiresAt: 5000 }) });
  state.run({ type: 'events', tags: [], batches: [{ id: 'one\nline', events: ['e'] }] });
  return state;
}

/** A snapshot whose checksum fits. */
function sealed(text: string): Buffer {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return Buffer.from(`${text}{"sha256":"${sha256}"}\n`);
}

describe('a snapshot of the state', () => {
  it('gives the same state, however it is cut into pieces', async () => {
    const state = rich();
    const bytes = await bytesOf(state.machine.snapshot());
    for (const size of [1, 7, 100, 1 << 20]) {
      const other = await restored(bytes, size);
      expect(other.view()).to.deep.equal(state.view());
      expect(other.hash()).to.equal(state.hash());
    }
  });

  it('of nothing at all is one too', async () => {
    const empty = createState();
    const other = await restored(await bytesOf(empty.machine.snapshot()));
    expect(other.view()).to.deep.equal(empty.view());
  });

  it('is of the moment it was asked for', async () => {
    const state = rich();
    const hash = state.hash();
    const snapshot = state.machine.snapshot();
    state.run({ type: 'revokeToken', id: 't' });
    state.run({ type: 'events', tags: [], batches: [{ id: 'two', events: ['e'] }] });
    expect((await restored(await bytesOf(snapshot))).hash()).to.equal(hash);
  });

  it('goes on where it ended: tells so, and expires what it brought', async () => {
    const state = createState();
    const told: unknown[] = [];
    state.onChange(({ members }) => told.push([...members.keys()]));
    state.onRestored((index) => told.push(index - 3 * perEpoch));
    const source = rich();
    await state.machine.restore(source.machine.snapshot());
    const raftIndex = source.view().index - 3 * perEpoch;
    expect(told).to.deep.equal([['b', 'ü'], raftIndex]);
    const at = 5000 + tokenGraceMs;
    const next: Command = { type: 'announce', member: exampleMember('b'), at };
    state.machine.apply([commandEntry(raftIndex + 1, next)]);
    expect([...state.view().tokens.keys()]).to.deep.equal(['t']);
  });

  it('takes the place of what could not be read', async () => {
    const state = createState();
    const data = Buffer.from('?');
    state.machine.apply([{ index: 1, term: 1, type: 'command', data }]);
    await state.machine.restore(rich().machine.snapshot());
    expect(state.unreadable()).to.equal(undefined);
    expect(state.hash()).to.equal(rich().hash());
  });

  it('comes in pieces of bounded size', async () => {
    const state = foundedState('a');
    for (let at = 0; at < 1000; at += 1) {
      const createdBy = 'somebody '.repeat(20);
      state.run({ type: 'addToken', token: exampleToken(`token-${at}`, { createdBy }) });
    }
    const pieces = await Array.fromAsync(state.machine.snapshot());
    expect(pieces.length).to.be.greaterThan(3);
    expect(Math.max(...pieces.map(({ length }) => length))).to.be.lessThan(66_000);
    expect((await restored(Buffer.concat(pieces))).hash()).to.equal(state.hash());
  });

  it('has the form of the feature level, which the release before still reads', async () => {
    const state = exampleState();
    state.run({ type: 'found', clusterId: 'home', epoch: 3, at: 1 });
    const older = exampleMember('a', { features: { min: 1, max: 1 } });
    state.run({ type: 'announce', member: older, at: 1 });
    const before = await bytesOf(state.machine.snapshot());
    expect(before.toString()).to.match(/^revenge-state 1\n.*"leases":0,/);
    expect((await restored(before)).hash()).to.equal(state.hash());
    state.run({ type: 'announce', member: exampleMember('a', { bootEpoch: 2 }), at: 2 });
    state.run({ type: 'raiseFeatures', level: 2 });
    const after = await bytesOf(state.machine.snapshot());
    expect(after.toString()).to.match(/^revenge-state 2\n.*"told":0}/);
    expect((await restored(after)).view()).to.deep.equal(state.view());
  });

  it('is refused with any byte changed or missing, and the state stays', async () => {
    const bytes = await bytesOf(rich().machine.snapshot());
    const state = foundedState('kept');
    const before = state.view();
    const refuses = async (damaged: Uint8Array, what: string) => {
      const refused = await state.machine.restore(inPieces(damaged, 500)).then(
        () => false,
        (error: unknown) => error instanceof SnapshotError,
      );
      expect(refused, what).to.equal(true);
    };
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      await refuses(flipped, `byte ${at} flipped`);
      await refuses(bytes.subarray(0, at), `cut at ${at}`);
    }
    await refuses(Buffer.concat([bytes, bytes]), 'twice');
    expect(state.view()).to.equal(before);
  });

  const head = (more: object) =>
    JSON.stringify({
      autopilot: defaultAutopilot,
      ...{ epoch: 0, featureLevel: 0, members: 0, raftIndex: 0, retired: 0, time: 0 },
      ...{ tokens: 0, ...more },
    });
  const wrong: [string, Buffer, string][] = [
    ['something else', Buffer.from('{"kv":{}}\n'), 'is none'],
    ['of a later form', sealed('revenge-state 3\n'), 'has form 3, this node knows up to 2'],
    [
      'of a later feature level',
      sealed(`revenge-state 2\n${head({ told: 0, featureLevel: 9 })}\n`),
      'is of feature level 9, this node knows up to 2; it must be updated',
    ],
    ['with a part nobody knows', sealed(`revenge-state 2\n${head({ bans: 1 })}\n`), '"bans"'],
    ['with leases', sealed(`revenge-state 1\n${head({ leases: 1 })}\n`), 'leases'],
    ['without an end', Buffer.alloc(300_000, 'x'), 'a line without an end'],
    ['cut within a line', Buffer.from('revenge-state 1\n{"a'), 'ends within a line'],
    ['empty', Buffer.alloc(0), 'ends after 0 lines'],
    ['no JSON', Buffer.from('revenge-state 1\nhead\n'), 'a line is no JSON'],
  ];
  for (const [what, bytes, why] of wrong) {
    it(`is refused, and says why, if it is ${what}`, async () => {
      const error = await restored(bytes).catch(String);
      expect(error).to.contain(why);
    });
  }
});

import { expect } from 'chai';
import { createHash } from 'node:crypto';
import type { Bytes } from '#cluster/raft/driver/ports.ts';
import { commandEntry, exampleMember, exampleToken, foundedState } from './examples.ts';
import { perEpoch } from './limits.ts';
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
  const lease = { type: 'takeLease', holder: 'b', durationMs: 5000, at: 2000 } as const;
  state.run({ ...lease, name: 'tuner', note: 'line\nbreak' });
  state.run({ ...lease, name: 'recording' });
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
    state.run({ type: 'dropLease', name: 'tuner', holder: 'b', fence: 1 });
    state.run({ type: 'takeLease', name: 'x', holder: 'b', durationMs: 1, at: 2001 });
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
    const next: Command = { type: 'announce', member: exampleMember('b'), at: 7000 };
    state.machine.apply([commandEntry(raftIndex + 1, next)]);
    expect(state.view().leases.size).to.equal(0);
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
    for (let at = 0; at < 4000; at += 1) {
      const name = `lease-${at}`;
      state.run({ type: 'takeLease', name, holder: 'a', durationMs: 1000, at: 1000 });
    }
    const pieces = await Array.fromAsync(state.machine.snapshot());
    expect(pieces.length).to.be.greaterThan(3);
    expect(Math.max(...pieces.map(({ length }) => length))).to.be.lessThan(66_000);
    expect((await restored(Buffer.concat(pieces))).hash()).to.equal(state.hash());
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
      ...{ autopilot: { promote: true, cleanup: true, lastContactMs: 1, maxTrailingEntries: 1 } },
      ...{ epoch: 0, featureLevel: 0, leases: 0, members: 0, raftIndex: 0, retired: 0, time: 0 },
      ...{ tokens: 0, ...more },
    });
  const wrong: [string, Buffer, string][] = [
    ['something else', Buffer.from('{"kv":{}}\n'), 'is none'],
    ['of a later version', sealed('revenge-state 2\n'), 'has version 2, this node knows 1'],
    ['with a part nobody knows', sealed(`revenge-state 1\n${head({ bans: 1 })}\n`), '"bans"'],
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

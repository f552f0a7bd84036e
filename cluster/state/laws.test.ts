import { expect } from 'chai';
import fc from 'fast-check';
import type { Applied } from '#cluster/raft/driver/ports.ts';
import { defaultAutopilot } from './draft.ts';
import { commandEntry, exampleMember, exampleToken, secretHash } from './examples.ts';
import { createState, type ClusterState } from './state.ts';
import type { Command, View } from './types.ts';

/** Small worlds, so that commands meet: three ids, times that go forth and back. */
const id = fc.constantFrom('a', 'b', 'c');
const at = fc.integer({ min: 0, max: 300 });
const tokenId = fc.constantFrom('s', 't');
const count = fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined });
const kind = fc.constantFrom('node' as const, 'witness' as const);
const member = fc
  .record({ id, kind, bootEpoch: fc.nat(2), session: fc.constantFrom('1', '2'), max: fc.nat(3) })
  .map(({ id: own, max, ...rest }) =>
    exampleMember(own, { ...rest, features: { min: Math.min(1, max), max } }),
  );
const token = fc
  .record({ id: tokenId, kind, usesLeft: count, expiresAt: fc.option(at, { nil: undefined }) })
  .map(({ id: own, ...rest }) => exampleToken(own, rest));
const is = <T extends string>(type: T) => fc.constant(type);

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: is('found'),
    clusterId: is('home'),
    epoch: fc.integer({ min: 1, max: 3 }),
    at,
  }),
  fc.record({ type: is('invalidate'), tags: fc.array(fc.string(), { maxLength: 3 }) }),
  fc.record({ type: is('announce'), member, at }),
  fc.record({ type: is('admit'), member, tokenId, secretHash: fc.constant(secretHash), at }),
  fc.record({ type: is('forget'), id }),
  fc.record({ type: is('drain'), id, isDraining: fc.boolean() }),
  fc.record({ type: is('addToken'), token }),
  fc.record({ type: is('revokeToken'), id: tokenId }),
  fc.record({ type: is('raiseFeatures'), level: fc.nat(3) }),
  fc.constantFrom(1, 3, 5).map((maxVoters): Command => ({
    type: 'setAutopilot',
    config: { ...defaultAutopilot, maxVoters },
  })),
);

/** A log as a cluster has it: founded, with a founder, and with entries that are not commands. */
const log: fc.Arbitrary<readonly Applied[]> = fc
  .array(fc.option(command, { nil: undefined, freq: 8 }), { maxLength: 60 })
  .map((commands) => {
    const first: Command[] = [
      { type: 'found', clusterId: 'home', epoch: 1, at: 0 },
      { type: 'announce', member: exampleMember('a', { bootEpoch: 0, session: '1' }), at: 0 },
      { type: 'addToken', token: exampleToken('t') },
    ];
    return [...first, ...commands].map((each, place) =>
      each
        ? commandEntry(place + 1, each)
        : { index: place + 1, term: 1, type: 'noop' as const, data: new Uint8Array() },
    );
  });

/** A node that knows every level there is in these worlds. */
const newState = () => createState({ maxLevel: 3 });

function applied(entries: readonly Applied[]): ClusterState {
  const state = newState();
  state.machine.apply(entries);
  return state;
}

describe('every log', () => {
  it('gives the same state and the same results, however it is cut into batches', () => {
    fc.assert(
      fc.property(log, fc.array(fc.integer({ min: 1, max: 9 })), (entries, cuts) => {
        const whole = newState();
        const results = whole.machine.apply(entries);
        const parts = newState();
        const found: unknown[] = [];
        let from = 0;
        for (const size of [...cuts, entries.length]) {
          found.push(...parts.machine.apply(entries.slice(from, from + size)));
          parts.view();
          from += size;
        }
        expect(found).to.deep.equal(results);
        expect(parts.view()).to.deep.equal(whole.view());
        expect(parts.hash()).to.equal(whole.hash());
      }),
    );
  });

  it('may be replaced anywhere by a snapshot and what follows', async () => {
    await fc.assert(
      fc.asyncProperty(log, fc.nat(63), async (entries, cut) => {
        const whole = applied(entries);
        const first = applied(entries.slice(0, cut));
        const later = newState();
        await later.machine.restore(first.machine.snapshot());
        expect(later.hash()).to.equal(first.hash());
        const results = later.machine.apply(entries.slice(cut));
        expect(results).to.deep.equal(first.machine.apply(entries.slice(cut)));
        expect(later.hash()).to.equal(whole.hash());
        expect(later.view()).to.deep.equal(whole.view());
      }),
    );
  });

  it('never breaks what must always hold', () => {
    fc.assert(
      fc.property(log, (entries) => {
        const state = newState();
        let before = state.view();
        for (const entry of entries) {
          state.machine.apply([entry]);
          const after = state.view();
          checkState(after);
          checkStep(before, after);
          before = after;
        }
      }),
    );
  });

  it('differs by any entry', () => {
    fc.assert(
      fc.property(log, (entries) => {
        const hashes = entries.map((_, end) => applied(entries.slice(0, end + 1)).hash());
        expect(new Set(hashes).size).to.equal(entries.length);
      }),
      { numRuns: 10 },
    );
  });
});

function checkState({ members, retired, tokens, featureLevel }: View): void {
  for (const { id: own, features } of members.values()) {
    expect(retired.has(own)).to.equal(false);
    expect(features.min).to.be.at.most(featureLevel);
    expect(features.max).to.be.at.least(featureLevel);
  }
  for (const { usesLeft } of tokens.values()) expect(usesLeft ?? 0).to.be.at.least(0);
}

function checkStep(before: View, after: View): void {
  expect(after.index).to.be.greaterThan(before.index);
  expect(after.time).to.be.at.least(before.time);
  expect(after.featureLevel).to.be.at.least(before.featureLevel);
  for (const own of before.retired) expect(after.retired.has(own)).to.equal(true);
  for (const [own, member] of before.members) {
    const now = after.members.get(own);
    if (!now) expect(after.retired.has(own)).to.equal(true);
    else expect(now.bootEpoch).to.be.at.least(member.bootEpoch);
  }
}

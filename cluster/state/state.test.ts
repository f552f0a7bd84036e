import { expect } from 'chai';
import { defaultAutopilot } from './draft.ts';
import {
  commandEntry,
  exampleMember,
  exampleState,
  exampleToken,
  foundedState,
  secretHash,
} from './examples.ts';
import { limits, perEpoch, tokenGraceMs } from './limits.ts';
import { createState, type Unreadable } from './state.ts';
import type { Announcement, Command } from './types.ts';

const announce = (id: string, more: Partial<Announcement> = {}, at = 1000): Command => ({
  type: 'announce',
  member: exampleMember(id, more),
  at,
});
const admit = (id: string, more: Partial<Announcement> = {}, at = 1000): Command => ({
  type: 'admit',
  member: exampleMember(id, more),
  tokenId: 't',
  secretHash,
  at,
});
describe('the founding of a cluster', () => {
  it('happens once, and gives the index its epoch', () => {
    const state = exampleState();
    expect(state.view()).to.deep.include({ clusterId: undefined, epoch: 0, index: 0 });
    expect(state.say({ type: 'invalidate', tags: ['t'] })).to.equal('not-founded');
    expect(state.view().index).to.equal(1);
    const found: Command = { type: 'found', clusterId: 'home', epoch: 3, at: 7 };
    expect(state.run(found)).to.deep.equal({ isDone: true, index: 3 * perEpoch + 2 });
    expect(state.say({ ...found, epoch: 4 })).to.equal('already-founded');
    expect(state.view()).to.deep.include({ clusterId: 'home', epoch: 3, time: 7 });
  });

  it('may be repeated after a recovery, only with a greater epoch', () => {
    const state = exampleState();
    const recover = (epoch: number): Command => ({
      type: 'found',
      clusterId: 'home',
      epoch,
      isRecovery: true,
      at: 7,
    });
    expect(state.say(recover(3))).to.equal('not-founded');
    state.run({ type: 'found', clusterId: 'home', epoch: 3, at: 7 });
    expect(state.say(recover(3))).to.equal('already-founded');
    expect(state.run(recover(4))).to.deep.equal({ isDone: true, index: 4 * perEpoch + 4 });
  });

  it('comes before anything else', () => {
    const config = defaultAutopilot;
    const early: Command[] = [
      announce('a'),
      admit('a'),
      { type: 'forget', id: 'a' },
      { type: 'drain', id: 'a', isDraining: true },
      { type: 'addToken', token: exampleToken('t') },
      { type: 'revokeToken', id: 't' },
      { type: 'raiseFeatures', level: 1 },
      { type: 'setAutopilot', config },
    ];
    const state = exampleState();
    for (const command of early) expect(state.say(command), command.type).to.equal('not-founded');
  });
});

describe('a member', () => {
  it('is the founder, or comes by a token', () => {
    const state = foundedState();
    expect(state.say(announce('a'))).to.equal('done');
    expect(state.say(announce('b'))).to.equal('unknown-member');
    expect([...state.view().members.keys()]).to.deep.equal(['a']);
    expect(state.view().featureLevel, 'nobody older is here').to.equal(2);
  });

  const again: [string, Partial<Announcement>, string][] = [
    ['of the same start is news', { name: 'Attic' }, 'done'],
    ['of a later start is news', { bootEpoch: 2, session: 'a-2' }, 'done'],
    ['of an earlier start is a restored copy', { bootEpoch: 0 }, 'restored-copy'],
    ['of the same start in two places is a copy', { session: 'other' }, 'restored-copy'],
    ['cannot make it another kind', { kind: 'witness' }, 'token-wrong-kind'],
    ['of a version too old is refused', { features: { min: 1, max: 1 } }, 'features-unsupported'],
    ['of a version too new is refused', { features: { min: 3, max: 4 } }, 'features-unsupported'],
  ];
  for (const [what, more, outcome] of again) {
    it(`that announces itself again: ${what}`, () => {
      const state = foundedState('a');
      const before = state.view().members;
      expect(state.say(announce('a', more, 2000))).to.equal(outcome);
      const member = state.view().members.get('a');
      if (outcome !== 'done') expect(state.view().members).to.equal(before);
      else expect(member).to.deep.include({ ...more, joinedAt: 1000, announcedAt: 2000 });
    });
  }

  it('that is forgotten is gone for ever', () => {
    const state = foundedState('a', 'b');
    state.run({ type: 'addToken', token: exampleToken('t') });
    expect(state.say({ type: 'forget', id: 'x' })).to.equal('unknown-member');
    expect(state.say({ type: 'forget', id: 'b' })).to.equal('done');
    expect(state.say(announce('b', { bootEpoch: 9 }))).to.equal('retired');
    expect(state.say(admit('b', { bootEpoch: 9 }))).to.equal('retired');
    expect(state.say({ type: 'drain', id: 'b', isDraining: true })).to.equal('retired');
    expect(state.say({ type: 'forget', id: 'b' })).to.equal('done');
    expect(state.say({ type: 'forget', id: 'a' })).to.equal('done');
    expect(state.say(announce('c')), 'no second founder').to.equal('unknown-member');
  });

  it('stays drained when it starts again', () => {
    const state = foundedState('a');
    expect(state.say({ type: 'drain', id: 'x', isDraining: true })).to.equal('unknown-member');
    expect(state.say({ type: 'drain', id: 'a', isDraining: true })).to.equal('done');
    state.run(announce('a', { bootEpoch: 2 }));
    expect(state.view().members.get('a')?.isDraining).to.equal(true);
    state.run({ type: 'drain', id: 'a', isDraining: false });
    expect(state.view().members.get('a')?.isDraining).to.equal(false);
  });

  it('is refused when there are as many as there may be', () => {
    const ids = Array.from({ length: limits.members }, (_, at) => `m${at}`);
    const state = foundedState(...ids);
    state.run({ type: 'addToken', token: exampleToken('t') });
    expect(state.say(admit('another'))).to.equal('full');
    expect(state.say(admit('m1', { bootEpoch: 2 })), 'it is there already').to.equal('done');
  });
});

describe('a join token', () => {
  const withToken = (more: Parameters<typeof exampleToken>[1] = {}) => {
    const state = foundedState('a');
    expect(state.say({ type: 'addToken', token: exampleToken('t', more) })).to.equal('done');
    return state;
  };

  const refusals: [string, Parameters<typeof exampleToken>[1], Command, string][] = [
    ['nobody knows', {}, { ...admit('b'), tokenId: 'x' } as Command, 'unknown-token'],
    [
      'with another secret',
      {},
      { ...admit('b'), secretHash: 'cd'.repeat(32) } as Command,
      'unknown-token',
    ],
    ['for a witness', { kind: 'witness' }, admit('b'), 'token-wrong-kind'],
    ['for a node', {}, admit('b', { kind: 'witness' }), 'token-wrong-kind'],
    ['that has expired', { expiresAt: 1500 }, admit('b', {}, 61_500), 'token-expired'],
    ['in time', { expiresAt: 1500 }, admit('b', {}, 1499), 'done'],
    ['in time by a clock a minute behind', { expiresAt: 1500 }, admit('b', {}, 61_499), 'done'],
    ['of which the last use was taken', { usesLeft: 0 }, admit('b'), 'token-used'],
    [
      'in the hands of a version too old',
      {},
      admit('b', { features: { min: 1, max: 1 } }),
      'features-unsupported',
    ],
    ['in the hands of a copy', {}, admit('a', { bootEpoch: 0 }), 'restored-copy'],
  ];
  for (const [what, more, command, outcome] of refusals) {
    it(`${what}: ${outcome}`, () => {
      const state = withToken(more);
      expect(state.say(command)).to.equal(outcome);
      if (outcome !== 'done') expect(state.view().members.size).to.equal(1);
    });
  }

  it('is used up in the step that admits, once even if the answer was lost', () => {
    const state = withToken({ usesLeft: 1 });
    expect(state.say(admit('b'))).to.equal('done');
    expect(state.view().tokens.get('t')?.usesLeft).to.equal(0);
    expect(state.say(admit('b'))).to.equal('done');
    expect(state.say(admit('b', { bootEpoch: 2 }))).to.equal('token-used');
    expect(state.say(admit('c'))).to.equal('token-used');
  });

  it('is not used up by who is refused', () => {
    const state = withToken({ usesLeft: 1 });
    state.run(admit('a', { session: 'other' }));
    expect(state.view().tokens.get('t')?.usesLeft).to.equal(1);
  });

  it('has an id of its own, and can be taken back', () => {
    const state = withToken();
    expect(state.say({ type: 'addToken', token: exampleToken('t') })).to.equal('token-exists');
    state.run(announce('a', {}, 61_000));
    const late = exampleToken('late', { expiresAt: 1000 });
    expect(state.say({ type: 'addToken', token: late })).to.equal('token-expired');
    expect(state.say({ type: 'revokeToken', id: 't' })).to.equal('done');
    expect(state.say({ type: 'revokeToken', id: 't' })).to.equal('unknown-token');
    expect(state.say(admit('b'))).to.equal('unknown-token');
  });

  it('is forgotten a day after it expired', () => {
    const state = withToken({ expiresAt: 1500 });
    state.run(announce('a', {}, 1500 + tokenGraceMs - 1));
    expect([...state.view().tokens.keys()]).to.deep.equal(['t']);
    state.run(announce('a', {}, 1500 + tokenGraceMs));
    expect([...state.view().tokens.keys()]).to.deep.equal([]);
  });

  it('makes room for others when it is of no more use', () => {
    const state = withToken({ usesLeft: 1 });
    for (let at = 1; at < limits.tokens; at += 1) {
      state.run({ type: 'addToken', token: exampleToken(`t${at}`) });
    }
    const more = exampleToken('more');
    expect(state.say({ type: 'addToken', token: more })).to.equal('full');
    state.run(admit('b'));
    expect(state.say({ type: 'addToken', token: more })).to.equal('done');
    expect(state.view().tokens.has('t')).to.equal(false);
  });
});

describe('the feature level', () => {
  const older = { features: { min: 1, max: 1 } };
  const found: Command = { type: 'found', clusterId: 'home', epoch: 3, at: 1000 };
  const raise = (level: number): Command => ({ type: 'raiseFeatures', level });

  it('is what the founder knows, and goes up when every member can follow, never down', () => {
    const state = foundedState('a', 'b');
    expect(state.view().featureLevel).to.equal(2);
    expect(state.say(raise(2))).to.equal('features-unsupported');
    expect(state.say(raise(1))).to.equal('features-unsupported');
  });

  it('waits for the last member of the release before', () => {
    const state = exampleState();
    state.run(found);
    state.run(announce('a', older));
    state.run({ type: 'addToken', token: exampleToken('t') });
    expect(state.say(admit('b'))).to.equal('done');
    expect(state.view().featureLevel).to.equal(1);
    expect(state.say(raise(2)), 'a cannot').to.equal('features-unsupported');
    expect(state.say(raise(9)), 'and nobody is stopped by what is refused').to.equal(
      'features-unsupported',
    );
    state.run(announce('a', { bootEpoch: 2 }));
    expect(state.say(raise(2))).to.equal('done');
    expect(state.view().featureLevel).to.equal(2);
    expect(state.say(announce('a', { ...older, bootEpoch: 3 })), 'no way back').to.equal(
      'features-unsupported',
    );
  });

  it('keeps out of the log what the release before cannot read', () => {
    const state = exampleState();
    state.run(found);
    state.run(announce('a', older));
    const events: Command = { type: 'events', tags: [], batches: [] };
    expect(state.say(events)).to.equal('features-unsupported');
    state.run(announce('a', { bootEpoch: 2 }));
    state.run(raise(2));
    expect(state.say(events)).to.equal('done');
  });

  it('takes a token for a minute longer from level 2 on, on all nodes alike', () => {
    const state = exampleState();
    state.run(found);
    state.run(announce('a', older));
    state.run({ type: 'addToken', token: exampleToken('t', { expiresAt: 1500 }) });
    expect(state.say(admit('b', {}, 1500))).to.equal('token-expired');
    state.run(announce('a', { bootEpoch: 2 }));
    state.run(raise(2));
    expect(state.say(admit('b', {}, 1501))).to.equal('done');
  });

  const tooNew: [string, Command[], Command][] = [
    ['a command of it', [announce('a', older)], { type: 'events', tags: [], batches: [] }],
    ['its raising', [announce('a', older), announce('a', { bootEpoch: 2 })], raise(2)],
    ['a founder that knows it', [], announce('a')],
  ];
  for (const [what, before, command] of tooNew) {
    it(`above what a node takes part in stops it at ${what}, and nothing is skipped`, () => {
      const told: Unreadable[] = [];
      const state = exampleState({ maxLevel: 1, onUnreadable: (each) => told.push(each) });
      for (const each of [found, ...before]) expect(state.say(each)).to.equal('done');
      const view = state.view();
      expect(state.say(command)).to.equal('unreadable');
      expect(state.say({ type: 'invalidate', tags: ['x'] })).to.equal('unreadable');
      expect(told).to.have.length(1);
      expect(told[0]!.why).to.contain('feature level 2 is needed, and this node knows up to 1');
      expect(state.view()).to.deep.equal(view);
    });
  }

  it('stays when there is nobody', () =>
    expect(foundedState().say(raise(1))).to.equal('features-unsupported'));
});

describe('the state machine', () => {
  const invalidate = (index: number, ...tags: string[]) =>
    commandEntry(index, { type: 'invalidate', tags });
  const found = commandEntry(1, { type: 'found', clusterId: 'home', epoch: 3, at: 1 });
  const begin = 3 * perEpoch;

  it('tells what is stale in order, then what changed, then how far it is', () => {
    const state = createState();
    const told: unknown[] = [];
    state.onChange(({ index, epoch }) => told.push(['changed', index - begin, epoch]));
    state.onApplied((index) => told.push(['applied', index - begin]));
    const stop = state.onInvalidate((index, tags) => told.push([index - begin, ...tags]));
    const noop = { index: 3, term: 2, type: 'noop', data: new Uint8Array() } as const;
    const results = state.machine.apply([found, invalidate(2, 'x', 'y'), noop, invalidate(4)]);
    expect(told).to.deep.equal([[2, 'x', 'y'], [4], ['changed', 4, 3], ['applied', 4]]);
    expect(results).to.deep.equal([1, 2, 3, 4].map((at) => ({ isDone: true, index: begin + at })));
    told.length = 0;
    stop();
    state.machine.apply([invalidate(5, 'z')]);
    state.machine.apply([]);
    expect(told).to.deep.equal([['applied', 5]]);
  });

  it('gives views that stay as they are', () => {
    const state = foundedState('a', 'b');
    const before = state.view();
    expect(state.view()).to.equal(before);
    const copy = structuredClone(before);
    state.run({ type: 'drain', id: 'a', isDraining: true });
    const between = state.view();
    state.run({ type: 'drain', id: 'a', isDraining: false });
    state.run({ type: 'forget', id: 'b' });
    state.run({ type: 'setAutopilot', config: { ...defaultAutopilot, maxVoters: 3 } });
    expect(before).to.deep.equal(copy);
    expect(between.members.get('a')?.isDraining).to.equal(true);
    expect(state.view().autopilot.maxVoters).to.equal(3);
    expect(state.view().members.size).to.equal(1);
  });

  it('is asked for a view while it applies, and is not misled by it later', () => {
    const state = createState();
    const seen: number[] = [];
    state.onInvalidate(() => seen.push(state.view().index - begin));
    state.machine.apply([found, invalidate(2), invalidate(3)]);
    expect(seen).to.deep.equal([2, 3]);
    expect(state.view().index).to.equal(begin + 3);
  });

  it('refuses an entry that was left out or comes twice', () => {
    const state = createState();
    state.machine.apply([found]);
    expect(() => state.machine.apply([invalidate(3)])).to.throw(RangeError, 'entry 3');
    expect(() => state.machine.apply([found])).to.throw(RangeError, 'entry 1');
  });

  it('stops at what it cannot read, and makes no snapshot in its name', async () => {
    const told: Unreadable[] = [];
    const applied: number[] = [];
    const state = createState({ onUnreadable: (unreadable) => told.push(unreadable) });
    state.onApplied((index) => applied.push(index - begin));
    const newer = { ...found, index: 3, data: Buffer.from('\x01{"type":"ban"}') };
    const results = state.machine.apply([found, invalidate(2), newer, invalidate(4)]);
    state.machine.apply([invalidate(5)]);
    expect(results.map((result) => (result.isDone ? 'done' : result.why))).to.deep.equal([
      'done',
      'done',
      'unreadable',
      'unreadable',
    ]);
    expect(told.map(({ raftIndex }) => raftIndex)).to.deep.equal([3]);
    expect(state.unreadable()?.why).to.contain('not a command: type');
    expect(applied).to.deep.equal([2]);
    expect(state.view().index).to.equal(begin + 2);
    const error = await Array.fromAsync(state.machine.snapshot()).catch(String);
    expect(error).to.contain('cannot be made: entry 3 could not be read');
  });

  it('has no index beyond what numbers hold', () => {
    const state = exampleState();
    state.run({ type: 'found', clusterId: 'home', epoch: limits.epoch, at: 1 });
    expect(Number.isSafeInteger(state.view().index + perEpoch)).to.equal(true);
  });
});

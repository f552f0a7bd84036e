import { expect } from 'chai';
import type {
  Boot,
  Effects,
  Entry,
  Input,
  Raft,
  Save,
  SnapshotMeta,
  Status,
} from '../core/types.ts';
import type { Driver } from './driver.ts';
import { createDriver } from './driver.ts';
import { createEngine } from './engine.ts';
import { OutcomeUnknownError, RaftRefusedError } from './errors.ts';
import type { Log, StateMachine, Store, Transport } from './ports.ts';

const configuration = { servers: [{ id: 'n1', address: 'a:1', suffrage: 'voter' as const }] };
const empty: Boot = { hardState: { term: 1, vote: undefined }, snapshot: undefined, entries: [] };
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A core that leads from its first tick and commits what is saved; the rest is at the tests' wish. */
function createSoleCore() {
  const entries: Entry[] = [];
  let save = 0;
  let applied = 0;
  const core = {
    term: 2,
    role: 'follower' as Status['role'],
    isTransferring: false,
    isHoldingCommits: false,
    taken: undefined as SnapshotMeta | undefined,
    inputs: [] as Input['type'][],
    lose: () => undefined as void,
  };
  const raft: Raft = {
    deadline: () => Infinity,
    entries: () => entries,
    status: () =>
      ({
        ...{ id: 'n1', role: core.role, term: core.term, leader: undefined, peers: [] },
        ...{ commit: applied, durable: entries.length, lastIndex: entries.length, lastTerm: 2 },
        ...{ firstIndex: 1, snapshotIndex: 0, uncommittedBytes: 0, configuration },
        ...{ configurationIndex: 1, isConfigurationCommitted: true, isTransferring: false },
        contactMs: 0,
      }) satisfies Status,
    step(input) {
      core.inputs.push(input.type);
      const out = { send: [], replies: [], apply: [], reads: [], roles: [], configurations: [] };
      const effects: { -readonly [K in keyof Effects]: Effects[K] } = out;
      const role = (is: Status['role']) => {
        core.role = is;
        effects.roles = [{ role: is, term: core.term, leader: undefined, because: 'the test' }];
      };
      if (input.type === 'tick' && core.role !== 'leader') role('leader');
      if (input.type === 'stepDown') role('follower');
      if (input.type === 'propose') {
        if (core.role !== 'leader') effects.outcome = { isAccepted: false, reason: 'not-leader' };
        else if (core.isTransferring) {
          effects.outcome = { isAccepted: false, reason: 'transfer-in-progress' };
        } else {
          const index = entries.length + 1;
          const added = input.proposals.map(({ type, data }, nth) => ({
            ...{ index: index + nth, term: core.term, type, data },
          }));
          entries.push(...added);
          save += 1;
          effects.save = { number: save, entries: added, mustSync: true };
          effects.outcome = { isAccepted: true, index, term: core.term };
        }
      }
      if (input.type === 'saved' && !core.isHoldingCommits) {
        effects.apply = entries.slice(applied);
        applied = entries.length;
      }
      if (input.type === 'read') effects.reads = [{ id: input.id, index: entries.length }];
      if (input.type === 'snapshotTaken') core.taken = input.snapshot;
      return effects;
    },
  };
  return { core, raft };
}

function createMemoryStore(boot = empty) {
  const saves: (readonly Save[])[] = [];
  const snapshots = new Map<number, Buffer>();
  const disk = {
    saves,
    snapshots,
    error: undefined as Error | undefined,
    /** A write lasts until then. */
    done: Promise.resolve(),
    noting: Promise.resolve(),
  };
  const store: Store = {
    boot,
    async save(given) {
      saves.push(given);
      await disk.done;
      if (disk.error) throw disk.error;
    },
    hintCommit: () => undefined,
    noteSnapshot: () => disk.noting,
    async createSnapshot({ index }) {
      const pieces: Uint8Array[] = [];
      return {
        write: async (bytes) => void pieces.push(bytes),
        async commit(size) {
          const bytes = Buffer.concat(pieces);
          expect(size).to.equal(bytes.length);
          snapshots.set(index, bytes);
        },
        abort: async () => undefined,
      };
    },
    async openSnapshot({ index }) {
      const bytes = snapshots.get(index) ?? Buffer.alloc(0);
      return {
        ...{ size: bytes.length, crc: 0, close: async () => undefined },
        async *read() {
          yield bytes;
        },
      };
    },
    keptOf: async () => 0,
    close: async () => undefined,
  };
  return { disk, store };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Concatenates what is applied, and answers with the length so far. */
function createTextMachine() {
  const state = { text: '', batches: 0 };
  const machine: StateMachine = {
    apply(entries) {
      state.batches += 1;
      return entries.map(({ data }) => (state.text += Buffer.from(data).toString()).length);
    },
    async *snapshot() {
      yield Buffer.from(state.text.slice(0, 2));
      yield Buffer.from(state.text.slice(2));
    },
    async restore(stream) {
      state.text = '';
      for await (const piece of stream) state.text += Buffer.from(piece).toString();
    },
  };
  return { state, machine };
}

const transport: Transport = {
  listen: async () => undefined,
  send: () => new Promise(() => undefined),
  setBook: () => undefined,
  refuse: () => undefined,
  reloadTls: () => Promise.resolve(),
  close: async () => undefined,
};

describe('the Raft driver', () => {
  let driver: Driver | undefined;
  const start = async (boot = empty) => {
    const { core, raft } = createSoleCore();
    const { disk, store } = createMemoryStore(boot);
    const { state, machine } = createTextMachine();
    if (boot.snapshot) disk.snapshots.set(boot.snapshot.index, Buffer.from('restored '));
    const engine = createEngine({
      ...{ raft, store, transport, log: silent, now: () => performance.now(), random: () => 0 },
      snapshots: { intervalMs: 60_000, threshold: 1, thresholdBytes: 1 << 30 },
      ...{ patienceMs: 100, hostTimeoutMs: 0 },
    });
    const made = createDriver({ link: engine, machine, log: silent, lossGraceMs: 30 });
    driver = made;
    const leads = new Promise<void>((resolve) => made.onLeadership(() => resolve()));
    await engine.start();
    await leads;
    return { driver: made, core, disk, state };
  };
  afterEach(() => driver?.close());

  const caught = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('answers each proposal with its place and its result, in one write per turn', async () => {
    const { driver, disk, state } = await start();
    const done = await Promise.all(
      ['a', 'bc', 'd'].map((text) => driver.propose(Buffer.from(text))),
    );
    expect(done).to.deep.equal([
      { index: 1, term: 2, result: 1 },
      { index: 2, term: 2, result: 3 },
      { index: 3, term: 2, result: 4 },
    ]);
    expect(disk.saves).to.have.length(1);
    expect(state).to.deep.equal({ text: 'abcd', batches: 1 });
  });

  it('has one write under way, and puts what comes meanwhile into the next', async () => {
    const { driver, disk } = await start();
    const { promise, resolve: finish } = Promise.withResolvers<void>();
    disk.done = promise;
    const first = driver.propose(Buffer.from('a'));
    while (disk.saves.length === 0) await turn();
    const others: Promise<unknown>[] = [];
    for (const text of ['b', 'c', 'd']) {
      others.push(driver.propose(Buffer.from(text)));
      await turn();
    }
    // Its answer comes after all that was said before it.
    await driver.status();
    finish();
    await Promise.all([first, ...others]);
    expect(disk.saves.map((saves) => saves.length)).to.deep.equal([1, 3]);
  });

  it('answers reads once the state machine is there', async () => {
    const { driver, state } = await start();
    const wrote = driver.propose(Buffer.from('x'));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([driver.read('quorum'), driver.read('quorum'), driver.read('lease')]);
    expect(state.text).to.equal('x');
    await wrote;
  });

  it('holds proposals during a transfer, and refuses them when it takes too long', async () => {
    const { driver, core } = await start();
    core.isTransferring = true;
    const held = driver.propose(Buffer.from('a'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    core.isTransferring = false;
    await driver.status();
    expect((await held).index).to.equal(1);
    core.isTransferring = true;
    const late = caught(driver.propose(Buffer.from('b')));
    await new Promise((resolve) => setTimeout(resolve, 120));
    await driver.status();
    expect(await late)
      .to.be.instanceOf(RaftRefusedError)
      .with.property('reason', 'busy');
  });

  it('says that the outcome is unknown when leadership went before the commit', async () => {
    const { driver, core } = await start();
    core.isHoldingCommits = true;
    const lost = caught(driver.propose(Buffer.from('a')));
    await new Promise((resolve) => setTimeout(resolve, 10));
    driver.stepDown();
    expect(await lost).to.be.instanceOf(OutcomeUnknownError);
    const refused = await caught(driver.propose(Buffer.from('b')));
    expect(refused).to.be.instanceOf(RaftRefusedError).with.property('reason', 'not-leader');
  });

  it('proposes what is bound to a term in no other', async () => {
    const { driver } = await start();
    expect((await driver.propose(Buffer.from('a'), 2)).index).to.equal(1);
    const refused = await caught(driver.propose(Buffer.from('b'), 1));
    expect(refused).to.be.instanceOf(RaftRefusedError).with.property('reason', 'term-changed');
  });

  it('refuses a command that would hold up all others', async () => {
    const { driver, disk } = await start();
    const refused = await caught(driver.propose(Buffer.alloc(512 * 1024 + 1)));
    expect(refused).to.be.instanceOf(RaftRefusedError).with.property('reason', 'too-large');
    expect(disk.saves).to.have.length(0);
  });

  it('ends when the disk refuses, and leaves nobody waiting', async () => {
    const { driver, disk } = await start();
    disk.error = new Error('no space left on device');
    const lost = await caught(driver.propose(Buffer.from('a')));
    expect(lost).to.be.instanceOf(OutcomeUnknownError);
    expect(await driver.ended).to.equal(disk.error);
    expect(await caught(driver.propose(Buffer.from('b')))).to.be.instanceOf(RaftRefusedError);
    expect(await caught(driver.status())).to.be.instanceOf(RaftRefusedError);
  });

  it('starts from its snapshot and writes another', async () => {
    const snapshot = { index: 0, term: 1, configuration, configurationIndex: 0 };
    const { driver, core, disk, state } = await start({ ...empty, snapshot });
    await driver.propose(Buffer.from('new'));
    expect(state.text).to.equal('restored new');
    const { index, term } = await driver.snapshot();
    expect({ index, term }).to.deep.equal({ index: 1, term: 2 });
    expect(disk.snapshots.get(1)?.toString()).to.equal('restored new');
    await driver.status();
    expect(core.taken).to.deep.equal({ ...snapshot, index: 1, term: 2 });
    expect(await caught(driver.snapshot())).to.be.instanceOf(RaftRefusedError);
  });

  it('cuts the log for a snapshot only once the disk counts it as one', async () => {
    const snapshot = { index: 0, term: 1, configuration, configurationIndex: 0 };
    const { driver, core, disk } = await start({ ...empty, snapshot });
    await driver.propose(Buffer.from('a'));
    const noting = Promise.withResolvers<void>();
    disk.noting = noting.promise;
    const taken = driver.snapshot();
    while (!disk.snapshots.has(1)) await driver.status();
    expect(core.inputs).to.not.include('snapshotTaken');
    noting.resolve();
    await taken;
    await driver.status();
    expect(core.inputs).to.include('snapshotTaken');
  });
});

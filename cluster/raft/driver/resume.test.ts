import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createAuthority } from '#test/fixtures/raft/authority.ts';
import { from, until, useTransports } from '#test/fixtures/raft/transports.ts';
import { needs } from '#test/needs.ts';
import { freePorts } from '#test/ports.ts';
import type { Configuration, InstallRequest, Response, SnapshotMeta } from '../core/types.ts';
import type { TcpTransport, TlsOptions } from '../transport/types.ts';
import { openDisk } from './disk.ts';
import { createDriver } from './driver.ts';
import { createRecorder } from './metrics.ts';
import { openEngine } from './open.ts';
import type { Bytes, Log, Store } from './ports.ts';
import { createReceiver } from './receiver.ts';
import { profiles } from './settings.ts';

const size = 24 * 1024 * 1024;
const pieceBytes = 256 * 1024;
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const snapshotAt = (index: number): SnapshotMeta => ({
  ...{ index, term: 1, configurationIndex: 1 },
  configuration: { servers: [{ id: 'n1', address: 'n1', suffrage: 'voter' }] },
});

/** Bytes without a pattern that a lost or doubled piece could hide in. */
function stateOf(seed: number): Buffer {
  const words = new Uint32Array(size / 4);
  let x = seed;
  for (let i = 0; i < words.length; i++) words[i] = x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  return Buffer.from(words.buffer);
}

function createMachine(first: Buffer) {
  let state = first;
  return {
    state: () => state,
    apply: (entries: readonly unknown[]) => entries.map(() => undefined),
    async *snapshot() {
      for (let at = 0; at < state.length; at += pieceBytes) {
        yield state.subarray(at, at + pieceBytes);
      }
    },
    async restore(stream: Bytes) {
      const pieces: Uint8Array[] = [];
      for await (const piece of stream) pieces.push(piece);
      state = Buffer.concat(pieces);
    },
  };
}

describe('a snapshot whose stream breaks', function () {
  needs('openssl');
  const { transport, stranger, client } = useTransports();
  let root: string;
  let issue: (id: string) => TlsOptions;
  const stores: Store[] = [];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'revenge-raft-resume-'));
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    rmSync(root, { recursive: true, force: true });
  });

  async function open(id: string): Promise<Store> {
    const store = await openDisk({ dir: join(root, id), id, bootstrap: undefined, log: silent });
    stores.push(store);
    return store;
  }

  async function take(store: Store, snapshot: SnapshotMeta, state: Buffer): Promise<void> {
    const sink = await store.createSnapshot(snapshot);
    for (let at = 0; at < state.length; at += pieceBytes) {
      await sink.write(state.subarray(at, at + pieceBytes));
    }
    await sink.commit(state.length);
  }

  /** A follower without a core, which wants every snapshot. */
  async function follower(store: Store, tls?: TlsOptions) {
    const receiver = createReceiver({
      ...{ store, log: silent, recorder: createRecorder(), now: () => performance.now() },
      input(what) {
        if (what.type === 'request' && what.request.kind === 'install') {
          const { snapshot, size: bytes } = what.request;
          receiver.receive({ token: what.token, snapshot, size: bytes });
        } else if (what.type === 'snapshotReceived' || what.type === 'snapshotAborted') {
          const isSuccess = what.type === 'snapshotReceived';
          receiver.reply(what.token, { kind: 'install', term: 2, isSuccess });
        }
      },
    });
    const made = transport({ ...(tls ? { tls } : {}) });
    await made.listen(receiver.handle, receiver.kept);
    return made.address().port;
  }

  /** Counts what goes to the follower, and cuts one connection after the other behind so many bytes. */
  async function wire(port: number, cuts: number[]) {
    const counted = { sent: 0, connections: 0 };
    const address = await stranger((socket: Socket) => {
      counted.connections += 1;
      const behind = client(port);
      let passed = 0;
      socket.on('data', (chunk: Buffer) => {
        counted.sent += chunk.length;
        passed += chunk.length;
        if (!behind.write(chunk)) {
          socket.pause();
          behind.once('drain', () => socket.resume());
        }
        if (passed < (cuts[0] ?? Infinity)) return;
        cuts.shift();
        socket.destroy();
      });
      behind.on('data', (chunk: Buffer) => socket.write(chunk));
      socket.on('close', () => behind.end());
      behind.on('close', () => socket.destroy());
    });
    return { counted, address };
  }

  async function send(sender: TcpTransport, store: Store, to: { address: string; index: number }) {
    const source = await store.openSnapshot(snapshotAt(to.index));
    const request: InstallRequest = {
      ...{ kind: 'install', from, term: 2, snapshot: snapshotAt(to.index), size: source.size },
    };
    return sender.send({ to: 'n2', address: to.address, request, source });
  }

  /** Until it is there, as a leader would; how often it took. */
  async function sendAll(
    sender: TcpTransport,
    store: Store,
    to: { address: string; index: number },
  ) {
    for (let attempts = 1; ; attempts += 1) {
      const answer: Response | undefined = await send(sender, store, to).catch(() => undefined);
      if (answer?.kind === 'install' && answer.isSuccess) return attempts;
    }
  }

  async function stateAt(store: Store, index: number): Promise<Buffer> {
    const source = await store.openSnapshot(snapshotAt(index));
    const pieces: Uint8Array[] = [];
    for await (const piece of source.read(0)) pieces.push(piece);
    await source.close();
    return Buffer.concat(pieces);
  }

  const step = size / 6;
  const fourCuts = () => [step, step, step, step];
  const filesOf = (id: string) => readdirSync(join(root, id, 'snapshots'));

  for (const isSecure of [false, true]) {
    it(`goes on from there ${isSecure ? 'with' : 'without'} TLS: about one size is sent`, async () => {
      issue = createAuthority(root, 'ours');
      const [leader, own] = [await open('n1'), await open('n2')];
      const state = stateOf(1);
      await take(leader, snapshotAt(9), state);
      const port = await follower(own, isSecure ? issue('n2') : undefined);
      const { counted, address } = await wire(port, fourCuts());
      const sender = transport(isSecure ? { tls: issue('n1') } : { isAllOurs: true });
      expect(await sendAll(sender, leader, { address, index: 9 })).to.equal(5);
      expect(counted.connections).to.equal(5);
      // What was in the pipes at each cut comes again, and no more than that.
      expect(counted.sent).to.be.within(size, size * 1.25);
      expect((await stateAt(own, 9)).equals(state)).to.equal(true);
      expect(filesOf('n2')).to.have.lengthOf(1);
    });
  }

  it('goes on under another leader, and after a restart', async () => {
    const [first, second] = [await open('n1'), await open('n3')];
    const state = stateOf(2);
    for (const store of [first, second]) await take(store, snapshotAt(9), state);
    const before = await open('n2');
    const one = await wire(await follower(before), [size / 2]);
    const to = { address: one.address, index: 9 };
    await send(transport({ isAllOurs: true }), first, to).catch(() => undefined);
    await until(() => filesOf('n2').length === 2);
    await before.close();
    stores.splice(stores.indexOf(before), 1);
    const own = await open('n2');
    const two = await wire(await follower(own), []);
    await sendAll(transport({ isAllOurs: true }), second, { address: two.address, index: 9 });
    expect(one.counted.sent + two.counted.sent).to.be.within(size, size * 1.25);
    expect((await stateAt(own, 9)).equals(state)).to.equal(true);
  });

  it('begins anew when it has become another', async () => {
    const [leader, own] = [await open('n1'), await open('n2')];
    const state = stateOf(3);
    await take(leader, snapshotAt(9), stateOf(1));
    const { counted, address } = await wire(await follower(own), [size / 2]);
    const sender = transport({ isAllOurs: true });
    await send(sender, leader, { address, index: 9 }).catch(() => undefined);
    await take(leader, snapshotAt(12), state);
    await sendAll(sender, leader, { address, index: 12 });
    expect(counted.sent).to.be.within(size * 1.5, size * 1.75);
    expect((await stateAt(own, 12)).equals(state)).to.equal(true);
    expect(filesOf('n2')).to.have.lengthOf(1);
  });

  it('never mixes two that are of one index', async () => {
    const [first, second] = [await open('n1'), await open('n3')];
    const states = [stateOf(4), stateOf(5)] as const;
    await take(first, snapshotAt(9), states[0]);
    await take(second, snapshotAt(9), states[1]);
    const own = await open('n2');
    const { address } = await wire(await follower(own), [size / 2]);
    const sender = transport({ isAllOurs: true });
    await send(sender, first, { address, index: 9 }).catch(() => undefined);
    await sendAll(sender, second, { address, index: 9 });
    expect((await stateAt(own, 9)).equals(states[1])).to.equal(true);
  });

  it('begins anew when what was kept is damaged', async () => {
    const [leader, own] = [await open('n1'), await open('n2')];
    const state = stateOf(6);
    await take(leader, snapshotAt(9), state);
    const { counted, address } = await wire(await follower(own), [size / 2]);
    const sender = transport({ isAllOurs: true });
    await send(sender, leader, { address, index: 9 }).catch(() => undefined);
    await until(() => filesOf('n2').length === 2);
    const partial = join(
      root,
      'n2',
      'snapshots',
      filesOf('n2').find((f) => f.endsWith('partial'))!,
    );
    const bytes = readFileSync(partial);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(partial, bytes);
    await sendAll(sender, leader, { address, index: 9 });
    expect(counted.sent).to.be.within(size * 1.5, size * 1.75);
    expect((await stateAt(own, 9)).equals(state)).to.equal(true);
  });

  it('arrives wherever it is cut, be it in the question or behind the last byte', async () => {
    const [leader, own] = [await open('n1'), await open('n2')];
    const sender = transport({
      isAllOurs: true,
      timeouts: { backoffMs: 1, maxBackoffMs: 1 },
    });
    const port = await follower(own);
    const state = stateOf(8).subarray(0, 300_000);
    let x = 8;
    const below = (most: number) => (x = (Math.imul(x, 1664525) + 1013904223) >>> 0) % most;
    for (let index = 10; index < 30; index += 1) {
      await take(leader, snapshotAt(index), state);
      const cuts = [below(300), below(600), below(300_000), 300_000 + below(1000)];
      const { address } = await wire(port, cuts);
      await sendAll(sender, leader, { address, index });
      expect((await stateAt(own, index)).equals(state), `cut at ${cuts.join()}`).to.equal(true);
    }
  });

  it('goes on between two whole engines, at the leader’s own pace', async () => {
    const state = stateOf(9);
    const [one, two] = await freePorts(2);
    const machines = { n1: createMachine(state), n2: createMachine(Buffer.alloc(0)) };
    const start = async (id: 'n1' | 'n2', port: number, bootstrap: Configuration | undefined) => {
      const engine = await openEngine(
        {
          ...{ id, address: id, dir: join(root, id), profile: profiles.lan, isAllOurs: true },
          ...{ trailingEntries: 0, snapshotIntervalMs: 60_000, snapshotThreshold: 1000 },
          ...{ listen: { host: '127.0.0.1', port }, hostTimeoutMs: 0 },
          ...(bootstrap ? { bootstrap } : {}),
        },
        silent,
      );
      const machine = machines[id];
      const driver = createDriver({ link: engine, machine, log: silent, lossGraceMs: 2000 });
      await engine.start();
      return driver;
    };
    const n1 = await start('n1', one!, snapshotAt(1).configuration);
    const n2 = await start('n2', two!, undefined);
    try {
      await until(() => n1.leadership().role === 'leader');
      await n1.propose(Buffer.from('x'));
      await n1.snapshot();
      const { counted, address } = await wire(two!, fourCuts());
      n1.setBook({ n2: [address] });
      const { index } = await n1.change({ kind: 'addNonvoter', id: 'n2', address: 'n2' });
      await until(() => n2.applied() >= index);
      expect(machines.n2.state().equals(state)).to.equal(true);
      expect(counted.sent).to.be.within(size, size * 1.25);
    } finally {
      await Promise.all([n1.close(), n2.close()]);
    }
  });

  it('comes whole again where nobody said that all are ours', async () => {
    const [leader, own] = [await open('n1'), await open('n2')];
    const state = stateOf(7);
    await take(leader, snapshotAt(9), state);
    const { counted, address } = await wire(await follower(own), [size / 2]);
    await sendAll(transport(), leader, { address, index: 9 });
    expect(counted.sent).to.be.within(size * 1.5, size * 1.75);
    expect((await stateAt(own, 9)).equals(state)).to.equal(true);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { createAuthority, filesOf } from '#test/fixtures/raft/authority.ts';
import { needs } from '#test/needs.ts';
import { until } from '#test/fixtures/raft/transports.ts';
import type { ConfigurationChange } from '../core/types.ts';
import { readState } from '../offline/inspect.ts';
import { createDriver, type Driver } from './driver.ts';
import { startEngineProcess } from './host.ts';
import { openEngine } from './open.ts';
import type { Log, StateMachine } from './ports.ts';
import { profiles, type EngineSettings } from './settings.ts';
import { freePort } from '#test/ports.ts';

const log: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const machine: StateMachine = {
  apply: (entries) => entries.map(({ index }) => index),
  async *snapshot() {
    yield Buffer.from('state');
  },
  async restore(stream) {
    for await (const piece of stream) expect(piece.length).to.be.greaterThan(0);
  },
};

describe('an engine on its real disk', () => {
  let folder: string;
  const drivers: Driver[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-raft-engine-'));
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  const settingsOf = (id: string, more: Partial<EngineSettings> = {}): EngineSettings => ({
    ...{ id, address: id, dir: join(folder, id), profile: profiles.lan },
    ...{ trailingEntries: 100, snapshotIntervalMs: 60_000, snapshotThreshold: 1000 },
    hostTimeoutMs: 0,
    ...more,
  });
  const members = (...ids: string[]) => ({
    servers: ids.map((id) => ({ id, address: id, suffrage: 'voter' as const })),
  });
  async function open(settings: EngineSettings): Promise<Driver> {
    const engine = await openEngine(settings, log);
    const driver = createDriver({ link: engine, machine, log, lossGraceMs: 2000 });
    drivers.push(driver);
    await engine.start();
    return driver;
  }
  const leads = (driver: Driver) => until(() => driver.leadership().role === 'leader');

  it('is a cluster of one without any network', async () => {
    const driver = await open(settingsOf('n1', { bootstrap: members('n1') }));
    await leads(driver);
    const { result } = await driver.propose(Buffer.from('x'));
    expect(result).to.be.a('number');
    await driver.read('quorum');
    await driver.reloadTls();
    driver.setBook({ n1: ['127.0.0.1:1'] });
    expect((await driver.status()).configuration).to.deep.equal(members('n1'));
  });

  it('notes down what is committed, for whoever has to recover the data', async () => {
    const driver = await open(settingsOf('n1', { bootstrap: members('n1') }));
    await leads(driver);
    const { index } = await driver.propose(Buffer.from('x'));
    await driver.propose(Buffer.from('y'));
    await driver.close();
    expect((await readState(join(folder, 'n1'))).commitHint).to.equal(index);
  });

  it('says which files and which port it cannot have', async () => {
    const messageOf = (starting: Promise<unknown>) =>
      starting.then(
        () => 'none',
        (error: Error) => error.message,
      );
    const tls = { ca: '/nowhere/ca', cert: '/nowhere/cert', key: '/nowhere/key' };
    const listen = { host: '127.0.0.1', port: await freePort() };
    const without = openEngine(settingsOf('n1', { listen, tls }), log);
    expect(await messageOf(without)).to.contain('/nowhere/ca, /nowhere/cert and /nowhere/key');
    const elsewhere = { host: '203.0.113.1', port: 1 };
    const engine = await openEngine(settingsOf('n1', { listen: elsewhere }), log);
    const message = await messageOf(engine.start());
    await engine.close();
    expect(message).to.contain('cannot listen at 203.0.113.1:1');
  });

  it('writes into the log of its host, also while it still reads', async function () {
    const dir = join(folder, 'n1');
    mkdirSync(dir);
    // A disk that does not answer for a while.
    const identity = join(dir, 'identity.json');
    execFileSync('mkfifo', [identity]);
    const lines: [string, Record<string, unknown> | undefined][] = [];
    const note = (message: string, facts?: Record<string, unknown>) =>
      void lines.push([message, facts]);
    const starting = startEngineProcess(
      settingsOf('n1', { bootstrap: members('n1'), hostTimeoutMs: 2000 }),
      { info: note, warn: note, error: note },
    );
    await until(() => lines.length > 0);
    expect(lines).to.deep.equal([['still reads its Raft data', { dir }]]);
    writeFileSync(identity, JSON.stringify({ generation: 1, hasLog: false, retired: [] }));
    const driver = createDriver({ link: await starting, machine, log, lossGraceMs: 2000 });
    drivers.push(driver);
    await leads(driver);
    expect(lines.map(([message]) => message)).to.include('is leader');
  });

  it('tells of members: those at the start, a change, and its commit', async () => {
    const driver = await open(settingsOf('n1', { bootstrap: members('n1') }));
    expect(driver.configuration()).to.deep.include({ configuration: members('n1') });
    const heard: ConfigurationChange[] = [];
    driver.onConfiguration((change) => heard.push(change));
    await leads(driver);
    await driver.barrier();
    heard.length = 0;
    const { index } = await driver.change({ kind: 'addNonvoter', id: 'n2', address: 'n2' });
    const n2 = { id: 'n2', address: 'n2', suffrage: 'nonvoter' };
    const configuration = { servers: [...members('n1').servers, n2] };
    expect(heard).to.deep.equal([
      { configuration, index, isCommitted: false },
      { configuration, index, isCommitted: true },
    ]);
    expect(driver.configuration()).to.equal(heard[1]);
    await driver.close();
    const again = await open(settingsOf('n1'));
    expect(again.configuration()).to.deep.include({ configuration, index });
  });

  it('finds members that are named by id alone, in a process of its own too', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const bootstrap = members('n1', 'n2');
    const at = (port: number) => ({ listen: { host: '127.0.0.1', port }, bootstrap });
    const book = { n1: [`127.0.0.1:${a}`], n2: ['127.0.0.1:1', `127.0.0.1:${b}`] };
    const n1 = await open(settingsOf('n1', { ...at(a), book }));
    const link = await startEngineProcess(settingsOf('n2', { ...at(b), hostTimeoutMs: 2000 }), log);
    const n2 = createDriver({ link, machine, log, lossGraceMs: 2000 });
    drivers.push(n2);
    n2.setBook(book);
    const both = [n1, n2];
    await until(() => both.some((driver) => driver.leadership().role === 'leader'));
    const leader = both.find((driver) => driver.leadership().role === 'leader')!;
    const { index } = await leader.propose(Buffer.from('x'));
    await until(() => both.every((driver) => driver.applied() >= index));
    // Leadership goes to and from the one whom only the second candidate reaches.
    for (const to of leader === n2 ? [n1, n2] : [n2, n1]) {
      const before = to === n1 ? n2 : n1;
      const id = to === n1 ? 'n1' : 'n2';
      await until(async () => {
        if (to.leadership().role === 'leader') return true;
        // A slow machine may let the heir's election lapse: whoever leads then is asked again.
        await before.transfer(id).catch(() => undefined);
        return false;
      });
    }
  });
});

describe('an engine whose certificates are renewed', () => {
  needs('openssl');
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-raft-renewed-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('shows them without a restart, and says so when they cannot be used', async () => {
    const issue = createAuthority(folder, 'ours');
    const client = issue('n2');
    issue('n1');
    const tls = filesOf(folder, 'ours', 'n1');
    const port = await freePort();
    const servers = [{ id: 'n1', address: 'n1', suffrage: 'voter' as const }];
    const engine = await openEngine(
      {
        ...{ id: 'n1', address: 'n1', dir: join(folder, 'data'), profile: profiles.lan, tls },
        ...{ trailingEntries: 100, snapshotIntervalMs: 60_000, snapshotThreshold: 1000 },
        ...{ listen: { host: '127.0.0.1', port }, bootstrap: { servers }, hostTimeoutMs: 0 },
      },
      log,
    );
    const driver = createDriver({ link: engine, machine, log, lossGraceMs: 2000 });
    await engine.start();
    const shown = async () => {
      const { ca, cert, key } = client;
      const options = { host: '127.0.0.1', port, ca, cert, key };
      const socket = connect({ ...options, checkServerIdentity: () => undefined });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    try {
      const first = await shown();
      issue('n1');
      expect(await shown()).to.equal(first);
      await driver.reloadTls();
      const second = await shown();
      expect(second).to.not.equal(first);
      writeFileSync(tls.cert, 'half a certifi');
      const failed = await driver.reloadTls().catch((error: unknown) => error);
      expect(failed).to.have.property('reason', 'bad-certificates');
      expect(await shown()).to.equal(second);
    } finally {
      await driver.close();
    }
  });
});

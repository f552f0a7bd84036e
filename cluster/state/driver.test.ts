import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createDriver } from '#cluster/raft/driver/driver.ts';
import { openEngine } from '#cluster/raft/driver/open.ts';
import type { Log } from '#cluster/raft/driver/ports.ts';
import { profiles } from '#cluster/raft/driver/settings.ts';
import { until } from '#test/fixtures/raft/transports.ts';
import { encodeCommand } from './command.ts';
import { exampleMember, exampleToken } from './examples.ts';
import { perEpoch } from './limits.ts';
import { createState } from './state.ts';
import type { Command, Result } from './types.ts';

const log: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Written by the last version that knew level 1 only: a log, and a snapshot in the middle of it. */
const level1 = fileURLToPath(new URL('../../test/fixtures/level-1', import.meta.url));

describe('the state behind a real log', () => {
  let folder: string;
  let opened: { close(): Promise<void> }[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-state-'));
  });
  afterEach(async () => {
    for (const driver of opened) await driver.close();
    opened = [];
    rmSync(folder, { recursive: true, force: true });
  });

  async function open() {
    const engine = await openEngine(
      {
        ...{ id: 'a', address: 'a', dir: folder, profile: profiles.lan, hostTimeoutMs: 0 },
        ...{ trailingEntries: 1, snapshotIntervalMs: 60_000, snapshotThreshold: 1000 },
        bootstrap: { servers: [{ id: 'a', address: 'a', suffrage: 'voter' }] },
      },
      log,
    );
    const state = createState();
    const driver = createDriver({ link: engine, machine: state.machine, log, lossGraceMs: 2000 });
    opened.push(driver);
    await engine.start();
    await until(() => driver.leadership().role === 'leader');
    await driver.barrier();
    const run = async (command: Command) =>
      (await driver.propose(encodeCommand(command))).result as Result;
    return { driver, state, run };
  }

  it('is there again after a restart, from a snapshot and from what came later', async () => {
    const { driver, state, run } = await open();
    await run({ type: 'found', clusterId: 'home', epoch: 7, at: 1000 });
    await run({ type: 'announce', member: exampleMember('a'), at: 1000 });
    await run({ type: 'addToken', token: exampleToken('one') });
    await driver.snapshot();
    const { index } = await run({ type: 'addToken', token: exampleToken('two') });
    const hash = state.hash();
    expect(state.view().index).to.equal(index);
    await driver.close();

    const again = await open();
    expect(again.state.view().index).to.be.greaterThan(index);
    expect([...again.state.view().tokens.keys()]).to.have.members(['one', 'two']);
    const { epoch, index: now } = again.state.view();
    expect(now - epoch * perEpoch).to.equal(again.driver.applied());
    expect(again.state.hash(), 'it has come further by its own first entries').to.not.equal(hash);
    const late = await again.run({ type: 'revokeToken', id: 'one' });
    expect(late).to.deep.equal({ isDone: true, index: again.state.view().index });
    expect([...again.state.view().tokens.keys()]).to.have.members(['two']);
  });

  it('goes on from a folder of the release before, and only then to what is new', async () => {
    cpSync(level1, folder, { recursive: true });
    const { driver, state, run } = await open();
    const before = state.view();
    expect(before).to.include({ clusterId: 'home', epoch: 7, featureLevel: 1, time: 2000 });
    expect(
      [...before.members.values()].map(({ id, isDraining }) => [id, isDraining]),
    ).to.deep.equal([
      ['a', false],
      ['b', true],
    ]);
    expect(before.tokens.get('two')).to.include({ usesLeft: 1 });
    const events: Command = { type: 'events', tags: [], batches: [{ id: 'x', events: ['1'] }] };
    expect(await run(events)).to.include({ why: 'features-unsupported' });
    // As long as the other one is of the release before, it is given snapshots that it can read.
    await run({ type: 'announce', member: exampleMember('a', { bootEpoch: 2 }), at: 3000 });
    await driver.snapshot();
    expect((await Array.fromAsync(state.machine.snapshot())).join()).to.match(/^revenge-state 1\n/);
    await run({ type: 'announce', member: exampleMember('b', { bootEpoch: 2 }), at: 3000 });
    expect(await run({ type: 'raiseFeatures', level: 2 })).to.include({ isDone: true });
    expect(await run(events)).to.include({ isDone: true });
    await driver.snapshot();
    await driver.close();
    const again = await open();
    expect(again.state.view()).to.deep.include({ featureLevel: 2, told: ['x'] });
  });
});

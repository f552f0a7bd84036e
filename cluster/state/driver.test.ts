import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
});

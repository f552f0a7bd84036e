import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Configuration, Server } from '../core/types.ts';
import { StoreError } from '../store/errors.ts';
import { readIdentity, writeIdentity } from '../store/folder.ts';
import { openSnapshots } from '../store/snapshots.ts';
import { openRaftStore } from '../store/store.ts';
import { applyRecovery, parsePeers } from './recover.ts';
import { applyRejoin } from './rejoin.ts';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));
const server = (id: string, port: number): Server => ({
  id,
  address: `127.0.0.1:${port}`,
  suffrage: 'voter',
});
const three: Configuration = {
  servers: [server('n1', 7001), server('n2', 7002), server('n3', 7003)],
};

describe('the offline tools of Raft', () => {
  let dir = '';
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'raft-offline-'));
    const store = await openRaftStore({ dir, id: 'n1' });
    await store.bootstrap(three);
    const entries = Array.from({ length: 9 }, (_, at) => ({
      index: at + 2,
      term: 3,
      type: 'command' as const,
      data: new Uint8Array([at]),
    }));
    store.hintCommit(8);
    const hardState = { term: 3, vote: { id: 'n2', address: '127.0.0.1:7002' } };
    await store.save([{ number: 1, hardState, entries, mustSync: true }]);
    const meta = { index: 6, term: 3, configuration: three, configurationIndex: 1 };
    const sink = await (await openSnapshots({ dir })).create(meta);
    await sink.write(Buffer.from('six'));
    await sink.commit(3);
    await store.noteSnapshot(meta);
    await store.save([{ number: 2, entries: [], compactTo: 4, mustSync: false }]);
    await store.close();
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const snapshotPath = () => {
    const folder = join(dir, 'snapshots');
    return join(folder, readdirSync(folder)[0]!);
  };
  function run(...args: string[]) {
    const ran = spawnSync(process.execPath, [program, ...args, '--data', dir], {
      encoding: 'utf8',
    });
    return { code: ran.status, out: ran.stdout, error: ran.stderr };
  }
  const json = (...args: string[]) =>
    JSON.parse(run(...args, '--json').out) as Record<string, unknown>;
  function peers(list: readonly unknown[]): string {
    const path = join(dir, 'peers.json');
    writeFileSync(path, JSON.stringify(list));
    return path;
  }
  const refusal = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).to.be.instanceOf(StoreError);
    return (error as StoreError).message;
  };

  it('tell the state', () => {
    const { code, out } = run('state');
    expect(code).to.equal(0);
    expect(out.split('\n').slice(0, 9)).to.deep.equal([
      'id          n1, generation 1',
      'vote        term 3, for n2 at 127.0.0.1:7002',
      'snapshot    index 6, term 3',
      'log         5 to 10, last of term 3',
      'committed   at least 8',
      'members     as of entry 1',
      '            n1 127.0.0.1:7001 voter',
      '            n2 127.0.0.1:7002 voter',
      '            n3 127.0.0.1:7003 voter',
    ]);
    expect(json('state')['hardState']).to.deep.equal({
      term: 3,
      vote: { id: 'n2', address: '127.0.0.1:7002' },
    });
  });

  it('show a range of the log', () => {
    const { out } = run('log', '--from', '9', '--to', '10');
    expect(out).to.equal('9 term 3 command 1 bytes\n10 term 3 command 1 bytes\n');
    const [one] = json('log', '--from', '9', '--to', '9') as unknown as [{ data: string }];
    expect(one.data).to.equal('07');
  });

  it('verify, and end with 1 on damage', () => {
    expect(run('verify').out).to.equal('whole: 6 entries, 5 to 10; 1 snapshots\n');
    const path = snapshotPath();
    truncateSync(path, 20);
    const { code, out, error } = run('verify');
    expect(code).to.equal(1);
    expect(out).to.equal('');
    expect(error).to.equal(
      `raft: the Raft data in ${dir} is damaged: no snapshot is left that the log joins ` +
        `(${path} ends at byte 20, within its header); this node must not vote with it: ` +
        'stop it, and `revenge cluster rejoin` wipes it and makes its folder a new node\n',
    );
  });

  it('say in one line what they cannot do', async () => {
    expect(run('stat')).to.include({ code: 2 });
    expect(run('stat').error).to.match(/^raft: there is no command "stat"\n/);
    expect(run('log', '--from', 'x').code).to.equal(2);
    const store = await openRaftStore({ dir });
    const inUse = `raft: the Raft data in ${dir} is in use by another process\n`;
    expect(run('state')).to.deep.equal({ code: 3, out: '', error: inUse });
    expect(run('rejoin', '--yes')).to.deep.equal({ code: 3, out: '', error: inUse });
    await store.close();
    rmSync(dir, { recursive: true });
    const nothing = `raft: there are no Raft data in ${dir}\n`;
    expect(run('state')).to.deep.equal({ code: 3, out: '', error: nothing });
    expect(existsSync(dir)).to.equal(false);
  });

  describe('recover', () => {
    const survivors = [server('n1', 7101), { ...server('n4', 7004), suffrage: 'nonvoter' }];

    it('plans without changing anything, and asks before it applies', () => {
      const list = peers(survivors);
      const plan = run('recover', 'plan', '--peers', list);
      expect(plan.code).to.equal(0);
      expect(plan.out).to.include('change      move n1 from 127.0.0.1:7001 to 127.0.0.1:7101');
      expect(plan.out).to.include('change      remove n2 (voter at 127.0.0.1:7002)');
      expect(plan.out).to.include('change      add n4 (nonvoter at 127.0.0.1:7004)');
      expect(plan.out).to.include(
        'entries 9 to 10 are not known to be committed; they will be now',
      );
      const asked = run('recover', 'apply', '--peers', list);
      expect(asked.code).to.equal(4);
      expect(asked.out).to.match(/nothing was changed: say --yes to do it\n$/);
      expect(json('state')['configurationIndex']).to.equal(1);
    });

    it('writes the new members as an entry of a term of its own', async () => {
      expect(run('recover', 'apply', '--peers', peers(survivors), '--yes').code).to.equal(0);
      const store = await openRaftStore({ dir });
      await store.close();
      const { hardState, entries } = store.boot();
      const last = entries.at(-1);
      expect(last?.index).to.equal(11);
      expect(last?.configuration?.servers).to.deep.equal(survivors);
      expect(last?.term).to.equal(hardState.term).and.to.be.within(1_000_000, 1_999_999);
      expect(hardState.vote).to.deep.equal({ id: 'n1', address: '127.0.0.1:7101' });
    });

    it('refuses a list without this node as a voter, and lists that cannot be', async () => {
      const request = { dir, peers: parsePeers(JSON.stringify([server('n2', 7002)])) };
      expect(await refusal(applyRecovery(request))).to.equal('n1 is no voter in the list of peers');
      expect(() => parsePeers('[]')).to.throw('is not a list of servers');
      const twice = JSON.stringify([server('n1', 1), server('n1', 2)]);
      expect(() => parsePeers(twice)).to.throw('has the id n1 twice');
      const go = parsePeers('[{"id":"n1","address":"a:1","non_voter":true}]');
      expect(go[0]?.suffrage).to.equal('nonvoter');
    });
  });

  describe('rejoin', () => {
    it('asks, wipes, and retires the id', async () => {
      expect(run('rejoin').code).to.equal(4);
      const { code, out } = run('rejoin', '--yes');
      expect(code).to.equal(0);
      expect(out).to.include('start it as n1.2 (generation 2), without bootstrap');
      expect(existsSync(join(dir, 'log'))).to.equal(false);
      expect(await refusal(openRaftStore({ dir, id: 'n1' }))).to.equal(
        `n1 lost its votes with the wipe of ${dir}; start it as n1.2`,
      );
      const store = await openRaftStore({ dir, id: 'n1.2' });
      expect(store.boot().hardState.term).to.equal(0);
      expect(store.generation).to.equal(2);
      expect(await refusal(store.bootstrap(three))).to.include('not bootstrapped');
      await store.close();
      expect(await applyRejoin({ dir })).to.include({ id: 'n1.2', newId: 'n1.3' });
      expect((await readIdentity(dir))?.retired).to.deep.equal(['n1', 'n1.2']);
    });

    it('works on what no longer opens', async () => {
      writeFileSync(join(dir, 'log', 'CURRENT'), 'nonsense');
      expect(run('verify').code).to.equal(1);
      expect(run('rejoin', '--yes').code).to.equal(0);
    });

    it('reads nothing of a log that has rotted', async () => {
      const log = join(dir, 'log');
      for (const name of readdirSync(log)) {
        if (name !== 'LOCK') writeFileSync(join(log, name), randomBytes(100_000));
      }
      const read = readdirSync(dir).sort();
      expect(run('rejoin').code).to.equal(4);
      expect(readdirSync(dir).sort()).to.deep.equal(read);
      expect(run('rejoin', '--yes').code).to.equal(0);
      expect(readdirSync(dir)).to.deep.equal(['identity.json']);
    });

    it('that was cut off keeps the node from starting until it is run again', async () => {
      const identity = (await readIdentity(dir))!;
      await writeIdentity(dir, { ...identity, isBeingWiped: true });
      const message = `a rejoin of ${dir} was cut off; run it again`;
      expect(await refusal(openRaftStore({ dir, id: 'n1' }))).to.equal(message);
      rmSync(join(dir, 'log'), { recursive: true });
      expect(await applyRejoin({ dir })).to.include({ newId: 'n1.2', generation: 2 });
    });

    it('refuses data of another node', async () => {
      const message = `the Raft data in ${dir} are those of n1, not of n2`;
      expect(await refusal(openRaftStore({ dir, id: 'n2' }))).to.equal(message);
      expect(await refusal(applyRejoin({ dir, id: 'n2' }))).to.equal(message);
    });
  });
});

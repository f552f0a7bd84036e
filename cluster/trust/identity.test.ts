import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { TrustError } from './errors.ts';
import { checkFileSystem } from './file-system.ts';
import { openIdentity, type IdentityOptions } from './identity.ts';

const child = fileURLToPath(new URL('./lock-child.ts', import.meta.url));

describe('the identity of a node', () => {
  let dir = '';
  let file = '';
  let drawn = 0;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'revenge-identity-'));
    file = join(dir, 'cluster', 'identity.json');
    drawn = 0;
  });
  afterEach(() => {
    for (const one of children.splice(0)) one.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  const open = (options: Partial<IdentityOptions> = {}) =>
    openIdentity({ dir, now: () => 1000, randomId: () => `r${(drawn += 1)}`, ...options });
  const written = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const write = (text: string) => {
    mkdirSync(join(dir, 'cluster'), { recursive: true });
    writeFileSync(file, text);
  };
  async function failure(options: Partial<IdentityOptions> = {}): Promise<TrustError> {
    try {
      await (await open(options)).close();
    } catch (error) {
      if (error instanceof TrustError) return error;
      throw error;
    }
    throw new Error('it opened');
  }
  /** What a real process says to the folder. */
  async function start(): Promise<{ said: string; process: ChildProcess }> {
    const started = spawn(process.execPath, [child, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(started);
    for await (const said of createInterface({ input: started.stdout })) {
      return { said, process: started };
    }
    throw new Error('it said nothing');
  }

  it('is made once, and its epoch raised at each start, on disk before it is told', async () => {
    for (const epoch of [1, 2, 3]) {
      await using identity = await open();
      expect(identity).to.include({ nodeId: 'r1', clusterId: undefined, bootEpoch: epoch });
      expect(written()).to.include({ nodeId: 'r1', bootEpoch: epoch });
      expect(identity.session).to.equal(`r${epoch + 1}`);
    }
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it('takes over the id of an installation from before', async () => {
    writeFileSync(join(dir, 'node-id'), 'old-one\n');
    await using identity = await open();
    expect(identity.nodeId).to.equal('old-one');
  });

  it('prefers the configured id at first, and then holds it to that', async () => {
    writeFileSync(join(dir, 'node-id'), 'old-one\n');
    await (await open({ configuredId: 'n1' })).close();
    await (await open({ configuredId: 'n1' })).close();
    const { problem, message } = await failure({ configuredId: 'n2' });
    expect(problem).to.equal('wrong-node');
    expect(message).to.contain('n1').and.contain('n2');
    expect(written(), 'nothing was raised').to.include({ bootEpoch: 2 });
    await using identity = await open();
    await identity.save({ nodeId: 'n1.2' });
    await identity.close();
    await using rejoined = await open({ configuredId: 'n1' });
    expect(rejoined.nodeId).to.equal('n1.2');
  });

  it('refuses an id that cannot stand in a certificate', async () => {
    expect((await failure({ configuredId: 'living room' })).problem).to.equal('bad-id');
    await using identity = await open();
    for (const change of [{ nodeId: '' }, { clusterId: 'a/b' }]) {
      const error: unknown = await identity.save(change).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(TrustError);
    }
    expect(written()).to.include({ nodeId: identity.nodeId });
  });

  it('keeps the cluster, and writes changes in order', async () => {
    const identity = await open();
    await Promise.all(['c1', 'c2', 'c3'].map((clusterId) => identity.save({ clusterId })));
    expect(identity.clusterId).to.equal('c3');
    await identity.close();
    await using again = await open();
    expect(again).to.include({ clusterId: 'c3', bootEpoch: 2 });
  });

  it('notices another machine', async () => {
    const moved: boolean[] = [];
    for (const machineId of [undefined, 'a', 'a', undefined, 'b', 'b']) {
      await using identity = await open({ machineId });
      moved.push(identity.hasMoved);
    }
    expect(moved).to.deep.equal([false, false, false, false, true, false]);
  });

  const whole = { format: 1, nodeId: 'n1', bootEpoch: 4, createdAt: '' };
  const damaged: Record<string, string> = {
    empty: '',
    zeros: '\0'.repeat(100),
    'cut short': '{"format":1,"nodeId":"n',
    'another thing': '[]',
    null: 'null',
    'without an id': JSON.stringify({ ...whole, nodeId: undefined }),
    'with a wrong id': JSON.stringify({ ...whole, nodeId: 'a b' }),
    'without an epoch': JSON.stringify({ ...whole, bootEpoch: '4' }),
    'of a later format': JSON.stringify({ ...whole, format: 2 }),
  };
  for (const [name, text] of Object.entries(damaged)) {
    it(`is never made anew when its file is damaged: ${name}`, async () => {
      writeFileSync(join(dir, 'node-id'), 'old-one\n');
      write(text);
      const { problem, message } = await failure();
      expect(problem).to.equal('unreadable');
      expect(message).to.contain(file).and.contain('backup');
      expect(readFileSync(file, 'utf8')).to.equal(text);
    });
  }

  it('is never made anew when its file is lost', async () => {
    await (await open()).close();
    writeFileSync(join(dir, 'cluster', 'node.crt'), 'x');
    rmSync(file);
    expect((await failure()).message).to.contain('is gone');
    expect(existsSync(file)).to.be.false;
  });

  const logs: [string, string, string][] = [
    ['whose log is there', '{"id":"n1","hasLog":true}', 'the node n1'],
    ['whose log is damaged', 'x', 'which is damaged'],
  ];
  for (const [what, text, said] of logs) {
    it(`is not made anew for one ${what}`, async () => {
      await (await open()).close();
      mkdirSync(join(dir, 'raft'));
      writeFileSync(join(dir, 'raft', 'identity.json'), text);
      rmSync(file);
      const { message } = await failure();
      expect(message)
        .to.contain(said)
        .and.to.contain(`move ${join(dir, 'raft')} away`);
      expect(existsSync(file)).to.be.false;
    });
  }

  it('is one process at a time, by any path, and free after a kill -9', async () => {
    const first = await start();
    expect(first.said).to.equal('open 1');
    expect((await start()).said).to.equal('in-use');
    expect((await failure()).message).to.contain('another process');
    const ended = new Promise((resolve) => first.process.once('exit', resolve));
    first.process.kill('SIGKILL');
    await ended;
    expect((await start()).said).to.equal('open 2');
  });

  it('is one at a time within a process too', async () => {
    const link = `${dir}-link`;
    symlinkSync(dir, link);
    try {
      await using identity = await open();
      expect((await failure({ dir: link })).problem).to.equal('in-use');
      expect(identity.bootEpoch).to.equal(1);
    } finally {
      rmSync(link);
    }
    await (await open()).close();
  });
});

describe('the file system of a data folder', () => {
  const types: Record<string, [number, boolean]> = {
    ext4: [0xef53, true],
    btrfs: [0x9123683e, true],
    overlay: [0x794c7630, true],
    tmpfs: [0x01021994, true],
    zfs: [0x2fc12fc1, true],
    nfs: [0x6969, false],
    smb: [0x517b, false],
    smb2: [0xfe534d42, false],
    cifs: [0xff534d42, false],
    'cifs, as a signed number': [0xff534d42 | 0, false],
    fuse: [0x65735546, false],
  };
  for (const [name, [type, isTaken]] of Object.entries(types)) {
    it(`${isTaken ? 'may' : 'may not'} be ${name}`, async () => {
      const error: unknown = await checkFileSystem('/data', async () => type).catch(
        (thrown: unknown) => thrown,
      );
      if (isTaken) expect(error).to.be.undefined;
      else expect(error).to.be.instanceOf(TrustError).with.property('problem', 'file-system');
    });
  }

  it('is asked of the folder that is there', async () => {
    const asked: string[] = [];
    const typeOf = async (path: string) => {
      asked.push(path);
      if (path !== '/a') throw Object.assign(new Error('none'), { code: 'ENOENT' });
      return 0xef53;
    };
    await checkFileSystem('/a/b/c', typeOf);
    expect(asked).to.deep.equal(['/a/b/c', '/a/b', '/a']);
    await checkFileSystem(join(tmpdir(), 'not', 'there'));
  });
});

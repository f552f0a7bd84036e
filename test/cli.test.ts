import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';

const program = new URL('../node/revenge.js', import.meta.url).pathname;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('the command line', function () {
  let folder: string;
  let data: string;
  let node: ChildProcess;

  const env = () => {
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('REVENGE_'));
    return Object.fromEntries(clean);
  };
  const run = (...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const all = [program, '--data', data, ...args];
      execFile(process.execPath, all, { env: env(), cwd: folder }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  const json = async (...args: string[]) => {
    const { code, out, err } = await run('--json', ...args);
    expect(code, err).to.equal(0);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const items = async (...args: string[]) =>
    (await json(...args))['items'] as Record<string, unknown>[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'revenge-cli-'));
    await chmod(folder, 0o755); // PostgreSQL runs under another account when this is root
    data = join(folder, 'data');
    const films = join(folder, 'films', 'A Film (2001)');
    await mkdir(films, { recursive: true });
    await writeFile(join(films, 'A Film (2001).mkv'), 'not a film');
    await writeFile(join(folder, 'password'), 'a long enough password\n');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('says that no node runs', async () => {
    const { code, err } = await run('library', 'list');
    expect(code).to.equal(69);
    expect(err).to.match(/^revenge: no node runs on .*revenge serve/);
  });

  it('refuses what it does not know', async () => {
    expect((await run('nonsense')).code).to.equal(2);
    expect((await run('migrate', 'to', 'x')).code).to.equal(2);
    expect((await run('--help')).code).to.equal(0);
  });

  it('tells of mistyped folders before it makes anything', async () => {
    const [made, mistyped] = [join(folder, 'unmade'), join(folder, 'flims')];
    const { code, err } = await run('--data', made, 'serve', '--movies', mistyped);
    expect(code).to.equal(1);
    expect(err).to.equal(`revenge: --movies ${mistyped}: there is no such folder\n`);
    expect(existsSync(made)).to.equal(false);
  });

  it('reports faults of the configuration, all at once', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, 'server: { port: high, prot: 1 }\n');
    const { code, err } = await run('--config', file, 'config', 'print');
    expect(code).to.equal(78);
    expect(err).to.include('server.prot: no such key').and.include('server.port: expected a port');
  });

  it('prints the configuration with origins', async () => {
    const { values } = await json('config', 'print', '--changed');
    const rows = values as { key: string; origin: string }[];
    expect(rows.map(({ key, origin }) => [key, origin])).to.deep.equal([
      ['data.dir', 'command line'],
    ]);
  });

  it('examines the machine', async () => {
    const { out } = await run('--json', 'doctor', '--port', '0');
    const { findings } = JSON.parse(out) as { findings: { name: string; status: string }[] };
    const names = findings.map(({ name }) => name);
    expect(names).to.include.members(['node', 'data folder', 'file system', 'ffmpeg', 'cache']);
    for (const { name, status } of findings.filter(({ name: of }) => of !== 'ffmpeg')) {
      if (name !== 'ffprobe' && name !== 'encoders') expect(status, name).to.not.equal('failing');
    }
  });

  it('makes the administrator before the node runs, once', async () => {
    const args = ['setup', '--username', 'anna', '--password-file', join(folder, 'password')];
    expect(await json(...args)).to.include({ username: 'anna' });
    expect((await run(...args)).code).to.equal(1);
  });

  it('moves the database between versions', async () => {
    const { applied, pending } = (await json('migrate', 'status')) as Record<string, unknown[]>;
    expect(applied).to.have.length.above(5);
    expect(pending).to.deep.equal([]);
    expect((await run('migrate', 'down')).code).to.equal(2);
    expect((await json('migrate', 'down', '--yes'))['ran']).to.have.length(1);
    expect((await json('migrate', 'up'))['ran']).to.have.length(1);
  });

  describe('with a node', () => {
    before(async () => {
      const films = ['--movies', join(folder, 'films')];
      const args = [program, 'serve', '--data', data, '--port', '0', '--host', '127.0.0.1'];
      node = spawn(process.execPath, [...args, ...films], { env: env(), stdio: 'ignore' });
      const deadline = Date.now() + 60_000;
      while ((await run('library', 'list')).code !== 0) {
        if (node.exitCode !== null || Date.now() > deadline) throw new Error('it did not start');
        await pause(100);
      }
    });
    after(async () => {
      if (node.exitCode !== null) return;
      const ended = once(node, 'exit');
      node.kill('SIGTERM');
      expect(await ended).to.deep.equal([0, null]);
    });

    it('lists, scans and explains libraries', async () => {
      expect(await json('scan', 'start', 'Movies')).to.include({ state: 'completed' });
      expect(await json('scan', 'Movies', '--full')).to.include({ mode: 'full' });
      const [library] = await items('library', 'list');
      expect(library).to.include({ name: 'Movies', kind: 'movie' });
      expect(await items('scan', 'list', 'Movies')).to.have.length.above(1);
      expect(await items('library', 'problems', 'Movies')).to.be.an('array');
      const unknown = await run('scan', 'Nothing');
      expect(unknown.code).to.equal(1);
      expect(unknown.err).to.include('there are: "Movies"');
    });

    it('makes and removes libraries', async () => {
      const more = join(folder, 'more');
      await mkdir(more);
      expect(await json('library', 'create', 'More', more)).to.include({ name: 'More' });
      expect((await run('library', 'create', 'Again', more)).code).to.equal(1);
      expect((await run('library', 'delete', 'More')).code).to.equal(2);
      await json('library', 'delete', 'More', '--yes');
      expect(await items('library', 'list')).to.have.length(1);
    });

    it('looks after people', async () => {
      const password = ['--password-file', join(folder, 'password')];
      await json('user', 'create', 'ben', ...password);
      expect((await run('user', 'create', 'BEN', ...password)).code).to.equal(1);
      expect(await json('user', 'disable', 'ben')).to.include({ disabled: true });
      expect(await json('user', 'enable', 'Ben')).to.include({ disabled: false });
      await json('user', 'password', 'ben', ...password);
      await json('user', 'delete', 'ben', '--yes');
      expect((await items('user', 'list')).map(({ username }) => username)).to.deep.equal(['anna']);
      expect((await run('user', 'delete', 'anna', '--yes')).code).to.equal(1);
    });

    it('looks after jobs', async () => {
      const queues = await items('jobs', 'queues');
      expect(queues.map(({ name }) => name)).to.include('library');
      expect(await json('jobs', 'limit', 'library', '3')).to.include({ limit: 3 });
      expect(await json('jobs', 'pause', 'library')).to.include({ paused: true });
      expect(await json('jobs', 'resume', 'library')).to.include({ paused: false });
      expect(await json('jobs', 'limit', 'library', 'default')).to.include({ limit: null });
      const [job] = await items('jobs', 'list', '--name', 'LibraryScan');
      expect(job).to.include({ state: 'completed' });
      expect(await json('jobs', 'retry-dead')).to.have.property('retried');
      expect((await run('jobs', 'limit', 'library', 'many')).code).to.equal(2);
    });

    it('refuses a second node on the same folder', async () => {
      const { code, err } = await run('serve', '--port', '0', '--host', '127.0.0.1');
      expect(code).to.equal(1);
      expect(err).to.match(/revenge: .*another process uses .*data\.dir/);
    });
  });
});

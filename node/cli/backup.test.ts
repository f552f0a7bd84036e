import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { fillFilms } from '../../bench/films.ts';
import { findRunning } from '../rundir.ts';
import { parseMapping } from './restore.ts';

const program = new URL('../revenge.js', import.meta.url).pathname;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const clean = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REVENGE_')));

describe('revenge backup and restore', function () {
  // Each command is a process of its own.
  this.timeout(600_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'revenge-backup-cli-'));
    await chmod(folder, 0o755); // PostgreSQL runs under another account when this is root
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const env = (more: Record<string, string> = {}) => ({ ...clean(), ...more });
  const runWith = (more: Record<string, string>, args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const options = { env: env(more), cwd: folder };
      const child = execFile(process.execPath, [program, ...args], options, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
      child.stdin?.end();
    });
  const run = (...args: string[]) => runWith({}, args);
  const json = async (...args: string[]) => {
    const { code, out, err } = await run('--json', ...args);
    expect(code, err).to.equal(0);
    return JSON.parse(out) as Record<string, unknown>;
  };

  describe('of a whole node', () => {
    let node: ChildProcess | undefined;
    const start = async (data: string, ...more: string[]) => {
      const args = [
        program,
        'serve',
        '--data',
        data,
        '--port',
        '0',
        '--host',
        '127.0.0.1',
        ...more,
      ];
      const started = spawn(process.execPath, args, { env: env(), stdio: 'ignore' });
      node = started;
      while ((await run('--data', data, 'library', 'list')).code !== 0) {
        if (started.exitCode !== null) throw new Error('it did not start');
        await pause(100);
      }
    };
    const stop = async () => {
      if (node === undefined || node.exitCode !== null) return;
      const ended = once(node, 'exit');
      node.kill('SIGTERM');
      await ended;
    };
    afterEach(stop);

    /** The way a schedule takes: the folder is a setting, and a node makes it as a job. */
    const makeByRequest = async (data: string) => {
      const unset = await run('--data', data, 'backup', 'request');
      expect(unset.err).to.match(
        /^revenge: No folder is set for backups: set backup.dir to one\n$/,
      );
      const into = join(folder, 'scheduled');
      await mkdir(into);
      const { url, token } = (await findRunning(data))!;
      const answer = await fetch(`${url}/api/v1/settings/backup.dir`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ value: into }),
      });
      expect(answer.status).to.equal(200);
      await json('--data', data, 'backup', 'request');
      const listed = async () =>
        (await json('--data', data, 'backup', 'list'))['items'] as Record<string, unknown>[];
      let found = await listed();
      for (; found.length === 0; found = await listed()) await pause(100);
      expect(found[0]).to.include({ isSealed: false, fault: null });
      const verified = await json('backup', 'verify', join(into, String(found[0]?.['name'])));
      expect(verified).to.include({ isWhole: true });
    };

    it('is made online, and brought to another node, with users, films and settings', async () => {
      const [first, second] = [join(folder, 'first'), join(folder, 'second')];
      const films = join(folder, 'films', 'A Film (2001)');
      await mkdir(films, { recursive: true });
      await writeFile(join(films, 'A Film (2001).mkv'), 'not a film');
      await writeFile(join(folder, 'password'), 'a long enough password\n');
      const password = ['--password-file', join(folder, 'password')];
      await json('--data', first, 'setup', '--username', 'anna', ...password);
      await start(first, '--movies', join(folder, 'films'));
      await json('--data', first, 'scan', 'start', 'Movies');
      const file = join(folder, 'first.tar.zst');
      const made = await json('--data', first, 'backup', '--to', file);
      expect(made).to.include({ isSealed: false, lackingPictures: 0 });
      expect((await stat(file)).mode & 0o777).to.equal(0o600);
      const taken = await run('--data', first, 'backup', '--to', file);
      expect([taken.code, taken.err]).to.deep.equal([
        ...[1, `revenge: ${file} is there already: choose another name\n`],
      ]);
      const named = await json('--data', first, 'backup', 'create', '--to', folder);
      expect(named['file']).to.match(/\/revenge-[0-9a-f]{12}-\d{8}T\d{6}Z\.tar\.zst$/);
      expect(await json('backup', 'verify', file)).to.include({
        isWhole: true,
        rows: made['rows'],
      });
      await makeByRequest(first);
      const running = await run('--data', first, 'restore', file, '--yes');
      expect([running.code, running.err]).to.deep.equal([
        1,
        `revenge: a node runs on ${first}: stop it, and all others of its cluster, before restoring\n`,
      ]);
      await stop();

      const unsaid = await run('--data', second, 'restore', file);
      expect([unsaid.code, unsaid.err]).to.deep.equal([
        ...[4, 'revenge: nothing was changed: --yes carries this out\n'],
      ]);
      expect(unsaid.out).to.match(/brings \d+ rows: .*movies 1.*\n {2}the database is empty\n/);
      const restored = await json('--data', second, 'restore', file, '--yes');
      expect(restored).to.include({ isDone: true, rows: made['rows'] });
      const again = await run('--data', second, 'restore', file, '--yes');
      expect(again.code).to.equal(1);
      expect(again.err).to.match(/^revenge: not restored: the database holds data; --replace/);
      await json('--data', second, 'restore', file, '--replace', '--yes', '--revoke-sessions');
      await start(second);
      const libraries = (await json('--data', second, 'library', 'list'))['items'] as object[];
      expect(libraries[0]).to.include({ name: 'Movies', kind: 'movie' });
      const users = (await json('--data', second, 'user', 'list'))['items'] as object[];
      expect(users[0]).to.include({ username: 'anna' });
      const found = await json('--data', second, 'scan', 'start', 'Movies');
      expect(found).to.include({ state: 'completed' });
    });
  });

  describe('of a large database', () => {
    let db: TestDatabase;
    let data: string;
    let url: Record<string, string>;
    before(async () => {
      db = await testDatabase();
      await fillFilms(db.sql, 30_000);
      data = join(folder, 'large');
      url = urlOf(db);
    });
    after(() => db.close());

    const urlOf = ({ address: { user, database, socket } }: TestDatabase) => ({
      REVENGE_DATABASE_URL: `postgres://${user}@localhost/${database}?host=${encodeURIComponent(socket)}`,
    });
    /** Of another name than a node's, or it would count as one. */
    const watcher = ({ address }: TestDatabase) =>
      connectPostgres({ ...address, pool: { max: 2 }, log: quiet, applicationName: 'watcher' });
    const digestOf = async (sql: Sql): Promise<string> => {
      const [row] = await sql<{ digest: string }[]>`
        select md5(string_agg(t::text, '' order by id)) as digest from movies t`;
      return row!.digest;
    };
    const backup = async (name: string, ...more: string[]) => {
      const file = join(folder, name);
      const { code, err } = await runWith(url, ['--data', data, 'backup', '--to', file, ...more]);
      expect(code, err).to.equal(0);
      return file;
    };
    const spawned = (more: Record<string, string>, args: string[]) =>
      spawn(process.execPath, [program, '--data', data, ...args], {
        ...{ env: env(more), cwd: folder, stdio: 'ignore' },
      });

    it('leaves no file of its name when it is killed', async () => {
      const into = join(folder, 'killed');
      await mkdir(into);
      const child = spawned(url, ['backup', '--to', join(into, 'cut.tar.zst')]);
      const ended = once(child, 'exit');
      for (;;) {
        const [part] = await readdir(into);
        if (part !== undefined && (await stat(join(into, part))).size > 0) break;
        if (child.exitCode !== null) throw new Error('it was over before it was killed');
        await pause(2);
      }
      child.kill('SIGKILL');
      await ended;
      expect(await readdir(into)).to.satisfy((names: string[]) =>
        names.every((name) => name.endsWith('.part')),
      );
      expect((await run('backup', 'verify', join(into, 'cut.tar.zst'))).err).to.match(
        /is not there/,
      );
      await backup('killed/cut.tar.zst');
    });

    it('leaves no part of it when it is interrupted', async () => {
      const into = join(folder, 'interrupted');
      await mkdir(into);
      const args = [program, '--data', data, 'backup', '--to', join(into, 'cut.tar.zst')];
      const child = spawn(process.execPath, args, { env: env(url), cwd: folder });
      let err = '';
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      const ended = once(child, 'exit');
      while ((await readdir(into)).length === 0 && child.exitCode === null) await pause(2);
      child.kill('SIGINT');
      expect(await ended).to.deep.equal([1, null]);
      expect(err).to.equal('revenge: interrupted: nothing was written\n');
      expect(await readdir(into)).to.deep.equal([]);
    });

    it('is not restored while a node is connected', async () => {
      const file = await backup('in-use.tar.zst');
      const args = ['--data', data, 'restore', file, '--replace', '--yes'];
      const { code, err } = await runWith(url, args);
      expect(code).to.equal(1);
      expect(err).to.match(/^revenge: not restored: the database is in use: revenge from this /);
    });

    it('is one transaction, killed or not', async () => {
      const file = await backup('one.tar.zst');
      await using target = await testDatabase({ migrate: false });
      await using watch = await watcher(target);
      const into = urlOf(target);
      const child = spawned(into, ['restore', file, '--yes']);
      const ended = once(child, 'exit');
      for (;;) {
        const [copying] = await watch.sql`
          select 1 from pg_stat_activity
          where application_name = 'revenge restore' and query like 'copy "public"."files"%'`;
        if (copying !== undefined) break;
        if (child.exitCode !== null) throw new Error('it was over before it was killed');
        await pause(2);
      }
      child.kill('SIGKILL');
      await ended;
      const left = async () =>
        (await watch.sql`select 1 from pg_stat_activity where application_name = 'revenge restore'`)
          .length;
      while ((await left()) > 0) await pause(10);
      const [nothing] = await watch.sql<{ tables: number }[]>`
        select count(*) as tables from pg_tables where schemaname in ('public', 'shared')`;
      expect(nothing?.tables).to.equal(0);
      const done = await runWith(into, ['--data', data, 'restore', file, '--yes']);
      expect(done.code, done.err).to.equal(0);
      expect(done.out).to.include('not on this machine: /bench');
      expect(await digestOf(watch.sql)).to.equal(await digestOf(db.sql));
      await watch.sql`update movies set title = 'kept'`;
      const kept = await digestOf(watch.sql);
      const again = spawned(into, ['restore', file, '--replace', '--yes']);
      const over = once(again, 'exit');
      while ((await left()) === 0) await pause(2);
      again.kill('SIGKILL');
      await over;
      while ((await left()) > 0) await pause(10);
      expect(await digestOf(watch.sql)).to.equal(kept);
    });

    it('goes to standard output', async () => {
      const file = join(folder, 'piped.tar.zst');
      const args = [program, '--data', data, 'backup', '--to', '-'];
      const child = spawn(process.execPath, args, { env: env(url), cwd: folder });
      const written = createWriteStream(file);
      const closed = once(written, 'close');
      child.stdout.pipe(written);
      expect(await once(child, 'exit')).to.deep.equal([0, null]);
      await closed;
      expect(await json('backup', 'verify', file)).to.include({ isWhole: true });
    });

    it('is sealed with a passphrase, or for a key', async () => {
      const [secret, key] = [join(folder, 'secret'), join(folder, 'key')];
      await writeFile(secret, 'correct horse battery staple\n');
      const { recipient } = await json('backup', 'keygen', key);
      expect((await stat(key)).mode & 0o777).to.equal(0o600);
      expect((await run('backup', 'keygen', key)).code).to.equal(1);
      const locked = await backup('locked.age', '--passphrase-file', secret);
      const sealed = await backup('sealed.age', '--recipient', String(recipient));
      const unsaid = await run('backup', 'verify', locked);
      expect([unsaid.code, unsaid.err]).to.deep.equal([
        1,
        'revenge: the backup is sealed: give --passphrase-file, or --identity-file\n',
      ]);
      await json('backup', 'verify', locked, '--passphrase-file', secret);
      await json('backup', 'inspect', sealed, '--identity-file', key);
      const wrong = await run('backup', 'inspect', sealed, '--passphrase-file', secret);
      expect(wrong.err).to.match(/^revenge: the backup cannot be opened: [^\n]*\n$/);
      const both = ['--passphrase-file', secret, '--identity-file', key];
      expect((await run('backup', 'verify', sealed, ...both)).code).to.equal(2);
    });

    it('says in one line what is the matter with a file', async () => {
      const file = await backup('good.tar.zst');
      const bytes = await readFile(file);
      const cases: [string, Buffer, RegExp][] = [
        ['empty', Buffer.alloc(0), /is damaged: it is cut off/],
        ['foreign', Buffer.from('-- PostgreSQL database dump\n'), /is no backup of Revenge/],
        ['short', bytes.subarray(0, bytes.length - 1), /is damaged: /],
        ['flipped', Buffer.from(bytes.map((b, at) => (at === 5_000 ? b ^ 1 : b))), /is damaged: /],
      ];
      for (const [name, content, words] of cases) {
        const damaged = join(folder, `${name}.bad`);
        await writeFile(damaged, content);
        for (const verb of [
          ['backup', 'verify', damaged],
          ['restore', damaged, '--yes'],
        ]) {
          const { code, err } = await runWith(url, ['--data', data, ...verb]);
          expect(code, name).to.equal(1);
          expect(err, name)
            .to.match(words)
            .and.match(/^revenge: [^\n]+\n$/);
        }
      }
      expect((await run('backup', 'verify', folder)).code).to.equal(1);
    });

    it('makes no database where there is none', async () => {
      const nowhere = join(folder, 'nowhere');
      const { code, err } = await run('--data', nowhere, 'backup', '--to', join(folder, 'x'));
      expect([code, err]).to.deep.equal([
        1,
        `revenge: ${nowhere} is not the data folder of a node: choose it with --data\n`,
      ]);
    });
  });

  const mappings: [string, unknown][] = [
    ['/a=/b', { from: '/a', to: '/b' }],
    ['/a/=/b/c/', { from: '/a', to: '/b/c' }],
    ['a=/b', undefined],
    ['/a', undefined],
    ['/a=/b=/c', undefined],
    ['/a/../b=/c', undefined],
  ];
  for (const [text, wanted] of mappings) {
    it(`${wanted === undefined ? 'refuses' : 'reads'} --map ${text}`, () => {
      if (wanted === undefined) expect(() => parseMapping(text)).to.throw(/as \/old=\/new/);
      else expect(parseMapping(text)).to.deep.equal(wanted);
    });
  }
});

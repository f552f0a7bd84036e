import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createClusterHandlers } from '#node/cluster/operations.ts';
import { fakeCluster, type FakeCluster } from './fakes/cluster-control.ts';
import { specOf, testApi, tokenFor, type TestApi } from './http.ts';

const program = new URL('../node/revenge.js', import.meta.url).pathname;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The program itself, against a node whose cluster is in memory. */
describe('the command line of clusters', function () {
  let folder: string;
  let control: FakeCluster;
  let api: TestApi;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'revenge-cluster-cli-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    control = fakeCluster();
    api = await testApi({ spec: specOf('cluster'), handlers: createClusterHandlers(control) });
  });
  afterEach(() => api.close());

  const env = (permission = 'admin:cluster') => ({
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('REVENGE_')),
    ),
    REVENGE_URL: api.url,
    REVENGE_API_KEY: tokenFor(permission),
  });
  const runAs = (permission: string | undefined, args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const options = { env: env(permission), cwd: folder };
      const all = [program, '--data', join(folder, 'data'), 'cluster', ...args];
      const child = execFile(process.execPath, all, options, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
      child.stdin?.end();
    });
  const run = (...args: string[]) => runAs(undefined, args);
  const json = async (...args: string[]) => {
    const { code, out, err } = await run('--json', ...args);
    expect(code, err).to.equal(0);
    return JSON.parse(out) as Record<string, unknown>;
  };

  it('shows the cluster in words and as JSON', async () => {
    const { code, out } = await run('status');
    expect(code).to.equal(0);
    expect(out)
      .to.match(/^NODE +ID +ADDRESS/)
      .and.match(/leader: +kitchen/);
    expect(await json('status')).to.include({ clusterId: 'home', leader: 'kitchen' });
    expect((await run('members')).out).to.match(/cellar +cellar +cellar:7000 +learner +no/);
    expect((await run('events', '--limit', '1')).out).to.include('kitchen leads in term 7');
  });

  it('opens a node that is alone', async () => {
    control.state.status = { ...control.state.status, isOpen: false };
    expect((await run('status')).out).to.match(/This node is alone.*revenge cluster init\n/);
    const { out } = await run('init');
    expect(out).to.include('revenge cluster token create').and.not.include('is alone');
  });

  it('says by its exit code whether the cluster is well', async () => {
    expect((await run('health')).code).to.equal(0);
    control.state.status = { ...control.state.status, isHealthy: false };
    const { code, out, err } = await run('health');
    expect([code, err]).to.deep.equal([1, 'revenge: the cluster is not healthy\n']);
    expect(out).to.match(/healthy: +no/);
  });

  it('looks after tokens', async () => {
    const { out } = await run('token', 'create');
    expect(out.split('\n')[0]).to.equal('rj1.pin.token1.secret');
    expect(out).to.include('revenge serve --join kitchen:7001 --token rj1.pin.token1.secret\n');
    const other = ['--kind', 'witness', '--forever', '--uses', '2'];
    expect(await json('token', 'create', ...other)).to.include({
      ...{ kind: 'witness', expiresAt: null, usesLeft: 2 },
    });
    expect(await json('token', 'rotate', 'token2')).to.include({ id: 'token3', usesLeft: 2 });
    expect((await run('token', 'revoke', 'token1')).out).to.match(/^token1 admits nobody/);
    const list = await run('token', 'list');
    expect(list.out).to.include('token3').and.not.include('token2').and.not.include('secret');
    const unknown = await run('token', 'revoke', 'token1');
    expect(unknown.code).to.equal(1);
    expect(unknown.err).to.equal('revenge: There is no join token "token1".\n');
  });

  it('shows the plan, and changes nothing unless told to', async () => {
    const { code, out, err } = await run('promote', 'Cellar');
    expect(code).to.equal(4);
    expect(out).to.match(
      /^promote cellar:\n.*1\. cellar gets a vote\n.*failure tolerance: 0 → 1\n$/s,
    );
    expect(err).to.equal('revenge: nothing was changed: --yes carries this out\n');
    const plan = await run('--json', 'promote', 'cellar');
    expect(plan.code).to.equal(4);
    expect(JSON.parse(plan.out)).to.include({ isDone: false });
    expect((await run('promote', 'cellar', '--dry-run')).code).to.equal(0);
    expect((await run('transfer')).code).to.equal(4);
    expect(control.done).to.deep.equal([]);
  });

  it('changes members', async () => {
    expect((await run('promote', 'cellar', '--yes')).out).to.match(/cellar is promoted\n$/);
    expect(await json('demote', 'attic', '--yes')).to.include({ isDone: true });
    expect((await run('remove', 'attic', '--yes')).out).to.match(/attic is removed\n$/);
    expect((await run('transfer', 'cellar', '--yes')).out).to.match(/cellar leads\n$/);
    expect(await json('transfer', 'cellar')).to.deep.equal({ leader: 'cellar' });
    const done = ['promote cellar', 'demote attic', 'remove attic', 'transfer cellar'];
    expect(control.done).to.deep.equal(done);
  });

  it('says in one line why it refuses, and what to do', async () => {
    const refused = await run('remove', 'kitchen', '--yes');
    expect([refused.code, refused.out]).to.deep.equal([1, '']);
    expect(refused.err).to.equal(
      'revenge: not removed: kitchen leads: hand leadership over first (revenge cluster transfer)\n',
    );
    const untransferred = await run('transfer', 'cellar', '--yes');
    expect(untransferred.code).to.equal(1);
    expect(untransferred.err).to.match(/cellar does not vote; promote it first\n$/);
    const unknown = await run('drain', 'garage');
    expect([unknown.code, unknown.err]).to.deep.equal([
      ...[1, 'revenge: no member is called "garage"; there are: kitchen, attic, cellar\n'],
    ]);
    const { code, err } = await runAs('users:read', ['status']);
    expect([code, err.split('\n').length]).to.deep.equal([77, 2]);
    expect(control.done).to.deep.equal([]);
    const { out } = await run('remove', 'kitchen', '--yes', '--force');
    expect(out).to.match(/refused without --force: .*\n.*kitchen is removed\n$/);
  });

  it('drains, writes down and sets rules', async () => {
    expect((await run('drain', 'attic')).out).to.match(/^attic takes no new work/);
    expect(await json('undrain', 'attic')).to.include({ isDraining: false });
    expect((await run('snapshot', 'save')).out).to.equal('saved up to index 100, term 7\n');
    const set = ['--dead-after', '7d', '--max-voters', '3'];
    expect(await json('autopilot', 'set', ...set)).to.include({
      ...{ deadAfterMs: 604_800_000, maxVoters: 3, promote: true },
    });
    const even = await run('autopilot', 'set', '--max-voters', '4');
    expect(even.code).to.equal(1);
    expect(even.err).to.match(/maxVoters must be odd/);
  });

  it('watches until interrupted, a line of JSON per reading', async () => {
    const all = [program, '--json', 'cluster', 'health', '--watch'];
    const child = spawn(process.execPath, all, { env: env(), cwd: folder });
    let out = '';
    for await (const chunk of child.stdout) {
      out += String(chunk);
      if (out.split('\n').length > 2) child.kill('SIGINT');
      else control.state.status = { ...control.state.status, isHealthy: false };
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).to.equal(0);
    const readings = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(readings[0]).to.include({ isHealthy: true });
    expect(readings[1]).to.include({ isHealthy: false });
  });
});

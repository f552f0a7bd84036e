import { expect } from 'chai';
import { createIssuer, useRpc } from '#cluster/rpc/harness.ts';
import type { Level } from './ring.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { ProblemError } from '#services/errors.ts';
import { specOf, testApi } from '#test/http.ts';
import { askLog, logCalls } from './answer.ts';
import { addLogGauges, keepLines } from './keep.ts';
import { createLogHandlers } from './operations.ts';

/** A log that is kept and goes nowhere else. */
function quietLog(level: Level = 'info') {
  const log = createLog({ level, format: 'json' });
  log.clear();
  return { log, ring: keepLines(log) };
}

const problemOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no problem',
    (error: unknown) => (error instanceof ProblemError ? error.message : String(error)),
  );

describe('the log as it is kept', () => {
  it('has no secrets, whatever carries them', () => {
    const { log, ring } = quietLog();
    const cause = new Error('?token=hunter2');
    log.child({ module: 'db' }).warn('failed for postgres://u:hunter2@db/x', {
      ...{ password: 'hunter2', nested: { apiKey: 'hunter2', url: 'redis://a:hunter2@b' } },
      error: new Error('postgres://u:hunter2@db', { cause }),
    });
    const { lines } = ring.page({ limit: 9 });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 'warn', module: 'db' });
    expect(lines[0]?.fields).to.have.nested.property('error.cause.message');
    expect(JSON.stringify(lines)).to.not.include('hunter2');
  });

  it('has what the level lets through, as that changes', () => {
    const { log, ring } = quietLog('warn');
    log.info('no');
    log.level = 'debug';
    log.debug('yes');
    expect(ring.page({ limit: 9 }).lines.map(({ message }) => message)).to.deep.equal(['yes']);
  });

  it('is counted', async () => {
    const { log, ring } = quietLog();
    const metrics = createMetrics();
    addLogGauges(metrics, ring);
    log.info('a');
    log.error('b');
    const text = await metrics.registry.metrics();
    expect(text).to.include('log_lines{level="error"} 1').and.include('log_kept{what="lines"} 2');
  });
});

describe('the log of a member', () => {
  const rpc = useRpc();
  const wanted = { limit: 5 };

  /** Node a asks node b, which knows w for a witness. */
  async function pair(calls?: (of: ReturnType<typeof quietLog>) => ReturnType<typeof logCalls>) {
    const own = quietLog();
    own.log.info('of b', { module: 'http', n: 1 });
    const issuer = await createIssuer();
    const answers = calls?.(own) ?? logCalls(own, (id) => id === 'w');
    const server = await rpc.server(await issuer.issue('b'), { calls: answers });
    const clientOf = async (id: string) =>
      rpc.client(await issuer.issue(id), { candidates: () => [server.address] });
    return { server, clientOf };
  }

  it('is told to another', async () => {
    const { clientOf } = await pair();
    const told = await askLog(await clientOf('a'), 'b', { ...wanted, level: 'info', text: 'OF' });
    expect(told).to.include({ hasMore: false, level: 'info', dropped: 0 });
    expect(told.modules).to.deep.equal(['http']);
    expect(told.lines[0]).to.deep.include({ message: 'of b', fields: { n: 1 } });
  });

  it('is not told to a witness', async () => {
    const { clientOf } = await pair();
    expect(await problemOf(askLog(await clientOf('w'), 'b', wanted))).to.include('not answer');
  });

  it('is missed in words, from an older release and from one that is away', async () => {
    const older = await pair(() => ({}));
    const client = await older.clientOf('a');
    expect(await problemOf(askLog(client, 'b', wanted))).to.include('runs a release');
    await older.server.close();
    expect(await problemOf(askLog(client, 'b', wanted))).to.include('does not answer');
    expect(await problemOf(askLog(undefined, 'b', wanted))).to.include('does not answer');
  });

  it('is shown by any node to who may see it', async () => {
    const { clientOf } = await pair();
    const client = await clientOf('a');
    const own = quietLog();
    for (const message of ['first', 'second', 'third']) own.log.info(message);
    const members = new Map(['a', 'b'].map((id) => [id, {}]));
    const member = { state: { view: () => ({ members }) }, network: () => ({ client }) };
    const handlers = createLogHandlers({ ...own, nodeId: 'a', member: member as never });
    await using api = await testApi({ spec: specOf('logs'), handlers });
    const get = async (query: string, token = 'admin:logs') => {
      const answer = await api.fetch(`/api/v1/admin/logs${query}`, { token });
      return { status: answer.status, body: (await answer.json()) as Page };
    };
    const first = await get('?limit=2');
    expect(first.body.items.map(({ message }) => message)).to.deep.equal(['third', 'second']);
    const next = await get(`?limit=2&cursor=${first.body.nextCursor}`);
    expect(next.body.items.map(({ message }) => message)).to.deep.equal(['first']);
    expect(next.body.nextCursor).to.equal(null);
    const other = await get('?nodeId=b');
    expect(other.body.items[0]?.message).to.equal('of b');
    expect((await get(`?nodeId=b&cursor=${first.body.nextCursor}`)).status).to.equal(400);
    expect((await get('?nodeId=c')).status).to.equal(404);
    expect((await get('', 'admin:metrics')).status).to.equal(403);
  });
});

interface Page {
  readonly items: readonly { readonly message: string }[];
  readonly nextCursor: string | null;
}

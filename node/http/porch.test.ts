import { expect } from 'chai';
import { freePort } from '#test/ports.ts';
import { quiet } from '#test/log.ts';
import { openPorch } from './porch.ts';

describe('a porch', () => {
  const open = async (now: () => number = () => 0) =>
    openPorch({
      ...{ host: '127.0.0.1', port: await freePort(), version: '1.2.3', nodeId: 'n1' },
      ...{ now, log: quiet },
    });
  const ask = (port: number, path: string) => fetch(`http://127.0.0.1:${port}${path}`);

  for (const [path, status, word] of [
    ['/health/live', 200, 'ok'],
    ['/health/live?x=1', 200, 'ok'],
    ['/health/startup', 503, 'failing'],
    ['/health/ready', 503, 'failing'],
    ['/health/cluster', 503, 'failing'],
    ['/health/swarm', 503, 'failing'],
  ] as const) {
    it(`answers ${path} with ${status}`, async () => {
      await using porch = await open();
      const response = await ask(porch.port, path);
      expect(response.status).to.equal(status);
      expect(await response.json()).to.include({ status: word, version: '1.2.3', nodeId: 'n1' });
    });
  }

  it('is worth keeping after 30 s', async () => {
    let now = 0;
    await using porch = await open(() => now);
    now = 30_001;
    expect((await ask(porch.port, '/health/swarm')).status).to.equal(200);
  });

  for (const path of ['/', '/api/v1/movies', '/health', '/health/live/x']) {
    it(`asks ${path} to wait`, async () => {
      await using porch = await open();
      const response = await ask(porch.port, path);
      expect(response.status).to.equal(503);
      expect(response.headers.get('content-type')).to.equal('application/problem+json');
      expect(response.headers.get('retry-after')).to.equal('2');
      expect(await response.json()).to.include({ type: '/problems/unavailable', status: 503 });
    });
  }

  it('leaves the port to the next', async () => {
    const porch = await open();
    const kept = await ask(porch.port, '/health/live');
    await kept.text();
    await porch.close();
    await porch.close();
    const next = await openPorch({
      ...{ host: '127.0.0.1', port: porch.port, version: '', nodeId: '' },
      ...{ now: () => 0, log: quiet },
    });
    expect(next.port).to.equal(porch.port);
    await next.close();
  });

  it('listens nowhere where nobody could ask', async () => {
    await using porch = await openPorch({
      ...{ host: '127.0.0.1', port: 0, version: '', nodeId: '' },
      ...{ now: () => 0, log: quiet },
    });
    expect(porch.port).to.equal(0);
  });

  it('says so when the port is taken', async () => {
    await using porch = await open();
    const second = openPorch({
      ...{ host: '127.0.0.1', port: porch.port, version: '', nodeId: '' },
      ...{ now: () => 0, log: quiet },
    });
    const error = await second.then(undefined, (reason: NodeJS.ErrnoException) => reason);
    expect(error).to.have.property('code', 'EADDRINUSE');
  });
});

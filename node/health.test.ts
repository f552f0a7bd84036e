import { expect } from 'chai';
import { plainly } from '#cluster/notices.ts';
import { quiet } from '#test/log.ts';
import { createHealth, type HealthCheck, type HealthDeps } from './health.ts';
import { createMetrics } from './metrics.ts';

describe('health', () => {
  const make = (checks: HealthCheck[], more: Partial<HealthDeps> = {}) =>
    createHealth({
      checks,
      off: ['cache'],
      version: '1',
      nodeId: 'n',
      log: quiet,
      metrics: createMetrics(),
      now: () => 0,
      isCaughtUp: () => true,
      isDraining: () => false,
      ...more,
    });
  const check = (name: string, isVital: boolean, state: { isUp: boolean }): HealthCheck => ({
    name,
    isVital,
    intervalMs: 3_600_000,
    timeoutMs: 1000,
    ask: async () => {
      if (!state.isUp) throw new Error(`${name} is down\nwith a second line`);
      return plainly('fine');
    },
  });

  it('is ready once started, degraded without a helper, failing without a vital one', async () => {
    const database = { isUp: true };
    const search = { isUp: true };
    await using health = make([check('database', true, database), check('search', false, search)]);
    await health.start();
    expect(health.live().status).to.equal('ok');
    expect(health.ready().status).to.equal('failing');
    expect(health.startup().status).to.equal('failing');
    health.started();
    expect(health.ready().status).to.equal('ok');
    expect(health.ready().checks['cache']).to.deep.equal({ status: 'off' });

    search.isUp = false;
    await health.askNow('search');
    expect(health.ready().status).to.equal('degraded');
    expect(health.ready().checks['search']?.detail).to.equal('search is down');

    database.isUp = false;
    await health.askNow('database');
    expect(health.ready().status).to.equal('failing');
    expect(health.live().status).to.equal('ok');

    database.isUp = true;
    await health.askNow('database');
    expect(health.ready().status).to.equal('degraded');
    health.stopping();
    expect(health.ready().status).to.equal('failing');
  });

  it('asks what is vital at once when somebody suspects it, and only once', async () => {
    const database = { isUp: true };
    const answer = Promise.withResolvers<void>();
    let asked = 0;
    const slow: HealthCheck = {
      ...check('database', true, database),
      async ask() {
        if (asked++ > 0) await answer.promise;
        if (!database.isUp) throw new Error('database is down');
        return undefined;
      },
    };
    await using health = make([slow, check('search', false, { isUp: true })]);
    await health.start();
    health.started();
    database.isUp = false;
    for (let request = 0; request < 10; request++) health.suspect();
    expect(asked).to.equal(2);
    answer.resolve();
    while (health.ready().status !== 'failing') await new Promise((done) => setImmediate(done));
    health.suspect();
    expect(asked).to.equal(2);
  });

  it('is not ready while it is drained, and says why, but is as alive as ever', async () => {
    const state = { isDraining: true };
    await using health = make([], { isDraining: () => state.isDraining });
    health.started();
    expect(health.ready()).to.deep.include({ status: 'failing' });
    expect(health.ready().checks['drain']).to.include({ status: 'failing' });
    expect(health.ready().checks['drain']?.detail).to.contain('undrain');
    expect(health.isLeaving()).to.equal(true);
    // Whoever counts on its life would end it, and what it still does with it.
    for (const other of [health.live(), health.swarm(), health.startup()]) {
      expect(other.status).to.equal('ok');
    }
    state.isDraining = false;
    expect(health.ready()).to.deep.include({ status: 'ok' });
    expect(health.ready().checks).to.not.have.property('drain');
    expect(health.isLeaving()).to.equal(false);
  });

  it('tells an orchestrator to count on it once it has caught up, or has waited long enough', async () => {
    const state = { nowMs: 0, isCaughtUp: false };
    await using health = make([], {
      now: () => state.nowMs,
      isCaughtUp: () => state.isCaughtUp,
    });
    expect(health.swarm().status).to.equal('failing');
    health.started();
    expect(health.swarm().status).to.equal('failing');
    state.isCaughtUp = true;
    expect(health.swarm().status).to.equal('ok');
    // After a power cut of all nodes none can catch up before they find each other.
    state.isCaughtUp = false;
    state.nowMs = 30_001;
    expect(health.swarm().status).to.equal('ok');
    health.stopping();
    expect(health.swarm().status).to.equal('failing');
  });
});

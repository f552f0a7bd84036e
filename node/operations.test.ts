import { expect } from 'chai';
import type { Health } from './health.ts';
import { createProbes } from './operations.ts';

describe('the probe of readiness', () => {
  const report = (status: 'ok' | 'failing') => ({ status, version: '1', nodeId: 'a', checks: {} });
  const cases = [
    { what: 'ready', status: 'ok', isLeaving: false, leaving: 404, is: 200 },
    { what: 'failing', status: 'failing', isLeaving: false, leaving: 404, is: 503 },
    { what: 'leaving', status: 'failing', isLeaving: true, leaving: 503, is: 503 },
    {
      what: 'leaving, where that is told apart',
      status: 'failing',
      isLeaving: true,
      leaving: 404,
      is: 404,
    },
  ] as const;
  for (const { what, status, isLeaving, leaving, is } of cases) {
    it(`answers ${is} when ${what}`, async () => {
      const health = { ready: () => report(status), isLeaving: () => isLeaving } as Health;
      const ask = createProbes(health).getReadiness as (request: object) => Promise<object>;
      expect(await ask({ query: { leaving } })).to.include({ status: is });
    });
  }
});

import { expect } from 'chai';
import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  it('reads gauges when asked, not before', async () => {
    const metrics = createMetrics();
    let depth = 1;
    metrics.gauge({
      name: 'job_queue_depth',
      help: 'Jobs waiting',
      labelNames: ['queue'],
      read: () => [{ labels: { queue: 'library' }, value: depth }],
    });
    metrics.gauge({
      name: 'away',
      help: 'A source that does not answer',
      read: () => Promise.reject(new Error('down')),
    });
    depth = 7;
    const text = await metrics.registry.metrics();
    expect(text).to.include('job_queue_depth{queue="library"} 7');
    expect(text).to.include('health_check_duration_seconds');
  });
});

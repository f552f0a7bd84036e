import { Writable } from 'node:stream';
import { transports, type Logform } from 'winston';
import type { Log } from '#services/log.ts';
import type { Metrics } from '../metrics.ts';
import { createLogRing, levels, type Level, type LogRing } from './ring.ts';

/**
 * Keeps the latest lines of a log from here on. They come as the log itself has them, after secrets
 * were taken out of them.
 */
export function keepLines(log: Log, now: () => number = Date.now): LogRing {
  const ring = createLogRing(now);
  const stream = new Writable({
    objectMode: true,
    write(info: Logform.TransformableInfo, _encoding, done) {
      const { timestamp, level, message, module, ...fields } = info;
      // Whose log it is, is known already.
      delete fields['nodeId'];
      ring.add({
        at: typeof timestamp === 'string' ? timestamp : new Date(now()).toISOString(),
        level: levels.find((name) => name === level) ?? 'info',
        module: typeof module === 'string' ? module : undefined,
        message: String(message),
        fields,
      });
      done();
    },
  });
  log.add(new transports.Stream({ stream }));
  return ring;
}

/** What the log said, and what of it is kept. */
export function addLogGauges(metrics: Metrics, ring: Pick<LogRing, 'stats'>): void {
  metrics.gauge({
    name: 'log_lines',
    help: 'Lines the log has said since the start, by level',
    labelNames: ['level'],
    read: () => {
      const { seen } = ring.stats();
      return levels.map((level: Level) => ({ labels: { level }, value: seen[level] }));
    },
  });
  metrics.gauge({
    name: 'log_kept',
    help: 'Of the log in memory: lines, bytes, and lines that made way for newer ones',
    labelNames: ['what'],
    read: () => {
      const { lines, bytes, dropped } = ring.stats();
      return Object.entries({ lines, bytes, dropped }).map(([what, value]) => ({
        labels: { what },
        value,
      }));
    },
  });
}

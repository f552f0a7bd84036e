import { expect } from 'chai';
import fc from 'fast-check';
import { problem } from '../errors.ts';
import { backoffMs } from './backoff.ts';
import { scheduleOf } from './cron.ts';
import { failureOf, safeMessage } from './failure.ts';
import { defineJob, GiveUpError } from './job.ts';
import { effectiveLimit, isQueueName, limitsFor, queueNames } from './queues.ts';

describe('jobs: pauses', () => {
  it('doubles from ten seconds to an hour', () => {
    const middle = [1, 2, 3, 4, 9, 10, 100].map((attempt) => backoffMs(attempt, () => 0.5));
    expect(middle).to.deep.equal([10_000, 20_000, 40_000, 80_000, 2_560_000, 3_600_000, 3_600_000]);
  });

  it('strays by a fifth at most, and never beyond the bound of its kind', () => {
    const attempt = fc.integer({ min: 1, max: 1_000 });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(attempt, random, (tries, value) => {
        const ms = backoffMs(tries, () => value, { firstMs: 100, maxMs: 5_000 });
        const middle = Math.min(100 * 2 ** (tries - 1), 5_000);
        expect(ms).to.be.within(Math.floor(middle * 0.8), Math.ceil(middle * 1.2));
      }),
    );
  });
});

describe('jobs: limits', () => {
  it('are those of the requirements', () => {
    const { playback, metadata, library, maintenance } = limitsFor('idle');
    expect([playback, metadata, library, maintenance]).to.deep.equal([50, 20, 10, 5]);
    const watching = limitsFor('watching');
    expect([
      watching.playback,
      watching.metadata,
      watching.library,
      watching.maintenance,
    ]).to.deep.equal([50, 10, 2, 0]);
  });

  const cases = [
    { queue: 'metadata', load: 'watching', limit: 40, paused: false, is: 20 },
    { queue: 'metadata', load: 'idle', limit: 40, paused: false, is: 40 },
    { queue: 'library', load: 'watching', limit: 1, paused: false, is: 1 },
    { queue: 'maintenance', load: 'watching', limit: 9, paused: false, is: 0 },
    { queue: 'playback', load: 'watching', limit: undefined, paused: true, is: 0 },
    { queue: 'playback', load: 'watching', limit: 0, paused: false, is: 0 },
    { queue: 'library', load: 'watching', limit: undefined, paused: false, is: 2 },
  ] as const;
  for (const { queue, load, is, ...setting } of cases) {
    it(`${queue} ${load} with ${JSON.stringify(setting)} is ${is}`, () => {
      expect(effectiveLimit(queue, load, setting)).to.equal(is);
    });
  }

  it('never grow because somebody watches', () => {
    for (const queue of queueNames) {
      expect(limitsFor('watching')[queue]).to.be.at.most(limitsFor('idle')[queue]);
    }
    expect(isQueueName('toString')).to.equal(false);
  });
});

describe('jobs: what a failure leaves behind', () => {
  const cases: [unknown, string][] = [
    [new Error('no route to host'), 'no route to host'],
    [new TypeError(''), 'TypeError'],
    ['thrown text', 'thrown text'],
    [undefined, 'undefined'],
    [new Error('two\nlines\u0000and a null'), 'two lines and a null'],
    [new Error('half a \ud83d face'), 'half a \ufffd face'],
    [
      new Error('GET https://a.example/x?api_key=abc&y=1 failed'),
      'GET https://a.example/x?… failed',
    ],
    [new Error('postgres://me:secret@db/x is down'), 'postgres://…@db/x is down'],
    [new Error('Authorization: Bearer eyJh.eyJz.sig'), 'Authorization: … …'],
    [new Error('{"api_key":"abc","x":1}'), '{"api_key":"…","x":1}'],
    [new Error('password = hunter2, user = me'), 'password = …, user = me'],
  ];
  for (const [error, message] of cases) {
    it(message, () => expect(safeMessage(error)).to.equal(message));
  }

  it('is bounded, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
        const message = safeMessage(new Error(text));
        expect(message.length).to.be.at.most(500);
        expect(message.isWellFormed()).to.equal(true);
        expect(message).to.not.match(/\p{Cc}/u);
      }),
    );
  });

  it('knows when another try cannot help, and when the other side asked for patience', () => {
    expect(failureOf(new GiveUpError('gone for good')).retry).to.equal(false);
    const busy = problem('unavailable', 'busy', { retryAfterSeconds: 90 });
    expect(failureOf(busy)).to.include({ retry: true, retryAfterMs: 90_000 });
    expect(failureOf(new Error('x')).retryAfterMs).to.equal(undefined);
  });
});

describe('jobs: cron', () => {
  const due = (cron: string, at: string) =>
    scheduleOf(defineJob('x', { queue: 'library', attempts: 1, timeoutMs: 1, cron }))
      ?.lastDue(Date.parse(at))
      ?.toISOString();
  const cases: [string, string, string | undefined][] = [
    ['*/5 * * * *', '2026-11-21T03:05:00.000Z', '2026-11-21T03:05:00.000Z'],
    ['*/5 * * * *', '2026-11-21T03:05:00.999Z', '2026-11-21T03:05:00.000Z'],
    ['*/5 * * * *', '2026-11-21T03:04:59.999Z', '2026-11-21T03:00:00.000Z'],
    ['0 4 * * *', '2026-11-21T03:00:00.000Z', '2026-11-20T04:00:00.000Z'],
    ['0 4 * * 1', '2026-11-21T03:00:00.000Z', '2026-11-16T04:00:00.000Z'],
    ['0 0 29 2 *', '2026-11-21T00:00:00.000Z', '2024-02-29T00:00:00.000Z'],
    ['0 0 1 * 1', '2026-11-03T00:00:00.000Z', '2026-11-02T00:00:00.000Z'],
  ];
  for (const [cron, at, is] of cases) {
    it(`${cron} at ${at} was last due ${is}`, () => expect(due(cron, at)).to.equal(is));
  }

  for (const cron of ['* * * *', '* * * * * *', '61 * * * *', '@hourly-ish', '']) {
    it(`refuses "${cron}"`, () => {
      const definition = defineJob('x', { queue: 'library', attempts: 1, timeoutMs: 1, cron });
      expect(() => scheduleOf(definition)).to.throw('the cron of x');
    });
  }
});

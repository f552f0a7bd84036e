import { expect } from 'chai';
import * as z from 'zod';
import { createTestOrder, type NodeClock } from '#test/clock.ts';
import { quiet } from '#test/log.ts';
import { startVendor, type Vendor, type VendorAnswer } from '#test/vendor.ts';
import { createCache } from '#storage/cache/index.ts';
import { createOutbound, type Outbound } from '#storage/outbound/index.ts';
import { ProviderError } from '../metadata/provider-error.ts';
import { createBudget, type Budget } from './budget.ts';
import { createProviderHttp, type AskProvider, type ProviderHttp } from './http.ts';
import { createKeptAnswers } from './kept.ts';

const thing = z.object({ id: z.number(), name: z.string().nullish() });
const day = 24 * 3_600_000;

const failure = (promise: Promise<unknown>): Promise<ProviderError> =>
  promise.then(
    (value) => expect.fail(`it answered ${JSON.stringify(value)}`),
    (error: unknown) => error as ProviderError,
  );

describe('a provider over HTTP', () => {
  let vendor: Vendor;
  let outbound: Outbound;
  let nowMs: number;
  let outcomes: string[];
  let pauses: number[];
  let clock: NodeClock;
  let http: ProviderHttp;
  let ask: AskProvider<z.output<typeof thing>>;

  before(async () => {
    vendor = await startVendor();
    outbound = createOutbound({ trusted: [vendor.url], userAgent: 'Revenge/test' });
  });
  after(async () => {
    await outbound[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
  });

  const free: Budget = { take: async () => 0, rest: async () => undefined };

  beforeEach(() => {
    nowMs = Date.UTC(2026, 0, 1);
    outcomes = [];
    pauses = [];
    vendor.asked.length = 0;
    clock = createTestOrder().node();
    build(free);
  });

  const build = (budget: Budget, timeoutMs = 5_000) => {
    const now = () => nowMs;
    const cache = createCache({ clock, log: quiet, now, l1MaxBytes: 1_000_000 });
    http = createProviderHttp(
      {
        ...{ outbound, cache, kept: createKeptAnswers(undefined), log: quiet, now },
        random: () => 0.5,
        meter: {
          request: (_provider, outcome) => outcomes.push(outcome),
          drift: (_provider, type) => outcomes.push(`drift ${type}`),
        },
        async pause(ms) {
          pauses.push(ms);
          nowMs += ms;
        },
      },
      {
        ...{ name: 'vendor', baseUrl: `${vendor.url}/3`, budget, timeoutMs },
        headers: {},
        secretQuery: { api_key: 'secret' },
      },
    );
    ask = http.define({ name: 'thing', schema: thing, ttlMs: day });
  };

  /** Says these, one after the other, and the last for ever. */
  const say = (...answers: VendorAnswer[]) => {
    let at = 0;
    vendor.respond = () => answers[Math.min(at++, answers.length - 1)] ?? 404;
  };

  it('asks once for what is asked again in its time', async () => {
    say({ json: { id: 1, name: 'a', more: true } });
    const one = await ask('/thing/1', { b: 2, a: 'x y', c: undefined });
    const two = await ask('/thing/1', { a: 'x y', b: 2 });
    expect([one, two]).to.deep.equal([
      { id: 1, name: 'a' },
      { id: 1, name: 'a' },
    ]);
    expect(vendor.asked).to.deep.equal(['/3/thing/1?a=x+y&b=2&api_key=secret']);
  });

  it('remembers for a while that there is none', async () => {
    say(404);
    expect(await ask('/thing/2')).to.equal(undefined);
    expect(await ask('/thing/2')).to.equal(undefined);
    expect(vendor.asked).to.have.length(1);
    nowMs += 11 * 60_000;
    await ask('/thing/2');
    expect(vendor.asked).to.have.length(2);
  });

  it('asks conditionally once the time is over, or when it is told to ask anew', async () => {
    const seen: unknown[] = [];
    vendor.respond = (_url, { headers }) => {
      seen.push(headers['if-none-match']);
      if (headers['if-none-match'] === '"v1"') return 304;
      return { headers: { etag: '"v1"' }, json: { id: 3, name: 'c' } };
    };
    await ask('/thing/3');
    nowMs += day + 1;
    expect(await ask('/thing/3')).to.deep.equal({ id: 3, name: 'c' });
    await clock.invalidate([http.tagOf('/thing/3')]);
    expect(await ask('/thing/3')).to.deep.equal({ id: 3, name: 'c' });
    expect(seen).to.deep.equal([undefined, '"v1"', '"v1"']);
    expect(outcomes).to.deep.equal(['ok', 'not-modified', 'not-modified']);
  });

  const passing: { name: string; answer: VendorAnswer; outcome: string; waitMs: number }[] = [
    { name: '500', answer: 500, outcome: 'failed', waitMs: 500 },
    {
      name: '503 with a time',
      answer: { status: 503, headers: { 'retry-after': '3' }, text: 'later' },
      outcome: 'failed',
      waitMs: 3_000,
    },
    {
      name: '429 with a date',
      answer: {
        status: 429,
        headers: {
          date: 'Thu, 13 Feb 2025 23:30:14 GMT',
          'retry-after': 'Thu, 13 Feb 2025 23:30:16 GMT',
        },
      },
      outcome: 'limited',
      waitMs: 2_000,
    },
    { name: 'truncated JSON', answer: { text: '{"id":1,"na' }, outcome: 'broken', waitMs: 500 },
    { name: 'a page of HTML', answer: { text: '<html>' }, outcome: 'broken', waitMs: 500 },
    { name: 'an answer cut off', answer: 'cut', outcome: 'broken', waitMs: 500 },
  ];
  for (const { name, answer, outcome, waitMs } of passing) {
    it(`tries again after ${name}`, async () => {
      say(answer, { json: { id: 1 } });
      expect(await ask('/thing/1')).to.deep.equal({ id: 1 });
      expect(outcomes).to.deep.equal([outcome, 'ok']);
      expect(pauses).to.deep.equal([waitMs]);
    });
  }

  it('tries again after silence', async () => {
    build(free, 50);
    say('hang', { json: { id: 1 } });
    expect(await ask('/thing/1')).to.deep.equal({ id: 1 });
    expect(outcomes).to.deep.equal(['failed', 'ok']);
  });

  const final: { name: string; answer: VendorAnswer; failure: string; tries: number }[] = [
    { name: 'a key that is not taken', answer: 401, failure: 'refused', tries: 1 },
    { name: 'a request it does not understand', answer: 422, failure: 'broken', tries: 1 },
    {
      name: 'a record of another form',
      answer: { json: { title: 1 } },
      failure: 'broken',
      tries: 1,
    },
    { name: 'a rest longer than anybody waits', answer: 429, failure: 'busy', tries: 3 },
    {
      name: 'an hour of rest',
      answer: { status: 429, headers: { 'retry-after': '3600' } },
      failure: 'busy',
      tries: 1,
    },
    { name: 'errors without end', answer: 500, failure: 'unavailable', tries: 3 },
  ];
  for (const { name, answer, failure: kind, tries } of final) {
    it(`gives up after ${name}`, async () => {
      say(answer);
      const error = await failure(ask('/thing/1'));
      expect(error).to.be.instanceOf(ProviderError);
      expect(error.failure).to.equal(kind);
      expect(error.message).to.not.contain('secret');
      expect(vendor.asked).to.have.length(tries);
    });
  }

  it('leaves out what does not fit, and counts that', async () => {
    say({ json: { id: 1, name: { en: 'a' } } });
    expect(await ask('/thing/1')).to.deep.equal({ id: 1 });
    expect(outcomes).to.deep.equal(['ok', 'drift thing']);
  });

  it('leaves a provider alone that fails, and one request finds out that it is back', async () => {
    say(500);
    await failure(ask('/thing/1'));
    await failure(ask('/thing/2'));
    expect(http.isResting()).to.equal(true);
    const asked = vendor.asked.length;
    const error = await failure(ask('/thing/3'));
    expect(error.retryAfterMs).to.be.greaterThan(0);
    expect(vendor.asked).to.have.length(asked);
    nowMs += 61_000;
    say({ json: { id: 4 } });
    expect(await ask('/thing/4')).to.deep.equal({ id: 4 });
    expect(http.isResting()).to.equal(false);
  });

  it('serves what it knows while the provider is down', async () => {
    say({ json: { id: 1 } });
    await ask('/thing/1');
    nowMs += 6 * 60_000;
    say(500);
    expect(await ask('/thing/1')).to.deep.equal({ id: 1 });
  });

  it('waits for its part of the budget, but not for ever', async () => {
    const waits = [3_000, 0];
    let rested = 0;
    build({
      take: async () => waits.shift() ?? 0,
      async rest(ms) {
        rested = ms;
      },
    });
    say(429, { json: { id: 1 } });
    expect(await ask('/thing/1')).to.deep.equal({ id: 1 });
    expect(pauses[0]).to.be.within(3_000, 4_005);
    expect(rested).to.equal(1_000);
    build(createBudget({ redis: undefined, nodes: () => 1 }, 'v', { points: 1, seconds: 3_600 }));
    await ask('/thing/1');
    expect((await failure(ask('/thing/2'))).failure).to.equal('busy');
  });
});

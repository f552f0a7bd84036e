import { expect } from 'chai';
import type { Happening } from '#services/events.ts';
import { quiet } from '#test/log.ts';
import { createPublisher, type PublisherOptions } from './publisher.ts';

const job = (jobId: string, state = 'running'): Happening => ({
  ...{ at: 0, name: 'job.changed', audience: 'all' },
  payload: { jobId, queue: 'q', name: 'n', state },
});
const item = (itemId: string): Happening => ({
  ...{ at: 0, name: 'item.updated', audience: 'all' },
  payload: { kind: 'movie', itemId, libraryId: 'l' },
});

/** Pauses that end when told, or when their signal says so. */
function handPauses() {
  const waiting: { ms: number; end: () => void }[] = [];
  const pause = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      const entry = { ms, end: () => (waiting.splice(waiting.indexOf(entry), 1), resolve()) };
      if (signal?.aborted) return resolve();
      waiting.push(entry);
      signal?.addEventListener('abort', entry.end, { once: true });
    });
  return { pause, waiting };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function setUp(options: PublisherOptions = {}) {
  const { pause, waiting } = handPauses();
  const sent: { id: string; events: readonly string[] }[] = [];
  const dropped: Record<string, number> = {};
  const answers: (boolean | Promise<boolean>)[] = [];
  let ids = 0;
  const publisher = createPublisher(
    {
      async send(batch) {
        sent.push(batch);
        return answers.shift() ?? true;
      },
      randomId: () => `${(ids += 1)}`,
      pause,
      onDropped: (count, why) => (dropped[why] = (dropped[why] ?? 0) + count),
      log: quiet,
    },
    options,
  );
  const tick = async () => {
    for (const { end } of [...waiting]) end();
    await settled();
  };
  return { publisher, sent, dropped, answers, waiting, tick };
}

describe('what is told outside of transactions', () => {
  it('goes in batches, in order, one at a time', async () => {
    const { publisher, sent, answers, tick, waiting } = setUp({ batchMax: 2 });
    const first = Promise.withResolvers<boolean>();
    answers.push(first.promise);
    for (const each of ['a', 'b', 'c']) publisher.put(item(each), each);
    expect(waiting.map(({ ms }) => ms)).to.deep.equal([5]);
    await tick();
    await tick();
    expect(sent).to.deep.equal([{ id: '1', events: ['a', 'b'] }]);
    expect(publisher.stats()).to.deep.equal({ waiting: 3 });
    first.resolve(true);
    await settled();
    expect(waiting.map(({ ms }) => ms)).to.deep.equal([100]);
    await tick();
    expect(sent[1]).to.deep.equal({ id: '2', events: ['c'] });
    expect(publisher.stats()).to.deep.equal({ waiting: 0 });
  });

  it('is, of one job or scan, only the latest, in its place', async () => {
    const { publisher, sent, tick } = setUp();
    publisher.put(job('1'), '1 runs');
    publisher.put(item('a'), 'a');
    publisher.put(item('a'), 'a again');
    publisher.put(job('2'), '2 runs');
    publisher.put(job('1', 'completed'), '1 is done');
    await tick();
    expect(sent[0]?.events).to.deep.equal(['a', 'a again', '2 runs', '1 is done']);
  });

  it('is sent again under the same id while nobody takes it, and then dropped', async () => {
    const { publisher, sent, dropped, answers, tick } = setUp();
    answers.push(false, false, true, false, false, false, false, false);
    publisher.put(item('a'), 'a');
    await tick();
    expect(sent.map(({ id }) => id)).to.deep.equal(['1', '1', '1']);
    publisher.put(item('b'), 'b');
    publisher.put(item('c'), 'c');
    await tick();
    expect(sent.slice(3).map(({ id }) => id)).to.deep.equal(['2', '2', '2', '2', '2']);
    expect(dropped).to.deep.equal({ 'no-leader': 2 });
  });

  it('waits in a line of bounded length, from which the oldest goes', async () => {
    const { publisher, sent, dropped, tick } = setUp({ queueMax: 3 });
    for (let nth = 0; nth < 10; nth += 1) publisher.put(item(`${nth}`), `${nth}`);
    await tick();
    expect(sent[0]?.events).to.deep.equal(['7', '8', '9']);
    expect(dropped).to.deep.equal({ overflow: 7 });
  });

  it('is there before what it must not follow, without delay', async () => {
    const { publisher, sent, answers, tick } = setUp();
    const first = Promise.withResolvers<boolean>();
    answers.push(first.promise);
    publisher.put(job('1'), 'half');
    await tick();
    publisher.put(job('1'), 'nearly');
    publisher.put(job('2'), 'other');
    let isSettled = false;
    const settling = publisher.settle(['job 1']).then(() => (isSettled = true));
    await settled();
    expect(isSettled).to.equal(false);
    first.resolve(true);
    await settling;
    expect(sent.map(({ events }) => events)).to.deep.equal([['half'], ['nearly', 'other']]);
    await publisher.settle(['job 1', 'scan 1']);
  });

  it('holds up nobody for long', async () => {
    const { publisher, answers, tick, waiting } = setUp();
    answers.push(new Promise(() => undefined));
    publisher.put(job('1'), 'half');
    await tick();
    const settling = publisher.settle(['job 1']);
    expect(waiting.map(({ ms }) => ms)).to.deep.equal([1_000]);
    await tick();
    await settling;
  });

  it('is sent at once when the node stops, and only once more', async () => {
    const { publisher, sent, dropped, answers } = setUp();
    answers.push(false);
    publisher.put(item('a'), 'a');
    await publisher[Symbol.asyncDispose]();
    expect(sent).to.have.length(1);
    expect(dropped).to.deep.equal({ 'no-leader': 1 });
  });

  it('goes on after a failure that nobody expected', async () => {
    const { publisher, sent, dropped, answers, tick } = setUp();
    answers.push(Promise.reject(new Error('x')));
    publisher.put(item('a'), 'a');
    await tick();
    publisher.put(item('b'), 'b');
    await tick();
    expect(sent.map(({ events }) => events)).to.deep.equal([['a'], ['b']]);
    expect(dropped).to.deep.equal({ failed: 1 });
  });
});

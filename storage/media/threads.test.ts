import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import type { Bulk } from './protocol.ts';
import { answerBy, type Run, type Task } from './threads.ts';
import { takeTurns } from './turns.ts';

const call: Bulk = { id: 1, name: 'lookMany', input: { root: '/', paths: ['a', 'b', 'c'] } };
const wanted = new AbortController().signal;
const soon = { stuckAfterMs: 20, lookMs: 5 };

/** A thread that computes without end at the first file given, and is done where there is none. */
const circling = `
  const { workerData, parentPort } = require('node:worker_threads');
  const said = new Int32Array(workerData.turns);
  const at = ['a', 'b', 'c'].findIndex((path) => !workerData.leave.includes(path));
  if (at < 0) parentPort.postMessage({ value: 'done' });
  else {
    Atomics.store(said, 2, at);
    Atomics.add(said, 1, 1);
    for (;;);
  }`;

const byWorker: Run = (task, stuck) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(circling, { eval: true, workerData: task });
    worker.on('message', resolve);
    stuck.addEventListener('abort', () => {
      void worker.terminate().then(() => reject(stuck.reason as Error));
    });
  });

/** Waits for what may end it. */
const until = (stuck: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    stuck.addEventListener('abort', () => reject(stuck.reason as Error));
  });

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail('it was answered'),
    (error: unknown) => error,
  );

describe('a call that a thread answers', () => {
  it('leaves alone each file at which a thread computes without end', async () => {
    expect(await answerBy(byWorker, call, wanted, soon)).to.deep.equal({ value: 'done' });
  });

  it('leaves alone a file at which a thread dies', async () => {
    const left: (readonly string[])[] = [];
    const run: Run = async ({ leave, turns }) => {
      left.push([...leave]);
      takeTurns(turns).at(2);
      if (leave.length === 0) throw new Error('out of memory');
      return { value: 'done' };
    };
    expect(await answerBy(run, call, wanted)).to.deep.equal({ value: 'done' });
    expect(left).to.deep.equal([[], ['c']]);
  });

  it('fails with a thread that dies again, and with one that reads no heads', async () => {
    const run: Run = () => Promise.reject(new Error('out of memory'));
    const other: Bulk = { ...call, name: 'listMany' };
    for (const each of [call, other]) {
      expect(String(await failureOf(answerBy(run, each, wanted)))).to.contain('out of memory');
    }
  });

  it('waits for one that waits for its disk, which is told that nobody wants the answer', async () => {
    const controller = new AbortController();
    const tasks: Task[] = [];
    let end: () => void = () => undefined;
    const run: Run = (task, stuck) => {
      tasks.push(task);
      const turns = takeTurns(task.turns);
      turns.turn();
      turns.turn();
      return Promise.race([
        until(stuck),
        new Promise<{ value: string }>((resolve) => (end = () => resolve({ value: 'late' }))),
      ]);
    };
    const answered = answerBy(run, call, controller.signal, soon);
    controller.abort(new Error('no longer wanted'));
    const turns = takeTurns(tasks[0]!.turns);
    expect(turns.aborted).to.equal(true);
    expect(() => turns.throwIfAborted()).to.throw('no longer wanted');
    end();
    expect(await answered).to.deep.equal({ value: 'late' });
  });

  it('ends one that computes when nobody wants the answer', async () => {
    const controller = new AbortController();
    const run: Run = (task, stuck) => {
      takeTurns(task.turns).turn();
      return until(stuck);
    };
    const answered = failureOf(answerBy(run, call, controller.signal));
    controller.abort(new Error('no longer wanted'));
    expect(String(await answered)).to.contain('no longer wanted');
  });
});

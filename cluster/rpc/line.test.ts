import { expect } from 'chai';
import { createGate } from './gate.ts';
import { createLine } from './line.ts';

describe('a line', () => {
  const started: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const work = (name: string) => () => {
    started.push(name);
    const end = Promise.withResolvers<string>();
    ends.set(name, end);
    return end.promise;
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  beforeEach(() => {
    started.length = 0;
    ends.clear();
  });

  it('runs so many at once, in order, and each key for itself', async () => {
    const run = createLine(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => run('k', work(name)));
    const other = run('other', work('x'));
    await turn();
    expect(started).to.deep.equal(['a', 'b', 'x']);
    ends.get('b')!.resolve('b');
    await turn();
    expect(started).to.deep.equal(['a', 'b', 'x', 'c']);
    ends.get('c')!.resolve('c');
    await turn();
    for (const name of ['a', 'd', 'x']) ends.get(name)!.resolve(name);
    expect(await Promise.all([...all, other])).to.deep.equal(['a', 'b', 'c', 'd', 'x']);
  });

  it('fails with the one that runs, and begins anew', async () => {
    const run = createLine(1);
    const all = ['a', 'b', 'c'].map((name) => run('k', work(name)).catch(String));
    await turn();
    ends.get('a')!.reject(new Error('lost'));
    expect(await Promise.all(all)).to.deep.equal(Array(3).fill('Error: lost'));
    expect(started).to.deep.equal(['a']);
    const next = run('k', work('d'));
    await turn();
    ends.get('d')!.resolve('d');
    expect(await next).to.equal('d');
  });
});

describe('a gate', () => {
  it('lets so many in, then whoever waited longest and still does', async () => {
    const gate = createGate(1, 2);
    const giveUps: (() => void)[] = [];
    const enter = () => gate.enter('k', (giveUp) => giveUps.push(giveUp));
    const first = await enter();
    const [second, third, fourth] = [enter(), enter(), enter()];
    expect(await fourth, 'too many wait').to.be.undefined;
    giveUps[0]!();
    expect(await second, 'given up').to.be.undefined;
    first!();
    first!();
    const leave = await third;
    expect([typeof leave, gate.total()]).to.deep.equal(['function', 1]);
    giveUps[1]!(); // too late to be heard
    leave!();
    expect(gate.total()).to.equal(0);
  });
});

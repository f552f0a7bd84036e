import { expect } from 'chai';
import { createMachineRunner } from './machine.ts';
import type { ToEngine } from './messages.ts';
import type { Applied, StateMachine } from './ports.ts';

const entry = (index: number): Applied => ({
  index,
  term: 1,
  type: 'command',
  data: new Uint8Array([index]),
});

/** A state machine that keeps what it was given, under an engine that is not the first. */
function under({ from }: { from: number }) {
  const applied: number[] = [];
  const restored: number[] = [];
  const posted: ToEngine[] = [];
  const machine: StateMachine = {
    apply(entries) {
      applied.push(...entries.map(({ index }) => index));
      return entries.map(({ index }) => `result ${index}`);
    },
    async *snapshot() {
      yield new Uint8Array([1]);
    },
    async restore(bytes) {
      for await (const piece of bytes) restored.push(piece.length);
    },
  };
  const results: (readonly unknown[])[] = [];
  const runner = createMachineRunner({
    machine,
    from,
    post: (message) => posted.push(message),
    onApplied: (_entries, their) => results.push(their),
    onRestored: () => undefined,
    onBroken: (error) => {
      throw error;
    },
  });
  return { runner, applied, restored, posted, results };
}

describe('a state machine under its second engine', () => {
  it('is not given again what it has, and goes on from there', () => {
    const { runner, applied, results, posted } = under({ from: 3 });
    runner.apply([entry(1), entry(2)]);
    expect(runner.applied()).to.equal(2);
    runner.apply([entry(3), entry(4), entry(5)]);
    expect(applied).to.deep.equal([4, 5]);
    expect(results).to.deep.equal([[], [], ['result 4', 'result 5']]);
    expect(posted).to.deep.equal([
      { type: 'applied', index: 2, term: 1 },
      { type: 'applied', index: 3, term: 1 },
      { type: 'applied', index: 5, term: 1 },
    ]);
  });

  it('passes over a snapshot of what it has, and takes one of what it has not', async () => {
    const { runner, restored } = under({ from: 10 });
    const give = async (index: number) => {
      runner.restore({ index, term: 1 });
      runner.restoreChunk(new Uint8Array(7));
      runner.restoreChunk(undefined);
      while (runner.applied() !== index) await Promise.resolve();
    };
    await give(8);
    expect(restored).to.deep.equal([]);
    await give(12);
    expect(restored).to.deep.equal([7]);
  });

  it('makes no snapshot that would be named after an entry it is past', () => {
    const { runner, posted } = under({ from: 3 });
    runner.apply([entry(1)]);
    runner.takeSnapshot(9);
    expect(posted.at(-1)).to.include({ type: 'snapshotFailed', token: 9 });
    runner.apply([entry(2), entry(3)]);
    runner.takeSnapshot(10);
    expect(posted.at(-1)).to.deep.equal({ type: 'snapshotAt', token: 10, index: 3, term: 1 });
  });
});

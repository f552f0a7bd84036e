import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import type { StopLevel } from '../signals.ts';
import { createStopper } from './stopper.ts';

describe('what stops a node', () => {
  function stopper() {
    const exits: number[] = [];
    const asked: (StopLevel | undefined)[] = [];
    let waiting: (() => void) | undefined;
    const made = createStopper({
      log: quiet,
      exit: (code) => void exits.push(code),
      after(_ms, then) {
        waiting = then;
        return () => (waiting = undefined);
      },
    });
    const node = { stop: (level?: StopLevel) => void asked.push(level) };
    return { ...made, node, exits, asked, pass: () => waiting?.() };
  }

  it('is told to the node that runs', () => {
    const { hand, ask, node, asked, exits, pass } = stopper();
    hand(node);
    ask('soft');
    ask('cancel');
    pass();
    expect([asked, exits]).to.deep.equal([['soft', 'cancel'], []]);
  });

  it('is kept for a node that starts', () => {
    const { hand, ask, node, asked, exits, pass } = stopper();
    ask('soft');
    hand(node);
    pass();
    expect([asked, exits]).to.deep.equal([['soft'], []]);
  });

  it('does not wait for a start that waits', () => {
    const { ask, exits, pass } = stopper();
    ask('soft');
    ask('cancel');
    expect(exits).to.deep.equal([]);
    pass();
    expect(exits).to.deep.equal([0]);
  });

  it('ends a start at once when it is asked to', () => {
    const { ask, exits } = stopper();
    ask('soft');
    ask('exit');
    expect(exits).to.deep.equal([1]);
  });
});

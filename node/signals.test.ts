import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { watchSignals, type StopLevel } from './signals.ts';

describe('signals', () => {
  const make = () => {
    const source = new EventEmitter();
    const levels: StopLevel[] = [];
    let at = 0;
    const stop = watchSignals({
      onLevel: (level) => levels.push(level),
      now: () => at,
      source: source as unknown as NodeJS.Process,
    });
    const send = (name: string, afterMs: number) => {
      at += afterMs;
      source.emit(name);
    };
    return { send, levels, stop, source };
  };

  it('goes from soft to cancel to exit, whichever signals come', () => {
    const { send, levels } = make();
    send('SIGINT', 1000);
    send('SIGTERM', 1000);
    send('SIGINT', 1000);
    send('SIGINT', 1000);
    expect(levels).to.deep.equal(['soft', 'cancel', 'exit']);
  });

  it('takes a Ctrl-C that a terminal and npm both pass on for one', () => {
    const { send, levels } = make();
    send('SIGINT', 1000);
    send('SIGINT', 5);
    expect(levels).to.deep.equal(['soft']);
  });

  it('stops listening', () => {
    const { stop, source } = make();
    stop();
    expect(source.listenerCount('SIGINT')).to.equal(0);
  });
});

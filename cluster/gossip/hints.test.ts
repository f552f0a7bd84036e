import { expect } from 'chai';
import { createHints } from './hints.ts';
import type { Invalidation } from './invalidation.ts';
import type { Listener, Topic } from './types.ts';

/** Two nodes; what one publishes the other hears at once. */
function pair() {
  const sides = ['a', 'b'].map((id) => ({ id, listeners: new Map<Topic, Listener>() }));
  const say = (from: number, topic: Topic, bytes: Uint8Array) => {
    const heard = sides[1 - from]!.listeners.get(topic);
    heard?.(bytes, sides[from]!.id);
  };
  const hints = sides.map(({ listeners }, i) =>
    createHints({
      gossip: {
        publish: (topic, bytes) => say(i, topic, bytes),
        subscribe(topic, listener) {
          listeners.set(topic, listener);
          return () => void listeners.delete(topic);
        },
      },
    }),
  );
  return { a: hints[0]!, b: hints[1]!, say };
}

describe('hints', () => {
  it('tell of tags, and by whom', () => {
    const { a, b } = pair();
    const heard: [Invalidation, string][] = [];
    const end = b.onInvalidation((one, from) => heard.push([one, from]));
    a.invalidated({ index: 7, tags: ['x', 'y'] });
    end();
    a.invalidated({ index: 8, tags: ['z'] });
    expect(heard).to.deep.equal([[{ index: 7, tags: ['x', 'y'] }, 'a']]);
  });

  it('drop and count garbage', () => {
    const { b, say } = pair();
    const heard: unknown[] = [];
    b.onInvalidation((each) => heard.push(each));
    say(0, 'invalidate', new Uint8Array(0));
    say(0, 'invalidate', Uint8Array.of(9, 9));
    expect(heard).to.deep.equal([]);
    expect(b.stats()).to.deep.equal({ garbage: 2 });
  });

  it('end when they are closed', () => {
    const { a, b } = pair();
    const heard: unknown[] = [];
    b.onInvalidation((each) => heard.push(each));
    b.close();
    a.invalidated({ index: 7, tags: ['x'] });
    expect(heard).to.deep.equal([]);
  });
});

import { expect } from 'chai';
import { createHints } from './hints.ts';
import type { Invalidation } from './invalidation.ts';
import { encodePresence, type Presence } from './presence.ts';
import type { Listener, Topic } from './types.ts';

/** Two nodes; what one publishes the other hears at once. */
function pair() {
  const sides = ['a', 'b'].map((id) => ({ id, listeners: new Map<Topic, Listener>() }));
  let time = 1_000;
  const say = (from: number, topic: Topic, bytes: Uint8Array) => {
    const heard = sides[1 - from]!.listeners.get(topic);
    heard?.(bytes, sides[from]!.id);
  };
  const hints = sides.map(({ id, listeners }, i) =>
    createHints({
      gossip: {
        publish: (topic, bytes) => say(i, topic, bytes),
        subscribe(topic, listener) {
          listeners.set(topic, listener);
          return () => void listeners.delete(topic);
        },
      },
      self: { nodeId: id, bootEpoch: 1, session: `s-${id}` },
      maxAgeMs: 100,
      now: () => time,
    }),
  );
  return { a: hints[0]!, b: hints[1]!, say, pass: (ms: number) => (time += ms) };
}

const idle = { load: 0, streams: 0, index: 0, isLeaving: false };

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

  it('tell who is there, until they fall silent', () => {
    const { a, b, pass } = pair();
    const heard: Presence[] = [];
    b.onPresence((presence) => heard.push(presence));
    a.present({ ...idle, load: 300 });
    pass(50);
    a.present({ ...idle, streams: 2 });
    expect(heard.map(({ beat, load, streams }) => [beat, load, streams])).to.deep.equal([
      [1, 300, 0],
      [2, 0, 2],
    ]);
    expect(b.nodes()).to.deep.equal([heard[1]]);
    expect(a.nodes()).to.deep.equal([]);
    pass(101);
    expect(b.nodes()).to.deep.equal([]);
  });

  it('drop and count garbage, forgeries and what is outdated', () => {
    const { b, say } = pair();
    const heard: unknown[] = [];
    b.onPresence((each) => heard.push(each));
    b.onInvalidation((each) => heard.push(each));
    const told = { ...idle, nodeId: 'a', bootEpoch: 1, session: 's', beat: 5, at: 1 };
    say(0, 'presence', Uint8Array.of(1, 2, 3));
    say(0, 'invalidate', new Uint8Array(0));
    say(0, 'presence', encodePresence({ ...told, nodeId: 'c' }));
    say(0, 'presence', encodePresence(told));
    say(0, 'presence', encodePresence(told));
    say(0, 'presence', encodePresence({ ...told, beat: 4 }));
    expect(heard).to.deep.equal([told]);
    expect(b.stats()).to.deep.equal({ garbage: 2, forged: 1, outdated: 2 });
  });

  it('end when they are closed', () => {
    const { a, b } = pair();
    b.close();
    a.present(idle);
    expect(b.nodes()).to.deep.equal([]);
  });
});

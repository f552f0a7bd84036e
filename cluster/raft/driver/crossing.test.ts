import { expect } from 'chai';
import { createOutbox } from './outbox.ts';
import { packToEngine, packToHost, unpackToEngine, unpackToHost } from './pack.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const bytes = (...texts: string[]) => texts.map((text) => new TextEncoder().encode(text));

describe('messages between the halves of the driver', () => {
  it('are the same on the other side', () => {
    const [first, empty, last] = bytes('first', '', 'last') as [Uint8Array, Uint8Array, Uint8Array];
    const entries = [
      { index: 7, term: 2, type: 'command', data: first },
      { index: 8, term: 3, type: 'noop', data: empty },
      { index: 9, term: 3, type: 'configuration', data: last },
      { index: 10, term: 3, type: 'barrier', data: empty },
    ] as const;
    const apply = { type: 'apply', entries } as const;
    expect(unpackToHost(structuredClone(packToHost(apply)))).to.deep.equal(apply);
    for (const propose of [
      { type: 'propose', data: [first, empty, last], term: 3 } as const,
      { type: 'propose', data: [first] } as const,
      { type: 'barrier' } as const,
    ]) {
      expect(unpackToEngine(structuredClone(packToEngine(propose)))).to.deep.equal(propose);
    }
    const ping = { type: 'ping' } as const;
    expect(unpackToHost(packToHost(ping))).to.equal(ping);
  });

  it('leave together, and at once when somebody waits', async () => {
    const sent: (readonly string[])[] = [];
    const outbox = createOutbox<string>({
      send: (messages) => void sent.push(messages),
      isUrgent: (message) => message !== 'idle',
      patienceMs: 10,
    });
    outbox.post('idle');
    await Promise.resolve();
    expect(sent).to.deep.equal([]);
    outbox.post('urgent');
    outbox.post('idle');
    await Promise.resolve();
    expect(sent).to.deep.equal([['idle', 'urgent', 'idle']]);
    outbox.post('idle');
    await pause(30);
    expect(sent.slice(1)).to.deep.equal([['idle']]);
    outbox.post('idle');
    outbox.flush();
    await pause(30);
    expect(sent.slice(2)).to.deep.equal([['idle']]);
  });
});

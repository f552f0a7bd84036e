import { expect } from 'chai';
import fc from 'fast-check';
import { createEventReader, type SentEvent } from './sse.ts';

const stream = [
  'retry: 3000\n\n',
  'id: 41\n\n',
  ':\n\n',
  'id: 42\nevent: item.added\ndata: {"a":1}\n\n',
  'event: reset\r\ndata: one\r\ndata:two\r\n\r\n',
  'data\n\n',
].join('');

function read(pieces: readonly string[]) {
  const events: SentEvent[] = [];
  const reader = createEventReader((event) => events.push(event));
  for (const piece of pieces) reader.push(piece);
  return { events, lastId: reader.lastId() };
}

describe('reading server-sent events', () => {
  it('gives each with the id to resume after', () => {
    expect(read([stream])).to.deep.equal({
      lastId: '42',
      events: [
        { id: '42', name: 'item.added', data: '{"a":1}' },
        { id: '42', name: 'reset', data: 'one\ntwo' },
        { id: '42', name: 'message', data: '' },
      ],
    });
  });

  it('takes them in pieces of any size', () => {
    const cuts = fc.array(fc.nat(stream.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        const sorted = [0, ...at.sort((x, y) => x - y), stream.length];
        const pieces = sorted.slice(1).map((end, i) => stream.slice(sorted[i], end));
        expect(read(pieces)).to.deep.equal(read([stream]));
      }),
    );
  });
});

import { expect } from 'chai';
import type { Call, ListOp, RegisterOp } from './linearizable.ts';
import {
  appended,
  checkLinearizable,
  emptyList,
  listModel,
  registerModel,
} from './linearizable.ts';

type Op = RegisterOp<number>;
const call = <T>(op: T, callAt: number, endAt: number): Call<T> => ({ op, callAt, endAt });
const set = (value: number): Op => ({ kind: 'set', value });
const get = (read: number | null): Op => ({ kind: 'get', read });
const cas = (from: number | null, value: number, isSwapped?: boolean): Op => ({
  ...{ kind: 'cas', from, value, isSwapped },
});
const never = Infinity;

const rows: readonly (readonly [string, readonly Call<Op>[], boolean])[] = [
  ['nothing at all', [], true],
  ['an empty register reads null', [call(get(null), 0, 1)], true],
  ['a value from nowhere', [call(get(7), 0, 1)], false],
  ['a write, then its read', [call(set(1), 0, 1), call(get(1), 2, 3)], true],
  ['a stale read after the write', [call(set(1), 0, 1), call(get(null), 2, 3)], false],
  ['an old read beside the write', [call(set(1), 0, 5), call(get(null), 2, 3)], true],
  [
    'a read that goes back in time',
    [call(set(1), 0, 9), call(get(1), 1, 2), call(get(null), 3, 4)],
    false,
  ],
  [
    'two readers that see two writes in different orders',
    [
      call(set(1), 0, 9),
      call(set(2), 0, 9),
      ...[call(get(1), 1, 2), call(get(2), 3, 4)],
      ...[call(get(2), 1, 2), call(get(1), 3, 4)],
    ],
    false,
  ],
  [
    'an unanswered write that is seen much later',
    [call(set(1), 0, never), call(get(1), 8, 9)],
    true,
  ],
  [
    'an unanswered write that happens late',
    [call(set(1), 0, never), call(get(null), 3, 4), call(get(1), 8, 9)],
    true,
  ],
  [
    'an unanswered write that happens twice',
    [
      ...[call(set(1), 0, never), call(get(1), 3, 4), call(set(2), 5, 6), call(get(2), 7, 8)],
      call(get(1), 9, 10),
    ],
    false,
  ],
  ['an unanswered write that never happens', [call(set(1), 0, never), call(get(null), 8, 9)], true],
  ['a cas that had to fail', [call(set(1), 0, 1), call(cas(2, 3, true), 2, 3)], false],
  ['a cas that had to succeed', [call(set(1), 0, 1), call(cas(1, 3, false), 2, 3)], false],
  [
    'two cas from one value',
    [call(cas(null, 1, true), 0, 5), call(cas(null, 2, true), 0, 5)],
    false,
  ],
  [
    'two cas from one value, one refused',
    [call(cas(null, 1, true), 0, 5), call(cas(null, 2, false), 0, 5), call(get(1), 6, 7)],
    true,
  ],
  [
    'an unanswered cas explains a refused one',
    [call(cas(null, 1), 0, never), call(cas(null, 2, false), 3, 4)],
    true,
  ],
  ['a lost update', [call(set(1), 0, 1), call(set(2), 2, 3), call(get(1), 4, 5)], false],
];

describe('linearizability checker', () => {
  for (const [name, history, isFine] of rows) {
    it(`${isFine ? 'accepts' : 'refuses'} ${name}`, () => {
      const verdict = checkLinearizable(history, registerModel<number>());
      expect(verdict).to.equal(isFine ? 'linearizable' : 'not linearizable');
    });
  }

  it('refuses a list that lost an append, and accepts one that did not', () => {
    const one = appended(emptyList, 1);
    const two = appended(one, 2);
    const lost = appended(emptyList, 2);
    const append = (value: number, length?: number): ListOp => ({ kind: 'append', value, length });
    const list = (of: typeof one): ListOp => ({ kind: 'list', ...of });
    const begin = [call(append(1, 1), 0, 1), call(append(2, 2), 2, 3)];
    const unknown = [call(append(1), 0, never), call(append(2), 2, never)];
    expect(checkLinearizable([...begin, call(list(two), 4, 5)], listModel)).to.equal(
      'linearizable',
    );
    expect(checkLinearizable([...begin, call(list(lost), 4, 5)], listModel)).to.equal(
      'not linearizable',
    );
    expect(checkLinearizable([...unknown, call(list(lost), 4, 5)], listModel)).to.equal(
      'linearizable',
    );
  });

  it('takes a thousand calls of ten clients in its stride', () => {
    const history: Call<Op>[] = [];
    let value: number | null = null;
    for (let at = 0; at < 1000; at += 1) {
      const isWrite = at % 3 === 0;
      if (isWrite) value = at;
      history.push(call(isWrite ? set(at) : get(value), at - (at % 10), at + 1));
    }
    expect(checkLinearizable(history, registerModel<number>())).to.equal('linearizable');
  });

  it('gives up rather than search for ever', () => {
    const history = Array.from({ length: 40 }, (_, at) => call(set(at), 0, never));
    history.push(call(get(99), 1, 2));
    expect(checkLinearizable(history, registerModel<number>(), 1000)).to.equal('gave up');
  });
});

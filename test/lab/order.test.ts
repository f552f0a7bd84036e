import { expect } from 'chai';
import fc from 'fast-check';
import { checkLinearizable, registerModel, type Call } from '../raft/linearizable.ts';
import type { RegisterOp } from '../raft/linearizable.ts';
import { contradictions } from './order.ts';

const moments = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 12 }))
  .map(([callAt, length]) => ({ callAt, endAt: callAt + length }));

/** A few writes, of which some are never answered, and reads of any of their values. */
const history = fc.record({
  writes: fc.array(fc.tuple(moments, fc.boolean()), { minLength: 1, maxLength: 4 }),
  reads: fc.array(fc.tuple(moments, fc.nat({ max: 4 })), { maxLength: 6 }),
});

describe('contradictions', () => {
  it('finds some exactly where a search finds no order', () => {
    fc.assert(
      fc.property(history, (drawn) => {
        const writes = drawn.writes.map(([at, isAnswered], nth) => ({
          ...{ value: `v${nth}`, callAt: at.callAt },
          endAt: isAnswered ? at.endAt : Infinity,
        }));
        const reads = drawn.reads.map(([at, nth]) => ({
          ...at,
          value: nth < writes.length ? `v${nth}` : null,
        }));
        const calls: Call<RegisterOp<string>>[] = [
          ...writes.map(({ value, ...at }) => ({ op: { kind: 'set', value } as const, ...at })),
          ...reads.map(({ value, ...at }) => ({
            op: { kind: 'get', read: value } as const,
            ...at,
          })),
        ];
        const verdict = checkLinearizable(calls, registerModel<string>());
        const found = contradictions(writes, reads, null);
        expect(found.length === 0, found.join()).to.equal(verdict === 'linearizable');
      }),
      { numRuns: 2_000 },
    );
  });

  it('calls a value that nobody wrote by its name', () => {
    const reads = [{ value: 'x', callAt: 1, endAt: 2 }];
    expect(contradictions([], reads, null)).to.deep.equal(['x, which nobody wrote']);
  });
});

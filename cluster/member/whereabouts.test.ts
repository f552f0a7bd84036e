import { expect } from 'chai';
import fc from 'fast-check';
import { createWhereabouts, type Sighting } from './whereabouts.ts';

const at = (...raft: string[]) => ({ raft, rpc: [], gossip: [], api: [] });
type When = readonly [bootEpoch: number, saidAt: number];
const seen = (id: string, [bootEpoch, saidAt]: When, ...raft: string[]): Sighting => ({
  ...{ id, bootEpoch, saidAt },
  addresses: at(...raft),
});
const known = (bootEpoch: number, ...raft: string[]) => ({
  ...{ id: 'a', bootEpoch },
  addresses: at(...raft),
});

describe('the whereabouts of members', () => {
  it('put what was heard last before what was known', () => {
    const whereabouts = createWhereabouts();
    expect(whereabouts.locate(known(3, 'old:1'))).to.deep.equal(known(3, 'old:1'));
    expect(whereabouts.note(seen('a', [3, 10], 'new:1'))).to.equal(true);
    expect(whereabouts.locate(known(3, 'old:1')).addresses.raft).to.deep.equal(['new:1', 'old:1']);
    expect(whereabouts.locate({ id: 'a', addresses: at('old:1') }).addresses.raft).to.have.length(
      2,
    );
  });

  it('take the later word of a start, and the later start', () => {
    const words: [Sighting, isNews: boolean, first: string][] = [
      [seen('a', [3, 10], 'x:1'), true, 'x:1'],
      [seen('a', [3, 10], 'y:1'), false, 'x:1'],
      [seen('a', [3, 9], 'y:1'), false, 'x:1'],
      [seen('a', [3, 11], 'x:1'), false, 'x:1'],
      [seen('a', [2, 99], 'y:1'), false, 'x:1'],
      [seen('a', [4, 1], 'y:1'), true, 'y:1'],
    ];
    const whereabouts = createWhereabouts();
    for (const [word, isNews, first] of words) {
      expect(whereabouts.note(word), JSON.stringify(word)).to.equal(isNews);
      expect(whereabouts.locate(known(1)).addresses.raft[0]).to.equal(first);
    }
  });

  it('forget what was said before the log has it, and what is older than the log', () => {
    const whereabouts = createWhereabouts();
    whereabouts.note(seen('a', [3, 10], 'x:1'));
    expect(whereabouts.locate(known(4, 'z:1')).addresses.raft).to.deep.equal(['z:1']);
    whereabouts.settle({ ...known(3, 'y:1') } as never);
    expect(whereabouts.all()).to.deep.equal([]);
    whereabouts.note(seen('a', [5, 10], 'x:1'));
    whereabouts.settle({ ...known(4, 'y:1') } as never);
    expect(whereabouts.all()).to.have.length(1);
  });

  it('are the same in whatever order words come, if all come', () => {
    const word = fc.record({
      id: fc.constantFrom('a', 'b'),
      bootEpoch: fc.integer({ min: 1, max: 3 }),
      saidAt: fc.integer({ min: 1, max: 4 }),
    });
    const words = fc.uniqueArray(word, { selector: (each) => JSON.stringify(each) });
    fc.assert(
      fc.property(words, fc.func(fc.integer()), (some, order) => {
        const tell = (all: typeof some) => {
          const whereabouts = createWhereabouts();
          for (const { id, bootEpoch, saidAt } of all) {
            whereabouts.note(seen(id, [bootEpoch, saidAt], `${bootEpoch}:${saidAt}`));
          }
          return [...whereabouts.all()].sort((x, y) => x.id.localeCompare(y.id));
        };
        const shuffled = [...some].sort((x, y) => order(x) - order(y));
        expect(tell(shuffled)).to.deep.equal(tell(some));
      }),
    );
  });

  it('keep to as many members and addresses as there may be', () => {
    const whereabouts = createWhereabouts();
    for (let nth = 0; nth < 300; nth += 1) whereabouts.note(seen(`n${nth}`, [1, 1], 'x:1'));
    expect(whereabouts.all()).to.have.length(256);
    const many = Array.from({ length: 16 }, (_, nth) => `x:${nth + 1}`);
    whereabouts.note(seen('n0', [2, 1], ...many));
    const { raft } = whereabouts.locate({ id: 'n0', addresses: at('y:1') }).addresses;
    expect(raft).to.deep.equal(many);
  });
});

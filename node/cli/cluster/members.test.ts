import { expect } from 'chai';
import { toMember } from '../../cluster/json.ts';
import { fakeMember } from '#test/fakes/cluster-control.ts';
import { findMember, label, labelOf, shortId } from './members.ts';

const one = (id: string, name = id) => toMember(fakeMember({ id, name }));
const ids = [
  '0196a1c2-7b1e-7c55-9d7e-5a3f0c2b1e40',
  '0196a1c2-7b1e-7c55-9d7e-5a3f0c2b1e41',
] as const;
const members = [one(ids[0], 'Kitchen'), one(ids[1], 'attic'), one('n3', 'attic'), one('n4', '')];

const faultOf = (wanted: string) => {
  try {
    return findMember(members, wanted).id;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('cluster commands: members', () => {
  const found: [string, string][] = [
    [ids[0], ids[0]],
    ['kitchen', ids[0]],
    ['KITCHEN', ids[0]],
    ['0c2b1e41', ids[1]],
    ['1e40', ids[0]],
    ['n3', 'n3'],
    ['n4', 'n4'],
  ];
  for (const [wanted, id] of found) {
    it(`finds ${wanted}`, () => expect(faultOf(wanted)).to.equal(id));
  }

  it('takes none that could be several', () => {
    expect(faultOf('attic')).to.equal(`"attic" could be each of ${ids[1]}, n3: give the whole id`);
    expect(faultOf('0196a1c2')).to.match(/could be each of/);
  });

  it('says who there is when it is none', () => {
    const known = 'Kitchen, attic (0c2b1e41), attic (n3), n4';
    for (const wanted of ['garage', 'e40', '']) {
      expect(faultOf(wanted)).to.equal(`no member is called "${wanted}"; there are: ${known}`);
    }
    expect(() => findMember([], 'x')).to.throw('there are: none');
  });

  it('prefers an id to a name, and a name to a part of an id', () => {
    const odd = [one('aaaa-bbbb', 'x'), one('cccc-dddd', 'bbbb'), one('bbbb', 'y')];
    expect(findMember(odd, 'bbbb').name).to.equal('y');
    expect(findMember(odd.slice(0, 2), 'bbbb').id).to.equal('cccc-dddd');
  });

  it('names members by name, and by id where that is not enough', () => {
    expect(members.map((member) => label(member, members))).to.deep.equal([
      ...['Kitchen', 'attic (0c2b1e41)', 'attic (n3)', 'n4'],
    ]);
    expect(labelOf('gone', members)).to.equal('gone');
    expect(shortId(ids[0])).to.equal('0c2b1e40');
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { createSettling } from './settling.ts';

describe('settling', () => {
  const came = (...paths: string[]) => paths.map((path) => ({ path, isGone: false }));
  const settling = (max = 100) => {
    let floods = 0;
    const made = createSettling({ quietMs: 10, max, onFlood: () => (floods += 1) });
    return { ...made, floods: () => floods };
  };

  it('holds back a file for as long as it is written', () => {
    const { heard, ready } = settling();
    for (let at = 0; at < 50; at += 5) {
      heard(came('/m/A/A.mkv'), at);
      expect(ready(at + 4)).to.deep.equal([]);
    }
    expect(ready(55)).to.deep.equal(came('/m/A/A.mkv'));
    expect(ready(1_000)).to.deep.equal([]);
  });

  it('holds back a folder while something in it changes, but not its neighbours', () => {
    const { heard, ready } = settling();
    heard(came('/m/A', '/m/Ab'), 0);
    heard(came('/m/A/deep/A.mkv'), 8);
    expect(ready(12)).to.deep.equal(came('/m/Ab'));
    expect(ready(18)).to.deep.equal(came('/m/A', '/m/A/deep/A.mkv'));
  });

  it('says last what was heard last', () => {
    const { heard, ready } = settling();
    heard(came('/m/A.mkv'), 0);
    heard([{ path: '/m/A.mkv', isGone: true }], 1);
    expect(ready(20)).to.deep.equal([{ path: '/m/A.mkv', isGone: true }]);
  });

  it('forgets what is too much, and says so', () => {
    const { heard, ready, floods, size } = settling(3);
    heard(came('/a', '/b', '/c', '/d'), 0);
    expect([floods(), size(), ready(20)]).to.deep.equal([1, 0, []]);
  });

  it('tells everything once, in the end', () => {
    const paths = fc.constantFrom('/a', '/a/b', '/a/b/c', '/ab', '/d/e');
    const changes = fc.array(fc.record({ path: paths, after: fc.nat(20) }), { maxLength: 30 });
    fc.assert(
      fc.property(changes, (list) => {
        const { heard, ready, size } = settling();
        const told: string[] = [];
        let at = 0;
        let last = new Map<string, number>();
        for (const { path, after } of list) {
          at += after;
          for (const one of ready(at)) {
            expect(at - (last.get(one.path) ?? at)).to.be.at.least(10);
            told.push(one.path);
          }
          heard(came(path), at);
          last = new Map([...last, [path, at]]);
        }
        told.push(...ready(at + 10).map(({ path }) => path));
        expect(size()).to.equal(0);
        expect(new Set(told)).to.deep.equal(new Set(list.map(({ path }) => path)));
      }),
    );
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { createLogRing, levels, type Level, type Line, type Question } from './ring.ts';

const roomy = { lines: 1_000, bytes: 1_000_000 };
const line = (more: Partial<Line> = {}): Omit<Line, 'id'> => ({
  at: '2026-01-02T03:04:05.678Z',
  ...{ level: 'info', module: undefined, message: 'm', fields: {} },
  ...more,
});
const ringOf = (...lines: Partial<Line>[]) => {
  const ring = createLogRing(() => 10, { grave: roomy, other: roomy });
  for (const more of lines) ring.add(line(more));
  return ring;
};
const messages = (lines: readonly Line[]) => lines.map(({ message }) => message).join(' ');

describe('the kept log', () => {
  const some = ringOf(
    { message: 'one', module: 'http', fields: { path: '/a "b"' } },
    { message: 'two', level: 'error', fields: { error: { message: 'Disk FULL' } } },
    { message: 'three', level: 'debug', module: 'jobs' },
    { message: 'four', level: 'warn', module: 'http' },
  );
  const rows: [string, Omit<Question, 'limit'>, string][] = [
    ['all, the newest first', {}, 'four three two one'],
    ['by level', { level: 'info' }, 'four two one'],
    ['only errors', { level: 'error' }, 'two'],
    ['by module', { module: 'http' }, 'four one'],
    ['by a module of which there is nothing', { module: 'no' }, ''],
    ['by text of the message', { text: 'TW' }, 'two'],
    ['by text of the fields', { text: 'disk full' }, 'two'],
    ['by text that JSON writes otherwise', { text: '"b"' }, 'one'],
    ['what is older', { before: 12 }, 'two one'],
    ['what is newer', { after: 11 }, 'four three'],
    ['what lies between', { after: 10, before: 13 }, 'three two'],
    ['all that together', { level: 'warn', module: 'http', after: 10 }, 'four'],
  ];
  for (const [what, question, wanted] of rows) {
    it(`is asked for ${what}`, () => {
      const { lines, hasMore } = some.page({ limit: 10, ...question });
      expect(messages(lines)).to.equal(wanted);
      expect(hasMore).to.equal(false);
    });
  }

  it('comes in pages that overlap nowhere and leave nothing out', () => {
    const levelOf = fc.constantFrom<Level>(...levels);
    fc.assert(
      fc.property(
        fc.array(levelOf, { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        (of, limit) => {
          const ring = ringOf(...of.map((level, nth) => ({ level, message: String(nth) })));
          const seen: string[] = [];
          for (let before: number | undefined; ;) {
            const page = ring.page({ limit, before });
            seen.push(...page.lines.map(({ message }) => message));
            if (!page.hasMore) break;
            before = page.lines.at(-1)!.id;
          }
          expect(seen).to.deep.equal(of.map((_, nth) => String(nth)).reverse());
        },
      ),
    );
  });

  it('keeps to its lines and bytes, and counts what it drops', () => {
    const text = fc.string({ maxLength: 300 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), (said) => {
        const limits = { lines: 20, bytes: 4_000 };
        const ring = createLogRing(() => 0, { grave: limits, other: limits });
        for (const message of said) ring.add(line({ message }));
        const { lines, bytes, dropped, seen } = ring.stats();
        expect(lines).to.be.at.most(limits.lines);
        expect(bytes).to.be.at.most(limits.bytes);
        expect(lines + dropped)
          .to.equal(said.length)
          .and.to.equal(seen.info);
        const newest = said.slice(said.length - lines).reverse();
        const page = ring.page({ limit: 100 });
        expect(page.lines.map(({ message }) => message)).to.deep.equal(newest);
      }),
    );
  });

  it('keeps warnings though much else is said', () => {
    const limits = { lines: 5, bytes: 10_000 };
    const ring = createLogRing(() => 0, { grave: limits, other: limits });
    ring.add(line({ level: 'warn', message: 'careful', at: '2026-01-01T00:00:00.000Z' }));
    for (let nth = 0; nth < 50; nth += 1) ring.add(line({ message: String(nth) }));
    expect(messages(ring.page({ limit: 100 }).lines)).to.equal('49 48 47 46 45 careful');
    expect(ring.since()).to.equal('2026-01-01T00:00:00.000Z');
  });

  it('clips what is too long', () => {
    const ring = ringOf({ message: 'm'.repeat(5_000), fields: { path: '👻'.repeat(10_000) } });
    const [kept] = ring.page({ limit: 1 }).lines;
    expect(kept!.message).to.have.length(2_001);
    expect(String(kept!.fields['clipped'])).to.have.length.within(7_990, 8_001);
  });

  it('numbers lines on over a restart, and though the clock stands still', () => {
    let time = 100;
    const before = createLogRing(() => time);
    for (let nth = 0; nth < 3; nth += 1) before.add(line());
    time = 5_000;
    const after = createLogRing(() => time);
    after.add(line());
    const ids = [after, before].flatMap((ring) =>
      ring.page({ limit: 9 }).lines.map(({ id }) => id),
    );
    expect(ids).to.deep.equal([5_000, 102, 101, 100]);
  });

  it('knows its modules', () => {
    expect(some.modules()).to.deep.equal(['http', 'jobs']);
    expect(ringOf().since()).to.equal(undefined);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { globSync, readFileSync } from 'node:fs';
import { problems } from '../../../services/errors.ts';
import { actions } from '../../../services/activity/record.ts';
import { registry } from '../../../services/settings/registry.ts';
import { circleOf } from './components/circle.ts';
import { layoutOf } from './components/grid-layout.ts';
import { bitRate, clock, duration, fileSize, relative } from './format.ts';
import { nearestBox, nextBox, type Box } from './keys/spatial.ts';
import { lifetimeOf } from './api/token.ts';
import { changesOf, textOf, valueOf, type EditField } from './edit-fields.ts';
import { episodeCode, specialsLast, withGaps, type EpisodeWords } from './episodes.ts';
import { newestFirst, readMovieFilter, readSeriesFilter } from './filters.ts';
import { asJson, asText, factsOf, linesMax, readLogFilter, withNewer } from './log-lines.ts';
import { clip, fill, plural, unended } from './text.ts';
import type { LogLine } from './types.ts';

const messages = (code: string) =>
  JSON.parse(
    readFileSync(new URL(`../../messages/${code}.json`, import.meta.url), 'utf8'),
  ) as Record<string, string>;

const decade = (year: number) => ({ yearFrom: year, yearTo: year + 9 });

describe('messages', () => {
  const en = messages('en');
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

  for (const code of ['de']) {
    it(`are all there in ${code}, with the same places to fill`, () => {
      const other = messages(code);
      expect(Object.keys(other)).to.deep.equal(Object.keys(en));
      for (const [key, text] of Object.entries(en)) {
        expect(places(other[key] ?? ''), key).to.deep.equal(places(text));
      }
    });
  }

  it('are used, each of them', () => {
    const source = globSync('web/src/**/*.{ts,svelte}')
      .filter((path) => !path.endsWith('.test.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    // Some are named by what is known while it runs: `sort.${by}`, or of a group of notices.
    const templates = [...source.matchAll(/`([a-z]\w*\.[^`\n]*\$\{[^`\n]*)`/g)].map(
      ([, text]) => text!,
    );
    const groups = [...source.matchAll(/group="([\w.]+)"/g)].map(([, group]) => `${group}.\${}`);
    const made = [...templates, ...groups].map((text) => {
      const parts = text.split(/\$\{[^}]*\}/).map((part) => part.replaceAll('.', '\\.'));
      return new RegExp(`^${parts.join('.+')}$`);
    });
    const isUsed = (name: string) =>
      source.includes(`'${name}'`) || made.some((pattern) => pattern.test(name));
    const names = Object.keys(en).map((key) => key.replace(/#.*/, ''));
    expect(names.filter((name) => !isUsed(name))).to.deep.equal([]);
  });

  it('tell of every problem that the server has, in each language', () => {
    const texts = ['unreachable', ...Object.keys(problems)].map((code) => `error.${code}`);
    expect(en).to.include.all.keys(texts);
  });

  it('tell of every action that the log of activity knows, in each language', () => {
    const texts = Object.keys(actions).map((action) => `did.${action}`);
    expect(Object.keys(en).filter((key) => key.startsWith('did.'))).to.have.members(texts);
  });

  it('tell of every setting that the server has, in each language', () => {
    const texts = Object.keys(registry).map((key) => `setting.${key}`);
    expect(Object.keys(en).filter((key) => key.startsWith('setting.'))).to.have.members(texts);
  });

  it('end once where another sentence follows', () => {
    expect(unended('Try it later.')).to.equal('Try it later');
    expect(unended('Not this way')).to.equal('Not this way');
  });

  it('are filled, and chosen by number', () => {
    expect(fill('{count} of {all}', { count: 1234, all: 'x' }, 'de')).to.equal('1.234 of x');
    expect(fill('{unknown}', {}, 'en')).to.equal('{unknown}');
    expect([0, 1, 2].map((count) => plural('k', count, 'en'))).to.deep.equal([
      'k#other',
      'k#one',
      'k#other',
    ]);
  });
});

describe('formats', () => {
  it('tell how many bits a second are sent', () => {
    expect(bitRate(4_230_000, 'en')).to.equal('4.2 Mb/s');
    expect(bitRate(96_400, 'en')).to.equal('96 kb/s');
    expect(bitRate(4_230_000, 'de')).to.equal('4,2 Mb/s');
  });

  it('write times as people read them', () => {
    expect(duration(6_120_000, 'en')).to.equal('1 hr 42 min');
    expect(duration(7_200_000, 'en')).to.equal('2 hr');
    expect(duration(54_000, 'en')).to.equal('54 sec');
    expect([3_723, 63, 0, NaN].map(clock)).to.deep.equal(['1:02:03', '1:03', '0:00', '0:00']);
  });

  it('write sizes and moments', () => {
    expect(fileSize(4_700_000_000, 'en')).to.equal('4.7 GB');
    expect([0, 1].map((bytes) => fileSize(bytes, 'en'))).to.deep.equal(['0 bytes', '1 byte']);
    expect(fileSize(21, 'de')).to.equal('21 Byte');
    expect(relative(0, 300_000, 'en')).to.equal('5 minutes ago');
    expect(relative(0, 10, 'en')).to.equal('now');
  });
});

describe('the filter in an address', () => {
  for (const [search, wanted] of [
    ['', {}],
    ['sort=rating&order=asc', { sort: 'rating', order: 'asc' }],
    ['genre=Film%20noir', { genre: ['Film noir'] }],
    ['decade=1990s', { yearFrom: 1990, yearTo: 1999 }],
    ['show=unwatched', { watched: false }],
    ['show=favourites', { favourite: true }],
    ['sort=drop%20table&order=up&decade=x&show=y&foo=bar', {}],
  ] as const) {
    it(`${search || '(none)'}`, () => {
      expect(readMovieFilter(new URLSearchParams(search))).to.deep.equal(wanted);
    });
  }
});

describe('the filter of series in an address', () => {
  for (const [search, wanted] of [
    ['sort=year&order=desc', { sort: 'year', order: 'desc' }],
    ['sort=size&resolution=4K', {}],
    ['letter=%23', { letter: '#' }],
    ['letter=Z', { letter: 'z' }],
    ['letter=ab', {}],
    ['genre=Crime&library=x&decade=2010', { ...decade(2010), genre: ['Crime'], library: 'x' }],
    ['show=watched', { watched: true }],
  ] as const) {
    it(search, () => {
      expect(readSeriesFilter(new URLSearchParams(search))).to.deep.equal(wanted);
    });
  }
});

describe('decades', () => {
  it('are offered by their years, however many works each has', () => {
    const decades = ['1990', '2020', '1920', '2000'].map((value) => ({ value, count: 1 }));
    const found = newestFirst(decades).map(({ value }) => value);
    expect(found).to.deep.equal(['2020', '2000', '1990', '1920']);
  });
});

describe('episodes', () => {
  const words: EpisodeWords = {
    code: (season, number) => `S${season}E${number}`,
    special: (number) => `special ${number}`,
    counted: (number) => `#${number}`,
    day: (date) => `on ${date}`,
  };
  const none = { season: 1, number: null, absolute: null, airDate: null };
  for (const [place, wanted] of [
    [{ ...none, number: 2, absolute: 14, airDate: '2020-01-31' }, 'S1E2'],
    [{ ...none, season: 0, number: 3 }, 'special 3'],
    [{ ...none, season: 2019, airDate: '2019-12-31' }, 'on 2019-12-31'],
    [{ ...none, absolute: 1013 }, '#1013'],
    [none, ''],
  ] as const) {
    it(`are told by number, count or day: ${wanted || 'nothing'}`, () => {
      expect(episodeCode(place, words)).to.equal(wanted);
    });
  }

  it('show what is missing between them', () => {
    const of = (season: number, numbers: readonly (number | null)[]) =>
      numbers.map((number) => ({ season, number }));
    expect(withGaps(of(1, [2, 3, 3, 7]))).to.deep.equal([
      { from: 1, to: 1 },
      ...of(1, [2, 3, 3]),
      { from: 4, to: 6 },
      ...of(1, [7]),
    ]);
    expect(withGaps(of(0, [4, 9]))).to.deep.equal(of(0, [4, 9]));
    expect(withGaps(of(2, [1, null, 2]))).to.deep.equal(of(2, [1, null, 2]));
    const seasons = [0, 2, 1].map((number) => ({ number }));
    expect(specialsLast(seasons).map(({ number }) => number)).to.deep.equal([1, 2, 0]);
  });
});

describe('arrow keys', () => {
  const box = (left: number, top: number, { width = 10, height = 10 } = {}): Box => ({
    ...{ left, top },
    right: left + width,
    bottom: top + height,
  });
  const grid = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => box(column * 12, row * 12)));
  const middle = grid[4] ?? box(0, 0);

  it('go to the neighbour', () => {
    const to = (['up', 'down', 'left', 'right'] as const).map((way) => nextBox(middle, grid, way));
    expect(to).to.deep.equal([1, 7, 3, 5]);
  });

  it('stop at the edge', () => {
    expect(nextBox(grid[0] ?? middle, grid, 'up')).to.equal(undefined);
    expect(nextBox(grid[0] ?? middle, grid, 'left')).to.equal(undefined);
  });
  it('lead to what lies within, and out of it', () => {
    const field = box(0, 0, { width: 100, height: 20 });
    const clear = box(85, 5);
    expect(nextBox(field, [clear, box(120, 0)], 'right')).to.equal(0);
    expect(nextBox(clear, [field, box(-60, 0)], 'left')).to.equal(0);
    expect(nextBox(clear, [field, box(120, 0)], 'right')).to.equal(1);
  });
  it('find what is nearest to what is gone', () => {
    expect(nearestBox(box(10, 10), [box(100, 100), box(20, 10), box(10, 90)])).to.equal(1);
    expect(nearestBox(box(10, 10), [])).to.equal(undefined);
  });

  it('prefer what is straight ahead to what is near but aside', () => {
    const ahead = box(0, 60);
    const aside = box(40, 14);
    expect(nextBox(box(0, 0), [aside, ahead], 'down')).to.equal(1);
  });

  it('never go back the way they came', () => {
    const coordinate = fc.integer({ min: 0, max: 200 });
    const any = fc.tuple(coordinate, coordinate).map(([left, top]) => box(left, top));
    fc.assert(
      fc.property(any, fc.array(any, { maxLength: 20 }), (from, boxes) => {
        const at = nextBox(from, boxes, 'right');
        if (at !== undefined) expect(boxes[at]?.left).to.be.greaterThan(from.left);
      }),
    );
  });
});

describe('the grid', () => {
  it('fills its width, at any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 280, max: 4_000 }),
        fc.integer({ min: 14, max: 36 }),
        (width, rem) => {
          const { columns, gap, rowHeight } = layoutOf(width, rem);
          const poster = (width - (columns - 1) * gap) / columns;
          expect(columns).to.be.at.least(2);
          expect(poster).to.be.at.most(18 * rem);
          expect(rowHeight).to.be.greaterThan(poster * 1.5);
        },
      ),
    );
  });
});

describe('a circle of members', () => {
  it('has the first at the top, and nobody on another', () => {
    const placed = circleOf([1, 2, 3, 4, 5], { radius: 100, x: 0, y: 0 });
    expect(placed[0]).to.include({ x: 0, y: -100 });
    expect(new Set(placed.map(({ x, y }) => `${x} ${y}`)).size).to.equal(5);
  });
});

describe('the beginning of a text', () => {
  it('ends before what does not fit whole', () => {
    expect(clip('Heat', 4)).to.equal('Heat');
    expect(clip('Heat', 2)).to.equal('He');
    expect(clip('A🎬', 2)).to.equal('A');
    expect(clip('A🎬', 3)).to.equal('A🎬');
  });

  it('can be part of an address', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 20 }), (text, most) => {
        const begun = clip(text, most);
        expect(text.startsWith(begun)).to.equal(true);
        expect(begun.length).to.be.within(Math.min(most, text.length) - 1, most);
        expect(decodeURIComponent(encodeURIComponent(begun))).to.equal(begun);
      }),
    );
  });
});

describe('the life of a token', () => {
  const jwt = (payload: object) =>
    `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.s`;

  it('is what it says of itself, whatever this machine’s clock says', () => {
    expect(lifetimeOf(jwt({ iat: 100, exp: 1000 }), 1)).to.equal(900_000);
  });

  for (const [name, token] of [
    ['has no times', jwt({})],
    ['ends before it begins', jwt({ iat: 5, exp: 4 })],
    ['is none', 'rubbish'],
  ] as const) {
    it(`is a guess for one that ${name}`, () => {
      expect(lifetimeOf(token, 42)).to.equal(42);
    });
  }
});

describe('an edit', () => {
  const fields: readonly EditField[] = [
    { name: 'title', kind: 'line', isNeeded: true },
    { name: 'year', kind: 'year' },
    { name: 'genres', kind: 'names' },
    { name: 'overview', kind: 'text' },
  ];
  const of = (texts: Record<string, string>, locked: readonly string[] = []) => ({
    texts: { title: 'Heat', year: '', genres: 'Crime, Drama', overview: 'x', ...texts },
    locked: new Set(locked),
  });
  const cases: readonly [string, ReturnType<typeof of>, object][] = [
    ['nothing', of({}), {}],
    ['a year', of({ year: '1995' }), { year: 1995 }],
    ['a text taken away', of({ overview: ' ' }), { overview: null }],
    ['names with gaps', of({ genres: ' Crime,, War ,' }), { genres: ['Crime', 'War'] }],
    ['all names taken away', of({ genres: '' }), { genres: [] }],
    ['what is never empty', of({ title: ' ' }), { title: '' }],
    ['a lock alone', of({}, ['year', 'title']), { lockedFields: ['title', 'year'] }],
  ];
  for (const [what, after, changes] of cases) {
    it(`says what was changed, and no more: ${what}`, () => {
      expect(changesOf(fields, of({}), after)).to.deep.equal(changes);
    });
  }

  it('gives back what stood there', () => {
    const names = fc.array(fc.stringMatching(/^[a-z]{1,9}( [a-z]{1,9})?$/));
    fc.assert(
      fc.property(names, fc.integer({ min: 1870, max: 2200 }), (genres, year) => {
        expect(valueOf({ name: 'genres', kind: 'names' }, textOf(genres))).to.deep.equal(genres);
        expect(valueOf({ name: 'year', kind: 'year' }, textOf(year))).to.equal(year);
      }),
    );
  });
});

describe('lines of a log', () => {
  const line = (id: number, more: Partial<LogLine> = {}): LogLine => ({
    ...{ id, at: '2026-01-02T03:04:05.678Z', level: 'info', module: null },
    ...{ message: 'm', fields: {} },
    ...more,
  });

  it('are asked for as the address says, and without what it cannot mean', () => {
    const rows: [string, object][] = [
      ['', {}],
      [
        'node=b&level=warn&module=http&text=%20x%20',
        {
          ...{ nodeId: 'b', level: 'warn', module: 'http', text: 'x' },
        },
      ],
      ['level=loud&text=%20&module=', {}],
      ['level=debug', {}],
    ];
    for (const [address, wanted] of rows) {
      expect(readLogFilter(new URLSearchParams(address)), address).to.deep.equal(wanted);
    }
  });

  it('come before those that are known, or instead of them where some are missing', () => {
    const [known, newer] = [
      [line(2), line(1)],
      [line(4), line(3)],
    ];
    expect(withNewer(known, newer, false).map(({ id }) => id)).to.deep.equal([4, 3, 2, 1]);
    expect(withNewer(known, newer, true)).to.equal(newer);
    const full = Array.from({ length: linesMax }, (_, nth) => line(linesMax - nth));
    expect(withNewer(full, [line(linesMax + 1)], false)).to.have.length(linesMax);
  });

  it('are told in short, and copied whole', () => {
    const said = line(1, { module: 'http', fields: { status: 200, path: '/x y', gone: null } });
    expect(factsOf(said)).to.equal('status=200 path=/x y');
    const { timestamp, ...rest } = JSON.parse(asJson(said)) as Record<string, unknown>;
    expect(timestamp).to.equal(said.at);
    expect(rest).to.deep.include({ level: 'info', module: 'http', status: 200 });
    expect(JSON.parse(asJson(line(1)))).to.not.have.property('module');
    expect(asText('a\nb')).to.equal('a\nb');
    expect(asText({ stack: 'a\nb' }).split('\n')).to.have.length(4);
    expect(asText({ path: 'D:\\nas' }).split('\n')).to.have.length(3);
  });
});

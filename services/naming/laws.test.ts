import { expect } from 'chai';
import fc from 'fast-check';
import { pathFor } from './format.ts';
import { identifyPath } from './identify.ts';
import { readName } from './name.ts';
import { readPath } from './path.ts';
import { longestName } from './prepare.ts';
import { titleKey } from './titles.ts';

const options = { latestYear: 2030 } as const;
const kinds = fc.constantFrom('movie', 'series', undefined);

/** Pieces that names are made of, and that trip those who read them. */
const piece = fc.constantFrom(
  ...'S01E02 1x02 S01 E03 - . _ [ ] ( ) { } 1080p x264 BluRay WEB-DL 2012 (1999) [Group] 07 101'.split(
    ' ',
  ),
  ...'[abcdef01] German ITA subs Season Episode 3 of 10 2020.01.02 tt1234567 {tmdb-12} v2 5.1'.split(
    ' ',
  ),
  ...'DTS-HD.MA -GRP www.x.com 第05話 Сезон ½ 💿 é \u0000 \uf7ff / \\'.split(' '),
);
const name = fc
  .array(piece, { maxLength: 14 })
  .chain((pieces) => fc.constantFrom('', ' ', '.', '_', ' - ').map((joint) => pieces.join(joint)));

const word = fc.constantFrom(
  'Alpha',
  'Beta',
  'of',
  'the',
  'Zürich',
  'Ōkami',
  'Дом',
  'Nine',
  'Storm',
);
const title = fc
  .array(word, { minLength: 1, maxLength: 4 })
  .map((words) => words.join(' '))
  .filter((text) => !/^(?:of|the)(?: (?:of|the))*$/.test(text));
const year = fc.option(fc.integer({ min: 1930, max: 2029 }), { nil: undefined });
const junk = fc.constantFrom(
  '',
  '.1080p.WEB-DL.DDP5.1.H.264-GRP',
  '.720p.HDTV.x264-LOL',
  '.2160p.UHD.BluRay.REMUX.HDR.HEVC.TrueHD.7.1.Atmos-ABC',
  '.GERMAN.DL.1080p.BluRay.x264-XY',
);

describe('laws of naming', () => {
  it('holds no name that throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), name), kinds, (text, kind) => {
        expect(readName(text, { ...options, kind }).title).to.be.a('string');
        expect(identifyPath(text, { ...options, kind }).title).to.be.a('string');
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads no further than a name may be long, whatever stands there', () => {
    for (const unit of ['[', '(', '[(', ' - ', '1x', 'S01E01', 'a.', '(2000)', 'E1-', '. .']) {
      const long = unit.repeat(10_000);
      const { title: found } = readName(long, options);
      expect(found).to.equal(readName(long.slice(0, longestName), options).title);
      expect(readPath(`${long}/${long}`, options).best.title).to.be.a('string');
    }
  });

  it('says the same of large letters and small ones', () => {
    fc.assert(
      fc.property(name, (text) => {
        const one = readName(text.toLowerCase(), options);
        const two = readName(text.toLowerCase().toUpperCase().toLowerCase(), options);
        expect(one).to.deep.equal(two);
        const large = readName(
          text.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
          options,
        );
        const small = readName(
          text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
          options,
        );
        expect(titleKey(large.title)).to.equal(titleKey(small.title));
        expect(large.year).to.equal(small.year);
        expect(large.episodes).to.deep.equal(small.episodes);
        expect(large.release.resolution).to.equal(small.release.resolution);
        expect(large.release.source).to.equal(small.release.source);
      }),
    );
  });

  it('does not mind which container a file is in', () => {
    fc.assert(
      fc.property(name, kinds, (text, kind) => {
        fc.pre(text.trim() !== '' && !/[\\/]/.test(text));
        const read = (extension: string) => {
          const { best, season, episodes } = readPath(`${text}.${extension}`, { ...options, kind });
          return { title: best.title, year: best.year, season, episodes };
        };
        expect(read('mp4')).to.deep.equal(read('mkv'));
        expect(read('avi')).to.deep.equal(read('mkv'));
      }),
    );
  });

  it('reads films as they are written', () => {
    fc.assert(
      fc.property(title, year, (text, of) => {
        const found = identifyPath(`${pathFor({ kind: 'movie', title: text, year: of })}.mkv`, {
          ...options,
          kind: 'movie',
        });
        expect(found).to.include({ kind: 'movie', title: text });
        expect(found.year).to.equal(of);
      }),
    );
  });

  it('reads episodes as they are written', () => {
    const work = fc.record({
      title,
      year,
      season: fc.integer({ min: 0, max: 40 }),
      first: fc.integer({ min: 1, max: 120 }),
      more: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(work, ({ first, more, ...rest }) => {
        const episodes = Array.from({ length: more + 1 }, (_, index) => first + index);
        const said = { ...rest, kind: 'series', episodeTitle: 'It Ends' } as const;
        const found = identifyPath(`${pathFor({ ...said, episodes })}.mkv`, options);
        const { year: of, ...others } = said;
        expect(found).to.include(others);
        expect(found.episodes).to.deep.equal(episodes);
        expect(found.year).to.equal(of);
      }),
    );
  });

  it('reads days as they are written', () => {
    const days = fc.date({
      min: new Date('1990-01-01'),
      max: new Date('2029-12-31'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(title, days, (text, day) => {
        const airDate = day.toISOString().slice(0, 10);
        const found = identifyPath(
          `${pathFor({ kind: 'series', title: text, airDate })}.mkv`,
          options,
        );
        expect(found).to.include({ kind: 'series', title: text, airDate });
      }),
    );
  });

  it('reads titles, years and numbers among the words of releases', () => {
    const dots = (text: string) => text.replaceAll(' ', '.');
    const mark = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 99 }));
    fc.assert(
      fc.property(title, year, junk, (text, of, rest) => {
        fc.pre(of !== undefined || rest !== '');
        const found = readName(`${dots(text)}${of === undefined ? '' : `.${of}`}${rest}`, {
          ...options,
          kind: 'movie',
        });
        expect(titleKey(found.title)).to.equal(titleKey(text));
        expect(found.year).to.equal(of);
      }),
    );
    fc.assert(
      fc.property(title, mark, junk, (text, [s, e], rest) => {
        const found = readName(`${dots(text)}.S${s}E${e}${rest}`, options);
        expect(titleKey(found.title)).to.equal(titleKey(text));
        expect(found.episodes?.seasons).to.deep.equal([s]);
        expect(found.episodes?.episodes).to.deep.equal([e]);
      }),
    );
  });
});

import { expect } from 'chai';
import { partOf } from '../../naming/parts.ts';
import { groupFilms } from './grouping.ts';
import { readPlace } from '../../naming/places.ts';

const options = { latestYear: 2028 };

/** 'Title (year)' → its versions as 'label ×parts', for files of one folder. */
function films(folder: string | undefined, names: readonly string[]): Record<string, string[]> {
  const videos = names.map((name) => {
    const slash = name.lastIndexOf('/');
    const place = readPlace(
      [folder ?? '', name.slice(0, Math.max(slash, 0))].filter(Boolean).join('/'),
    );
    return { id: name, stem: name.slice(slash + 1).replace(/\.\w+$/, ''), sizeBytes: 1, place };
  });
  return Object.fromEntries(
    groupFilms(folder, videos, options).map(({ reading: { title, year }, versions }) => [
      year === undefined ? title : `${title} (${year})`,
      versions.map(
        ({ label, parts }) => `${label ?? ''}${parts.length > 1 ? ` ×${parts.length}` : ''}`,
      ),
    ]),
  );
}

const cases: [what: string, folder: string | undefined, files: string[], expected: object][] = [
  [
    'versions by resolution',
    'Inception (2010)',
    ['Inception (2010) - 1080p.mkv', 'Inception (2010) - 720p.mkv'],
    { 'Inception (2010)': ['1080p', '720p'] },
  ],
  [
    'versions in brackets',
    'Blade Runner (1982)',
    [
      'Blade Runner (1982) [Final Cut] [1080p HEVC AAC].mkv',
      'Blade Runner (1982) [EE by ADM] [480p].mkv',
    ],
    { 'Blade Runner (1982)': ['[Final Cut] [1080p HEVC AAC]', '[EE by ADM] [480p]'] },
  ],
  [
    'a version with a year in its label',
    'The Phantom of the Opera (1925)',
    [
      'The Phantom of the Opera (1925) - 1925 version.mkv',
      'The Phantom of the Opera (1925) - 1929 version.mkv',
    ],
    { 'The Phantom of the Opera (1925)': ['1925 version', '1929 version'] },
  ],
  [
    'underscores',
    'Movie (2020)',
    ['Movie (2020)_4K.mkv', 'Movie (2020)_1080p.mkv'],
    { 'Movie (2020)': ['4K', '1080p'] },
  ],
  [
    'release names of one film',
    'Dune (2021)',
    ['Dune.2021.1080p.BluRay.x264-A.mkv', 'Dune.2021.2160p.WEB-DL-B.mkv'],
    { 'Dune (2021)': ['1080p', '2160p'] },
  ],
  [
    'numbers that are sequels',
    'Movie',
    ['Movie 1.mkv', 'Movie 2.mkv'],
    { 'Movie 1': [''], 'Movie 2': [''] },
  ],
  [
    'years that are different films',
    'Iron Man',
    ['Iron Man (2008).mkv', 'Iron Man (2010).mkv'],
    { 'Iron Man (2008)': [''], 'Iron Man (2010)': [''] },
  ],
  [
    'years against version marks',
    'Iron Man',
    ['Iron Man - B (2006).mkv', 'Iron Man - C (2007).mkv'],
    { 'Iron Man - B (2006)': [''], 'Iron Man - C (2007)': [''] },
  ],
  ['parts', 'Movie', ['Movie - part1.mkv', 'Movie - part2.mkv'], { Movie: [' ×2'] }],
  [
    'a version in parts',
    'Inception (2010)',
    ['Inception (2010).mkv', 'Inception (2010) - 4k part1.mkv', 'Inception (2010) - 4k part2.mkv'],
    { 'Inception (2010)': ['4k ×2', ''] },
  ],
  [
    'parts without a common word are none',
    undefined,
    ['Bad Boys 2006.mkv', 'Bad Boys 2007.mkv'],
    { 'Bad Boys (2006)': [''], 'Bad Boys (2007)': [''] },
  ],
  ['a flat folder', undefined, ['Up (2009).mkv', 'Cars.mkv'], { 'Up (2009)': [''], Cars: [''] }],
  [
    'an obfuscated file in a named folder',
    'Heat (1995)',
    ['a1b2c3d4e5f60718293a4b5c.mkv'],
    { 'Heat (1995)': [''] },
  ],
  ['a named file in a shelf', 'Action', ['Heat (1995).mkv'], { 'Heat (1995)': [''] }],
  [
    'discs in folders',
    'The Sound of Music (1965)',
    ['CD1/a.avi', 'CD2/b.avi'],
    { 'The Sound of Music (1965)': [' ×2'] },
  ],
];

describe('grouping files to films', () => {
  for (const [what, folder, files, expected] of cases) {
    it(what, () => {
      const found = films(folder, files);
      const sorted = (all: object) =>
        Object.fromEntries(
          Object.entries(all).map(([key, labels]) => [key, [...(labels as string[])].sort()]),
        );
      expect(sorted(found)).to.deep.equal(sorted(expected));
    });
  }

  it('keeps the loser as runner-up, with both scores', () => {
    const place = readPlace('Heat (1995)');
    const video = { id: '1', stem: 'Something Else', sizeBytes: 1, place };
    const [group] = groupFilms('Heat (1995)', [video], options);
    expect(group?.reading).to.include({ title: 'Heat', from: 'folder' });
    expect(group?.runnerUp).to.include({ title: 'Something Else', from: 'file' });
    expect(group!.reading.score).to.be.above(group!.runnerUp!.score);
  });

  it('takes the spelling of a person over a release in small letters', () => {
    const place = readPlace('Old Tape (1994)');
    const video = { id: '1', stem: 'old.tape.1994.dvdrip.xvid-grp', sizeBytes: 1, place };
    const [group] = groupFilms('Old Tape (1994)', [video], options);
    expect(group?.reading).to.include({ title: 'Old Tape', from: 'folder' });
  });

  const parts: [name: string, part: object | undefined][] = [
    ['300 2006 part1', { base: '300 2006', part: 1 }],
    ['Neverland (2011)[720p]part2', { base: 'Neverland (2011)[720p]', part: 2 }],
    ['Movie CD 02', { base: 'Movie', part: 2 }],
    ['Movie - disc b', { base: 'Movie', part: 2 }],
    ['Movie parte', undefined],
    ['Bad Boys (2006).part1.stv.unrated', undefined],
    ['part1', undefined],
    ['Apart 1', undefined],
  ];
  for (const [name, expected] of parts) {
    it(`part of '${name}'`, () => {
      if (expected === undefined) expect(partOf(name)).to.equal(undefined);
      else expect(partOf(name)).to.include(expected);
    });
  }
});

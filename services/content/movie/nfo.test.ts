import { expect } from 'chai';
import fc from 'fast-check';
import { nfoMaxBytes } from '../../nfo/xml.ts';
import { readNfo } from './nfo.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => readNfo(utf8(text));

const full = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<movie>
  <title>Léon &amp; Co</title><originaltitle>L&#233;on</originaltitle><sorttitle>Leon 1</sorttitle>
  <year>1994</year><premiered>1994-09-14</premiered><runtime>110</runtime><mpaa>Rated R</mpaa>
  <plot><![CDATA[A <killer> cleans.]]></plot><tagline>If you want…</tagline>
  <genre>Crime / Drama</genre><genre>Action</genre><tag>cult</tag><studio>Gaumont</studio>
  <uniqueid type="imdb" default="true">tt0110413</uniqueid><uniqueid type="tmdb">101</uniqueid>
  <ratings>
    <rating name="imdb" max="10" default="true"><value>8.5</value><votes>1,234,567</votes></rating>
    <rating name="metacritic" max="100"><value>64</value></rating>
  </ratings>
  <actor><name>Jean Reno</name><role>Léon</role><order>0</order></actor>
  <actor><name>Natalie Portman</name><role>Mathilda</role><order>1</order></actor>
  <director>Luc Besson</director><credits>Luc Besson</credits><set><name>Léon Collection</name></set>
</movie>`;

describe('reading film NFO files', () => {
  it('takes everything Kodi writes', () => {
    const { film, problems } = read(full);
    expect(problems).to.deep.equal([]);
    expect(film).to.deep.equal({
      title: 'Léon & Co',
      originalTitle: 'Léon',
      sortTitle: 'Leon 1',
      year: 1994,
      releaseDate: '1994-09-14',
      overview: 'A <killer> cleans.',
      tagline: 'If you want…',
      runtimeMs: 6_600_000,
      certification: 'R',
      collection: 'Léon Collection',
      genres: ['Crime', 'Drama', 'Action'],
      tags: ['cult'],
      studios: ['Gaumont'],
      ids: { imdb: 'tt0110413', tmdb: '101' },
      ratings: [
        { source: 'imdb', score: 8.5, votes: 1_234_567 },
        { source: 'metacritic', score: 6.4, votes: undefined },
      ],
      actors: [
        { name: 'Jean Reno', character: 'Léon', position: 0 },
        { name: 'Natalie Portman', character: 'Mathilda', position: 1 },
      ],
      directors: ['Luc Besson'],
      writers: ['Luc Besson'],
    });
  });

  const variants: [what: string, text: string, expected: object][] = [
    [
      'old ids',
      '<movie><title>T</title><id>tt0110413</id><tmdbid>7</tmdbid></movie>',
      { ids: { imdb: 'tt0110413', tmdb: '7' } },
    ],
    [
      'ids that are none',
      '<movie><title>T</title><imdbid>x</imdbid><tmdbid>0</tmdbid></movie>',
      { ids: {} },
    ],
    ['a set as text', '<movie><title>T</title><set>Saga</set></movie>', { collection: 'Saga' }],
    [
      'one rating',
      '<movie><title>T</title><rating>7,5</rating><votes>12</votes></movie>',
      { ratings: [{ source: 'nfo', score: 7.5, votes: 12 }] },
    ],
    [
      'a year out of the date',
      '<movie><title>T</title><premiered>2001-02-03</premiered></movie>',
      { year: 2001 },
    ],
    [
      'no impossible date',
      '<movie><title>T</title><premiered>2001-02-31</premiered></movie>',
      { releaseDate: undefined },
    ],
    [
      'runtime in words',
      '<movie><title>T</title><runtime>136 min</runtime></movie>',
      { runtimeMs: 8_160_000 },
    ],
    [
      'a link after the XML',
      '<movie><title>T</title></movie>\nhttps://www.themoviedb.org/movie/603-the-matrix',
      { ids: { tmdb: '603' } },
    ],
    [
      'the first of several',
      '<movie><title>A</title></movie><movie><title>B</title></movie>',
      { title: 'A' },
    ],
    ['tags in any case', '<Movie><Title>T</Title></Movie>', { title: 'T' }],
    ['rubbish before', 'blah blah <movie><title>T</title></movie> blah', { title: 'T' }],
  ];
  for (const [what, text, expected] of variants) {
    it(`reads ${what}`, () => expect(read(text).film).to.deep.include(expected));
  }

  it('reads a file that is only a link', () => {
    expect(read('https://www.imdb.com/title/tt0133093/').film?.ids).to.deep.equal({
      imdb: 'tt0133093',
    });
    expect(read('https://www.themoviedb.org/movie/603').film?.ids).to.deep.equal({ tmdb: '603' });
  });

  it('finds the encoding', () => {
    const text = '<movie><title>Ärger im Größenwahn</title></movie>';
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    const title = (bytes: Uint8Array) => readNfo(bytes).film?.title;
    expect(title(utf8(`\ufeff${text}`))).to.equal('Ärger im Größenwahn');
    expect(title(utf16)).to.equal('Ärger im Größenwahn');
    expect(title(Buffer.from(utf16).swap16())).to.equal('Ärger im Größenwahn');
    expect(title(Buffer.from(text, 'latin1'))).to.equal('Ärger im Größenwahn');
    const declared = `<?xml version="1.0" encoding="iso-8859-2"?><movie><title>\xb1</title></movie>`;
    expect(title(Buffer.from(declared, 'latin1'))).to.equal('ą');
  });

  const broken: [what: string, text: string, problem: RegExp][] = [
    [
      'entities (billion laughs)',
      '<!DOCTYPE m [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><movie><title>&b;</title></movie>',
      /entities/,
    ],
    ['a file cut off', '<movie><title>T</title><plot>and th', /cut off/],
    ['deep nesting', `<movie>${'<a>'.repeat(10_000)}`, /nested/],
    ['nothing to use', '<movie><plot>P</plot></movie>', /neither a title/],
    ['another kind', '<tvshow><title>T</title></tvshow>', /tvshow/],
    ['no NFO at all', '\u0000\u0001 hello', /neither a film/],
    ['an empty file', '', /neither a film/],
  ];
  for (const [what, text, problem] of broken) {
    it(`tells of ${what}, and does not fail`, () => {
      expect(read(text).problems.join('\n')).to.match(problem);
    });
  }

  it('keeps what a file that is cut off did say', () => {
    expect(read('<movie><title>T</title><year>1999</year><plo').film).to.include({ title: 'T' });
  });

  it('refuses what is too large', () => {
    expect(readNfo(new Uint8Array(nfoMaxBytes + 1)).problems).to.have.length(1);
  });

  it('refuses to parse for long: too much in one film, too many elements', () => {
    const film = (inner: string) => `<movie><title>T</title>${inner}</movie>`;
    for (const inner of ['<a/>'.repeat(40_000), `<a ${'b '.repeat(300_000)}/>`]) {
      expect(read(film(inner))).to.deep.equal({
        film: undefined,
        problems: ['describes more than any work has'],
      });
    }
    const actor = '<actor><name>N</name><role>R</role><thumb>http://x/y.jpg</thumb></actor>';
    expect(read(film(actor.repeat(500))).film?.actors).to.have.length(200);
  });

  it('does not resolve entities from outside', () => {
    const text = '<!DOCTYPE m SYSTEM "file:///etc/passwd"><movie><title>a&xxe;b</title></movie>';
    expect(read(text).film?.title).to.equal('a&xxe;b');
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      '<movie>',
      '</movie>',
      '<title>',
      '</title>',
      '<actor',
      '/>',
      '&#0;',
      '<![CDATA[',
      ']]>',
      '<!--',
      'text',
      '"',
      "='",
      '<set><name>',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        expect(read(pieces.join('')).problems).to.be.an('array');
      }),
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readNfo(bytes)));
  });
});
